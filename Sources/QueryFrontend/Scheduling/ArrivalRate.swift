import ContainerRPC

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How often queries come for a model, learned from when they come.
///
/// The rate looks back over time, the expected gap over arrivals, so that it fits a model with thousands of queries a
/// second as well as one with a query in ten seconds. Queries that come at the same time are one arrival: a burst says
/// nothing of when the next one comes.
package struct ArrivalRate: Sendable {
    /// A query counts e⁻¹ of what it did after so many nanoseconds.
    private static let memory = 1e9
    /// The share of a new gap in the mean, once there have been some.
    private static let gain = 1.0 / 16
    /// A gap counts for at most so many mean ones: one silence doesn't make a rate.
    private static let longestGap = 8.0

    /// Queries, each counting less the longer it is ago, as of the last arrival.
    private var weight = 0.0
    private var last: MonotonicTime?
    /// In nanoseconds.
    private var meanGap = 0.0
    private var gaps = 0.0

    package init() {}

    /// So many queries have come.
    package mutating func note(now: MonotonicTime, count: Int = 1) {
        guard count > 0 else { return }
        if let last {
            let gap = Self.nanoseconds(from: last, to: now)
            if gap > 0 {
                weight *= exp(-gap / Self.memory)
                let counted = gaps > 0 ? min(gap, Self.longestGap * meanGap) : gap
                gaps += 1
                meanGap += max(Self.gain, 1 / gaps) * (counted - meanGap)
                self.last = now
            }
        } else {
            last = now
        }
        weight += Double(count)
    }

    /// Queries per second, over about the last second.
    package func perSecond(now: MonotonicTime) -> Double {
        guard let last else { return 0 }
        return weight * exp(-Self.nanoseconds(from: last, to: now) / Self.memory) * 1e9 / Self.memory
    }

    /// How long after an arrival the next one is expected: the mean of about the last 16 gaps, or the time since the last
    /// arrival where that is longer; `nil` before the second arrival.
    package func expectedGap(now: MonotonicTime) -> Duration? {
        guard let last, gaps > 0 else { return nil }
        return .nanoseconds(Int64(min(max(meanGap, Self.nanoseconds(from: last, to: now)), 9e18)))
    }

    /// Not below zero.
    private static func nanoseconds(from start: MonotonicTime, to end: MonotonicTime) -> Double {
        max(0, Double(end.nanoseconds) - Double(start.nanoseconds))
    }
}
