import ContainerRPC

/// How long an outcome's way back takes, from the dispatch thread's decision until its answer is written: the time that
/// deadlines are set earlier, so that answers are in time and not only decisions.
///
/// A smoothed mean and deviation, as TCP estimates round trips (RFC 6298).
struct ReturnTime: Sendable {
    /// The share of an SLO that it takes at most.
    private static let largestShare: Int64 = 10

    private var mean = 0.0
    private var deviation = 0.0

    /// Outcomes have taken so long.
    mutating func note(_ duration: Duration) {
        let nanoseconds = Double(duration.wholeNanoseconds)
        deviation += (abs(nanoseconds - mean) - deviation) / 4
        mean += (nanoseconds - mean) / 8
    }

    /// What to take off a query's time.
    func allowance(within time: Duration) -> Duration {
        .nanoseconds(min(Int64(min(mean + 4 * deviation, 1e15)), time.wholeNanoseconds / Self.largestShare))
    }
}
