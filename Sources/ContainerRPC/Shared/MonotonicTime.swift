/// A point in time on a clock that never goes back, as whole nanoseconds since an unnamed origin.
///
/// State machines take it as an argument and never read a clock. It is half the size of
/// `ContinuousClock.Instant` and compares as one integer, which matters where every query is ordered by it.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the origin.
    public var nanoseconds: Int64

    /// The time so many nanoseconds after the origin.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A time that is never reached.
    public static let distantFuture = MonotonicTime(nanoseconds: .max)
    /// Before every time that a clock shows.
    public static let distantPast = MonotonicTime(nanoseconds: .min)

    @inlinable
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The time a duration later; stays at `distantFuture` or `distantPast` instead of overflowing.
    @inlinable
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return MonotonicTime(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// The time a duration earlier, with the same bounds.
    @inlinable
    public static func - (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        time + (.zero - duration)
    }

    /// The duration from `right` to `left`.
    @inlinable
    public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
        Duration(wholeNanoseconds: left.nanoseconds - right.nanoseconds)
    }

    /// Moves the time on by a duration, with the same bounds.
    @inlinable
    public static func += (time: inout MonotonicTime, duration: Duration) {
        time = time + duration
    }
}

extension Duration {
    /// So many nanoseconds. `nanoseconds(_:)` takes any integer, and ten times as long for it.
    @inlinable
    package init(wholeNanoseconds nanoseconds: Int64) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(secondsComponent: seconds, attosecondsComponent: rest * 1_000_000_000)
    }

    /// The duration in nanoseconds, without a fraction, clamped to what 64 bits hold (292 years).
    @inlinable
    package var wholeNanoseconds: Int64 {
        // Up to nine seconds need no division of 128 bits.
        if let short = Int64(exactly: attoseconds) { return short / 1_000_000_000 }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration in microseconds, without a fraction, clamped to what 64 bits hold: the unit of the frontend's APIs and of
    /// its store.
    package var wholeMicroseconds: Int64 {
        Int64(clamping: attoseconds / 1_000_000_000_000)
    }

    /// The duration in seconds, to the nanosecond: the number that is nearest to it.
    @inlinable
    package var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
