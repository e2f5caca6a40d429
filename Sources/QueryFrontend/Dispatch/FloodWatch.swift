import ContainerRPC

/// Says when containers may be given up although messages still wait to be read.
///
/// Some of those may be heartbeats, or answers from one whose connection has ended meanwhile. But peers that never let the
/// socket run dry may not keep the loss of others from being noticed; it reads from all in turn, so after a while each
/// has been heard.
struct FloodWatch {
    /// How long messages are read first, and how many turns: time passes also while nothing is read.
    private static let patience = Duration.seconds(1)
    private static let turns = 64

    private var since: MonotonicTime?
    private var turnsSince = 0

    /// Whether the wait is over: all has been read, or reading has gone on for long enough.
    mutating func endsWait(isDrained: Bool, now: MonotonicTime) -> Bool {
        let begin = since ?? now
        turnsSince += 1
        guard isDrained || (now - begin >= Self.patience && turnsSince >= Self.turns) else {
            since = begin
            return false
        }
        since = isDrained ? nil : now
        turnsSince = 0
        return true
    }
}
