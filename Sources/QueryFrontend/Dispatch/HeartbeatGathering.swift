import ContainerRPC

/// Lets the heartbeats of many containers gather while nothing else is to be expected of them, so that the dispatch thread
/// is not woken for each.
///
/// While no batch is in flight, what comes from containers are heartbeats and, rarely, a container that registers or
/// leaves: nothing that a tenth of a second matters to, or two for a container that registers with two messages. Queries
/// and ended connections wake the thread as ever.
struct HeartbeatGathering {
    /// How long messages may wait.
    static let period = Duration.milliseconds(100)
    /// With fewer containers there is little to gather, and one that registers is not kept waiting.
    static let fewestSessions = 64

    private var lastRead: MonotonicTime?

    /// Messages were read.
    mutating func noteRead(now: MonotonicTime) {
        lastRead = now
    }

    /// When messages are read again; `nil`: as soon as they come.
    ///
    /// - Parameter isAtRest: whether no query waits and no batch is in flight.
    func pauseEnd(sessions: Int, now: MonotonicTime, isAtRest: @autoclosure () -> Bool) -> MonotonicTime? {
        guard sessions >= Self.fewestSessions, let lastRead else { return nil }
        let end = lastRead + Self.period
        return now < end && isAtRest() ? end : nil
    }
}
