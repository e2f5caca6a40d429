import Histogram

/// Durations in nanoseconds, to three significant digits (HdrHistogram).
struct LatencyHistogram: Sendable {
    /// An hour; longer durations count as this.
    private static let longest: UInt64 = 3_600_000_000_000

    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three)
    private var sum = 0.0

    /// How many durations were recorded.
    var count: Int { Int(histogram.totalCount) }

    /// Takes in a duration, in nanoseconds; a negative one counts as zero.
    mutating func record(_ nanoseconds: Int64) {
        let value = min(UInt64(max(0, nanoseconds)), Self.longest)
        histogram.record(value)
        sum += Double(value)
    }

    /// The duration, in microseconds, that this share of all does not exceed; 0 where nothing was recorded.
    func micros(atPercentile percentile: Double) -> Double {
        count == 0 ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1000
    }

    /// The mean in microseconds; 0 where nothing was recorded.
    var meanMicros: Double { count == 0 ? 0 : sum / Double(count) / 1000 }

    /// The whole distribution: pairs of a percentile and microseconds, eight for each further nine, as far as there are
    /// durations to tell them apart.
    var curve: [[Double]] {
        guard count > 0 else { return [] }
        var curve: [[Double]] = []
        var step = 0
        while true {
            let beyond = Double.exp10(-Double(step) / 8)
            guard beyond * Double(count) >= 1 || curve.isEmpty else { break }
            let percentile = (1 - beyond) * 100
            curve.append([percentile.rounded(places: 5), micros(atPercentile: percentile).rounded(places: 1)])
            step += 1
        }
        let last = [(100 - 100 / Double(count)).rounded(places: 5), micros(atPercentile: 100).rounded(places: 1)]
        if count > 1 {
            // The longest is there in any case, of a power of ten at the place of the last step.
            if curve.last?.first == last.first { curve.removeLast() }
            curve.append(last)
        }
        return curve
    }
}
