import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Distributions")
struct DistributionTests {
    @Test("An empty one is all zeros")
    func empty() {
        let values = Distribution.microseconds
        #expect(values.count == 0)
        #expect(
            [values.smallest, values.largest, values.sum, values.percentile(50), values.percentile(99)] == [
                0, 0, 0, 0, 0,
            ])
        #expect(values.mean == 0)
        #expect(values.standardDeviation == 0)
        #expect(values.cumulativeCounts(upTo: [1, 10]) == [0, 0])
    }

    @Test("It knows count, sum, mean and extremes")
    func summary() {
        var values = Distribution.sizes
        for value in [1, 2, 3, 10] { values.record(value) }
        #expect(values.count == 4)
        #expect(values.sum == 16)
        #expect(values.mean == 4)
        #expect(values.smallest == 1)
        #expect(values.largest == 10)
        #expect(abs(values.standardDeviation - 3.535) < 0.01)
    }

    @Test("Percentiles are right to one percent")
    func percentiles() {
        var values = Distribution.microseconds
        for value in 1...10_000 { values.record(value) }
        for percentile in [1.0, 25, 50, 95, 99] {
            let exact = percentile * 100
            #expect(abs(Double(values.percentile(percentile)) - exact) <= exact * 0.01 + 1)
        }
    }

    @Test("Durations count in whole microseconds")
    func durations() {
        var values = Distribution.microseconds
        values.record(.nanoseconds(1_999))
        values.record(.milliseconds(2))
        #expect(values.sum == 2001)
        #expect(values.smallest == 1)
    }

    @Test("What is out of range counts at its border")
    func clamps() {
        var values = Distribution.microseconds
        values.record(-5)
        values.record(.seconds(7200))
        #expect(values.count == 2)
        #expect(values.smallest == 0)
        #expect(values.sum >= 3_600_000_000)
        #expect(values.percentile(100) >= 3_500_000_000)
    }

    @Test("Cumulative counts tell how many values are at most each bound")
    func cumulative() {
        var values = Distribution.sizes
        for value in [1, 1, 2, 4, 5, 64, 5000] { values.record(value) }
        #expect(values.cumulativeCounts(upTo: [1, 2, 4, 8, 16, 32, 64]) == [2, 3, 4, 5, 5, 5, 6])
    }
}
