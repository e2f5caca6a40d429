import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

@Suite("How often queries come")
struct ArrivalRateTests {
    private var rate = ArrivalRate()
    private var now = at(.zero)

    private mutating func arrive(_ count: Int, every gap: Duration) {
        for _ in 0..<count {
            now += gap
            rate.note(now: now)
        }
    }

    /// The expected gap in milliseconds.
    private func gap(after silence: Duration = .zero) throws -> Double {
        try #require(rate.expectedGap(now: now + silence)) / .milliseconds(1)
    }

    @Test("Before the first query there is no rate, and before the second one no gap")
    mutating func startsUnknown() {
        #expect(rate.perSecond(now: now) == 0)
        #expect(rate.expectedGap(now: now) == nil)
        rate.note(now: now)
        #expect(rate.expectedGap(now: now + .seconds(1)) == nil)
        #expect(rate.perSecond(now: now) > 0)
    }

    @Test("Regular queries have the rate and the gap that they come with", arguments: [0.02, 1, 40])
    mutating func measuresRegular(milliseconds: Double) throws {
        arrive(Int(6000 / milliseconds), every: .milliseconds(milliseconds))
        #expect(abs(try gap() / milliseconds - 1) < 0.01)
        #expect(abs(rate.perSecond(now: now) * milliseconds / 1000 - 1) < 0.05)
    }

    @Test("Of queries that come by chance it has the means", arguments: 1...5 as ClosedRange<UInt64>)
    mutating func measuresRandom(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var rates = 0.0
        var gaps = 0.0
        for step in 0..<20_000 {
            now += .milliseconds(-2 * log(1 - Double.random(in: 0..<1, using: &generator)))
            rate.note(now: now)
            guard step >= 2000 else { continue }
            rates += rate.perSecond(now: now) / 18_000
            gaps += try gap() / 18_000
        }
        #expect(abs(rates / 500 - 1) < 0.05)
        #expect(abs(gaps / 2 - 1) < 0.05)
    }

    @Test("In silence the rate falls and the expected gap grows")
    mutating func decays() throws {
        arrive(5000, every: .milliseconds(1))
        #expect(rate.perSecond(now: now + .seconds(1)) < 0.4 * rate.perSecond(now: now))
        #expect(rate.perSecond(now: now + .seconds(60)) < 0.001)
        #expect(try gap(after: .seconds(60)) == 60_000)
    }

    @Test("Queries that come together count one by one for the rate, and once for the gap")
    mutating func countsBurstOnce() throws {
        for _ in 0..<20 {
            now += .seconds(1)
            for _ in 0..<100 { rate.note(now: now) }
        }
        #expect(abs(try gap() / 1000 - 1) < 0.01)
        let mean = (0..<100).reduce(0.0) { $0 + rate.perSecond(now: now + .milliseconds($1 * 10)) / 100 }
        #expect(abs(mean / 100 - 1) < 0.05)
    }

    @Test("A count is as good as so many queries")
    mutating func takesCounts() {
        var other = ArrivalRate()
        for _ in 0..<50 {
            now += .milliseconds(3)
            for _ in 0..<7 { rate.note(now: now) }
            other.note(now: now, count: 7)
        }
        #expect(abs(rate.perSecond(now: now) - other.perSecond(now: now)) < 1e-6)
        #expect(rate.expectedGap(now: now) == other.expectedGap(now: now))
    }

    @Test("One long silence doesn't make the next queries rare")
    mutating func forgetsSilence() throws {
        arrive(1000, every: .milliseconds(1))
        now += .seconds(60)
        arrive(20, every: .milliseconds(1))
        #expect(try gap() < 1.5)
    }

    @Test("A few dozen queries show that they come more often or more seldom", arguments: [(1000, 1), (1, 1000)])
    mutating func follows(before: Int, after: Int) throws {
        arrive(1000, every: .milliseconds(before))
        arrive(150, every: .milliseconds(after))
        #expect(abs(try gap() / Double(after) - 1) < 0.1)
    }

    @Test("A clock that stands still, a count of nothing and the end of time do no harm")
    mutating func withstandsAnything() throws {
        arrive(10, every: .milliseconds(1))
        let before = rate.perSecond(now: now)
        rate.note(now: now, count: 0)
        rate.note(now: now, count: -5)
        #expect(rate.perSecond(now: now) == before)
        rate.note(now: at(.zero))
        #expect(abs(try gap() - 1) < 0.01)
        #expect(rate.perSecond(now: at(.zero)).isFinite)
        #expect(rate.perSecond(now: .distantFuture) == 0)
        rate.note(now: .distantFuture)
        #expect(rate.perSecond(now: .distantFuture).isFinite)
        #expect(try #require(rate.expectedGap(now: .distantFuture)) > .zero)
    }
}
