import QueryFrontend
import Testing

@testable import clipper

@Suite("When requests are due")
struct ArrivalScheduleTests {
    private func times(_ process: ArrivalSchedule.Process, rate: Double, seed: UInt64 = 1, count: Int) -> [Int64] {
        var schedule = ArrivalSchedule(process: process, rate: rate, seed: seed)
        return (0..<count).map { _ in schedule.next() }
    }

    @Test("Constant arrivals are at equal distances, without drift")
    func isConstant() {
        let times = times(.constant, rate: 3000, count: 300_001)
        #expect(times.first == 0)
        #expect(times[1] == 333_333)
        #expect(times[3000] == 1_000_000_000)
        #expect(times.last == 100_000_000_000)
    }

    @Test("Poisson arrivals come at the rate in the mean", arguments: [50.0, 2000, 250_000])
    func keepsRate(rate: Double) throws {
        let count = 100_000
        let last = try #require(times(.poisson, rate: rate, count: count).last)
        // The time of the n-th arrival has a relative deviation of 1/√n, here 0.3 %.
        #expect(abs(Double(last) / 1e9 * rate / Double(count) - 1) < 0.015)
    }

    @Test("Poisson arrivals are as irregular as exponential intervals are")
    func isExponential() {
        let times = times(.poisson, rate: 1000, count: 100_001)
        let intervals = zip(times.dropFirst(), times).map { Double($0 - $1) / 1e6 }
        let mean = intervals.reduce(0, +) / 100_000
        let variance = intervals.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 100_000
        #expect(abs(variance.squareRoot() / mean - 1) < 0.02)
        // One in e is longer than the mean.
        #expect(abs(Double(intervals.count { $0 > 1 }) / 100_000 - 0.3679) < 0.01)
        #expect(intervals.allSatisfy { $0 >= 0 })
    }

    @Test("Equal seeds give equal arrivals, others give others")
    func isDeterministic() {
        #expect(times(.poisson, rate: 100, seed: 7, count: 50) == times(.poisson, rate: 100, seed: 7, count: 50))
        #expect(times(.poisson, rate: 100, seed: 7, count: 50) != times(.poisson, rate: 100, seed: 8, count: 50))
    }
}
