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

    @Test("A value at a bound counts there, however coarse values of its size are told apart", arguments: [256, 4096])
    func largeBounds(value: Int) {
        var values = Distribution.sizes
        values.record(value)
        values.record(value - 1)
        #expect(values.cumulativeCounts(upTo: [UInt64(value / 2), UInt64(value), UInt64(2 * value)]) == [0, 2, 2])
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

    @Test("A time between two points counts in whole microseconds, one that goes back as none")
    func points() {
        var values = Distribution.microseconds
        values.record(from: at(.seconds(1)), to: at(.seconds(1) + .nanoseconds(2_999)))
        values.record(from: at(.seconds(2)), to: at(.seconds(1)))
        #expect(values.count == 2)
        #expect(values.sum == 2)
    }

    @Test("Two that are added are as if all values had been recorded in one")
    func adds() {
        var (first, second, all) = (Distribution.sizes, Distribution.sizes, Distribution.sizes)
        for value in [1, 5, 7] {
            first.record(value)
            all.record(value)
        }
        for value in [2, 900] {
            second.record(value)
            all.record(value)
        }
        first.add(second)
        first.add(.sizes)
        #expect(first.count == 5)
        #expect(first.sum == all.sum)
        #expect([first.smallest, first.largest] == [1, all.largest])
        #expect(first.cumulativeCounts(upTo: [2, 7, 1000]) == [2, 4, 5])
        var empty = Distribution.sizes
        empty.add(second)
        #expect(empty.count == 2)
    }
}

@Suite("Distributions of late")
struct RecentDistributionTests {
    private var times = RecentDistribution(now: at(.zero))

    @Test("What came in the last window counts, and what is older than two does not")
    mutating func forgets() {
        times.record(.milliseconds(500), now: at(.seconds(1)))
        times.record(.milliseconds(1), now: at(.seconds(31)))
        #expect(times.recent(now: at(.seconds(31))).percentile(100) < 1100)
        #expect(times.recent(now: at(.seconds(44))).count == 1)
        times.record(.milliseconds(2), now: at(.seconds(46)))
        #expect(times.recent(now: at(.seconds(50))).count == 2)
    }

    @Test("Where nothing came of late, it is what came before")
    mutating func fallsBack() {
        times.record(.milliseconds(500), now: at(.seconds(1)))
        #expect(times.recent(now: at(.seconds(3600))).count == 1)
        #expect(RecentDistribution(now: at(.zero)).recent(now: at(.seconds(5))).count == 0)
    }

    @Test("Since the start, every value counts once, whenever it came")
    mutating func total() {
        var sum = 0
        for second in [0, 1, 14, 15, 29, 30, 31, 44, 100, 101, 116, 200, 500] {
            times.record(.microseconds(second + 1), now: at(.seconds(second)))
            sum += second + 1
        }
        #expect(times.total.count == 13)
        #expect(times.total.sum == UInt64(sum))
    }
}
