import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

@Suite("How soon the next query is expected")
struct ArrivalGapTests {
    private var arrivals = ArrivalGap()
    private var now = at(.zero)

    private mutating func arrive(_ count: Int, every gap: Duration) {
        for _ in 0..<count {
            now += gap
            arrivals.note(now: now)
        }
    }

    /// The expected gap in milliseconds.
    private func gap(after silence: Duration = .zero) throws -> Double {
        try #require(arrivals.expected(now: now + silence)) / .milliseconds(1)
    }

    @Test("Before the second query nothing is expected")
    mutating func startsUnknown() {
        #expect(arrivals.expected(now: now) == nil)
        arrivals.note(now: now)
        #expect(arrivals.expected(now: now + .seconds(1)) == nil)
    }

    @Test("Regular queries have the gap that they come with", arguments: [0.02, 1, 40])
    mutating func measuresRegular(milliseconds: Double) throws {
        arrive(Int(6000 / milliseconds), every: .milliseconds(milliseconds))
        #expect(abs(try gap() / milliseconds - 1) < 0.01)
    }

    @Test("Of queries that come by chance it has the mean", arguments: 1...5 as ClosedRange<UInt64>)
    mutating func measuresRandom(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var gaps = 0.0
        for step in 0..<20_000 {
            now += .milliseconds(-2 * log(1 - Double.random(in: 0..<1, using: &generator)))
            arrivals.note(now: now)
            if step >= 2000 { gaps += try gap() / 18_000 }
        }
        #expect(abs(gaps / 2 - 1) < 0.05)
    }

    @Test("In silence the expected gap grows")
    mutating func decays() throws {
        arrive(5000, every: .milliseconds(1))
        #expect(try gap(after: .seconds(60)) == 60_000)
    }

    @Test("Queries that come together count once")
    mutating func countsBurstOnce() throws {
        for _ in 0..<20 {
            now += .seconds(1)
            for _ in 0..<100 { arrivals.note(now: now) }
        }
        #expect(abs(try gap() / 1000 - 1) < 0.01)
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

    @Test("A clock that stands still and the end of time do no harm")
    mutating func withstandsAnything() throws {
        arrive(10, every: .milliseconds(1))
        arrivals.note(now: at(.zero))
        #expect(abs(try gap() - 1) < 0.01)
        arrivals.note(now: .distantFuture)
        #expect(try #require(arrivals.expected(now: .distantFuture)) > .zero)
    }
}
