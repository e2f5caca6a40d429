import ContainerRPC
import Histogram

/// How values of one kind were distributed: an HDR histogram of two significant digits, and their sum.
struct Distribution: Sendable {
    private let highest: UInt64
    /// One, or none before the first value: most of what could be asked never is. An array, because the histogram in an
    /// optional takes three times as long to change.
    private var histograms: [Histogram<UInt64>] = []
    private(set) var sum: UInt64 = 0

    /// - Parameter largest: the largest value that is told apart; larger ones count as this.
    init(largest: UInt64) {
        highest = largest
    }

    /// Times in microseconds, up to an hour.
    static var microseconds: Distribution { Distribution(largest: 3_600_000_000) }

    /// Batch sizes.
    static var sizes: Distribution { Distribution(largest: 1_000_000) }

    mutating func record(_ value: Int) {
        let value = min(UInt64(max(0, value)), highest)
        if histograms.isEmpty { histograms.append(emptyHistogram) }
        _ = histograms[0].record(value)
        sum += value
    }

    mutating func record(_ duration: Duration) {
        record(Int(duration.wholeNanoseconds / 1000))
    }

    /// Records the time between two points, without the 128-bit arithmetic of a `Duration`.
    mutating func record(from start: MonotonicTime, to end: MonotonicTime) {
        let (nanoseconds, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
        record(overflow ? .max : Int(nanoseconds / 1000))
    }

    /// Adds the values of another one of the same kind.
    mutating func add(_ other: Distribution) {
        guard let added = other.histogram, highest == other.highest else { return }
        if histograms.isEmpty {
            histograms = [added]
        } else {
            histograms[0].add(added)
        }
        sum += other.sum
    }

    private var histogram: Histogram<UInt64>? { histograms.first }

    private var emptyHistogram: Histogram<UInt64> {
        Histogram(lowestDiscernibleValue: 1, highestTrackableValue: highest, numberOfSignificantValueDigits: .two)
    }

    var count: UInt64 { histogram?.totalCount ?? 0 }
    var smallest: UInt64 { histogram?.min ?? 0 }
    var largest: UInt64 { histogram?.maxRecorded ?? 0 }
    var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
    var standardDeviation: Double { histogram?.stdDeviation ?? 0 }

    func percentile(_ percentile: Double) -> UInt64 {
        histogram?.valueAtPercentile(percentile) ?? 0
    }

    /// How many values are at most each of these bounds, which rise.
    func cumulativeCounts(upTo bounds: [UInt64]) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: bounds.count)
        guard let histogram else { return counts }
        for entry in histogram.recordedValues() {
            // It tells the largest value that it takes for the same: a bound that is among those counts it.
            let value = histogram.lowestEquivalentForValue(entry.value)
            guard let index = bounds.firstIndex(where: { value <= $0 }) else { continue }
            counts[index] += UInt64(entry.count)
        }
        for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
        return counts
    }
}
