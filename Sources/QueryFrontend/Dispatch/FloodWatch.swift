import ContainerRPC

/// Says when containers may be given up although messages still wait to be read.
///
/// Some of those may be heartbeats, or answers from one whose connection has ended meanwhile. But peers that never let the
/// socket run dry may not keep the loss of others from being noticed; it reads from all in turn, so after a while each
/// has been heard.
struct FloodWatch {
    /// How long messages are read first.
    private static let patience = Duration.seconds(1)

    private var since: MonotonicTime?

    /// Whether the wait is over: all has been read, or reading has gone on for long enough.
    mutating func endsWait(isDrained: Bool, now: MonotonicTime) -> Bool {
        guard !isDrained else {
            since = nil
            return true
        }
        let begin = since ?? now
        since = begin
        guard now - begin >= Self.patience else { return false }
        since = now
        return true
    }
}
