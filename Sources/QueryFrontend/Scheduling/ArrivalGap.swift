package import ContainerRPC

/// How soon after a query the next one is to be expected for a model, learned from when they come.
///
/// It looks back over arrivals, not over time, so that it fits a model with thousands of queries a second as well as one
/// with a query in ten seconds. Queries that come at the same time are one arrival: a burst says nothing of when the next
/// one comes.
package struct ArrivalGap: Sendable {
    /// Queries may have gathered for so long before they are seen.
    static let resolution = Duration.milliseconds(1)
    /// The share of a new gap in the mean, once there have been some.
    private static let gain = 1.0 / 16
    /// A gap counts for at most so many mean ones: one silence doesn't make a rate.
    private static let longestGap = 8.0

    private var last: MonotonicTime?
    /// In nanoseconds.
    private var meanGap = 0.0
    private var gaps = 0.0

    package init() {}

    /// A query has come.
    package mutating func note(now: MonotonicTime) {
        guard let last else {
            self.last = now
            return
        }
        let gap = Self.nanoseconds(from: last, to: now)
        guard gap > 0 else { return }
        let counted = gaps > 0 ? min(gap, Self.longestGap * meanGap) : gap
        gaps += 1
        meanGap += max(Self.gain, 1 / gaps) * (counted - meanGap)
        self.last = now
    }

    /// How long after an arrival the next one is expected: the mean of about the last 16 gaps, or the time since the last
    /// arrival where that is longer; `nil` before the second arrival.
    package func expected(now: MonotonicTime) -> Duration? {
        guard let last, gaps > 0 else { return nil }
        return .nanoseconds(Int64(min(max(meanGap, Self.nanoseconds(from: last, to: now)), 9e18)))
    }

    /// Until when the next one is expected within this time, should none come before; `nil` where it is not.
    package func hopeEnd(within time: Duration, now: MonotonicTime) -> MonotonicTime? {
        guard let last, let gap = expected(now: now), gap < time else { return nil }
        return last + time
    }

    /// Not below zero.
    private static func nanoseconds(from start: MonotonicTime, to end: MonotonicTime) -> Double {
        max(0, Double(end.nanoseconds) - Double(start.nanoseconds))
    }
}
