import ContainerRPC
import Histogram

/// How values of one kind were distributed since the start: an HDR histogram of two significant digits, and their sum.
struct Distribution: Sendable {
    private var histogram: Histogram<UInt64>
    private(set) var sum: UInt64 = 0

    /// - Parameter largest: the largest value that is told apart; larger ones count as this.
    init(largest: UInt64) {
        histogram = Histogram(
            lowestDiscernibleValue: 1, highestTrackableValue: largest, numberOfSignificantValueDigits: .two)
    }

    /// Latencies in microseconds, up to an hour.
    static var microseconds: Distribution { Distribution(largest: 3_600_000_000) }

    /// Batch sizes.
    static var sizes: Distribution { Distribution(largest: 1_000_000) }

    mutating func record(_ value: Int) {
        let value = min(UInt64(max(0, value)), histogram.highestTrackableValue)
        _ = histogram.record(value)
        sum += value
    }

    mutating func record(_ duration: Duration) {
        record(Int(duration.wholeNanoseconds / 1000))
    }

    var count: UInt64 { histogram.totalCount }
    var smallest: UInt64 { count == 0 ? 0 : histogram.min }
    var largest: UInt64 { count == 0 ? 0 : histogram.maxRecorded }
    var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
    var standardDeviation: Double { count == 0 ? 0 : histogram.stdDeviation }

    func percentile(_ percentile: Double) -> UInt64 {
        count == 0 ? 0 : histogram.valueAtPercentile(percentile)
    }

    /// How many values are at most each of these bounds, which rise.
    func cumulativeCounts(upTo bounds: [UInt64]) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: bounds.count)
        for entry in histogram.recordedValues() {
            guard let index = bounds.firstIndex(where: { entry.value <= $0 }) else { continue }
            counts[index] += UInt64(entry.count)
        }
        for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
        return counts
    }
}
