import ContainerRPC

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How long an outcome's way back takes, from the dispatch thread's decision until its answer is written: the time that
/// deadlines are set earlier, so that answers are in time and not only decisions.
///
/// A smoothed mean and deviation, as TCP estimates round trips (RFC 6298), which fade: how long it took under a load says
/// little once that is over, and nothing else would tell.
struct ReturnTime: Sendable {
    /// The share of an SLO that it takes at most.
    private static let largestShare: Int64 = 10
    /// After how long without outcomes half of what is known counts.
    private static let halfLife = Duration.milliseconds(500)
    /// In so short a time nothing fades: every query asks.
    private static let lasting = Duration.milliseconds(2)

    private var mean = 0.0
    private var deviation = 0.0
    private var noted: MonotonicTime?

    /// Outcomes have taken so long.
    mutating func note(_ duration: Duration, now: MonotonicTime) {
        let share = share(now: now)
        mean *= share
        deviation *= share
        noted = now
        let nanoseconds = Double(duration.wholeNanoseconds)
        deviation += (abs(nanoseconds - mean) - deviation) / 4
        mean += (nanoseconds - mean) / 8
    }

    /// What to take off a query's time.
    func allowance(within time: Duration, now: MonotonicTime) -> Duration {
        let taken = min((mean + 4 * deviation) * share(now: now), 1e15)
        return .nanoseconds(min(Int64(taken), time.wholeNanoseconds / Self.largestShare))
    }

    /// What counts of what was known.
    private func share(now: MonotonicTime) -> Double {
        guard let noted, now - noted > Self.lasting else { return 1 }
        return exp2(-((now - noted) / Self.halfLife))
    }
}
