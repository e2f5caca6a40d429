import ContainerRPC

/// How long before the end of what a replica has the next batch is sent to it, so that the way there and back is hidden.
///
/// Sent too late, the replica waits. Sent too early, the batch only waits at the replica instead of in the queue, where it
/// could still grow. A container that tells what its model took (RPC 4) shows how long it has waited between two batches:
/// the lead grows by a part of that, and shrinks a little whenever it has not waited. Of one that does not tell, nothing is
/// known, because a replica that waits shows as slower than it is: there it is a share of the batch.
struct Lead: Sendable {
    private static let share = 5
    private static let presumed = Duration.microseconds(500)...Duration.milliseconds(2)
    private static let measured = Duration.microseconds(100)...Duration.milliseconds(5)
    /// What a container waits by accident, because two answers do not take equally long.
    private static let accidental = Duration.microseconds(50)

    private var learned: Duration?

    /// The lead before the end of a batch that is expected to take so long.
    func time(of batch: Duration) -> Duration {
        if let learned { return learned }
        return min(max(batch / Self.share, Self.presumed.lowerBound), Self.presumed.upperBound)
    }

    /// A batch came back for which the container has worked so long: after the answer before it, if it was sent by then, or
    /// else after it was sent.
    mutating func note(_ duration: Duration, wasSentAhead: Bool, computeTime: Duration) {
        let waited = max(.zero, duration - computeTime)
        let before = learned ?? waited
        let after: Duration
        if !wasSentAhead {
            // All the way, there and back: as much as can ever be needed, and more than that is not.
            after = learned == nil ? waited : min(before, waited * 2)
        } else if waited > Self.accidental {
            after = before + waited * 2 / 10
        } else {
            after = before * 97 / 100
        }
        learned = min(max(after, Self.measured.lowerBound), Self.measured.upperBound)
    }
}
