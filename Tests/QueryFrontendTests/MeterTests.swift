import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Rates")
struct MeterTests {
    private var meter = Meter(now: at(.zero))

    @Test("It counts events, and their rate since the start")
    mutating func counts() {
        meter.mark(now: at(.seconds(1)))
        meter.mark(9, now: at(.seconds(2)))
        #expect(meter.count == 10)
        #expect(meter.rate(now: at(.seconds(4))) == 2.5)
    }

    @Test("At the start there is no rate, and none that is not a number")
    mutating func start() {
        #expect(meter.rate(now: at(.zero)) == 0)
        let recent = meter.recentRate(now: at(.zero))
        #expect(recent == 0)
        meter.mark(now: at(.zero))
        #expect(meter.rate(now: at(.zero)) == 0)
    }

    @Test("Moving averages begin after five seconds, with the rate of those")
    mutating func movingRatesBegin() {
        meter.mark(50, now: at(.seconds(1)))
        let early = meter.movingRates(now: at(.milliseconds(4999)))
        #expect(early == nil)
        let later = meter.movingRates(now: at(.seconds(5)))
        #expect(later == [10, 10, 10])
    }

    @Test("The recent rate is that of the last half minute, or since the start")
    mutating func recentRate() {
        meter.mark(50, now: at(.seconds(1)))
        for (second, rate) in [(4, 12.5), (5, 10), (25, 2), (30, 50.0 / 30), (36, 0)] {
            let recent = meter.recentRate(now: at(.seconds(second)))
            #expect(recent == rate)
        }
        for second in 100..<140 { meter.mark(1000, now: at(.seconds(second))) }
        let recent = meter.recentRate(now: at(.seconds(140)))
        #expect(recent == 1000)
    }

    @Test("A steady rate is its own average")
    mutating func steady() throws {
        for second in 0..<600 { meter.mark(7, now: at(.seconds(second))) }
        let moving = meter.movingRates(now: at(.seconds(600)))
        let rates = try #require(moving)
        for rate in rates { #expect(abs(rate - 7) < 0.01) }
    }

    @Test("After the events stop, the averages fall, that of one minute the fastest")
    mutating func decays() throws {
        for second in 0..<600 { meter.mark(10, now: at(.seconds(second))) }
        _ = meter.movingRates(now: at(.seconds(600)))
        let moving = meter.movingRates(now: at(.seconds(660)))
        let rates = try #require(moving)
        // After a minute without events e⁻¹, e^(−1/5) and e^(−1/15) of the rate are left.
        #expect(abs(rates[0] - 3.679) < 0.05)
        #expect(abs(rates[1] - 8.187) < 0.05)
        #expect(abs(rates[2] - 9.355) < 0.05)
    }

    @Test("Being looked at changes nothing: the averages are the same as if nobody had looked")
    func looksAreFree() throws {
        var (watched, alone) = (Meter(now: at(.zero)), Meter(now: at(.zero)))
        for second in stride(from: 0, to: 300, by: 13) {
            watched.mark(5, now: at(.seconds(second)))
            alone.mark(5, now: at(.seconds(second)))
            for offset in 0..<13 { _ = watched.movingRates(now: at(.seconds(second + offset))) }
        }
        let (seen, unseen) = (watched.movingRates(now: at(.seconds(400))), alone.movingRates(now: at(.seconds(400))))
        for (left, right) in zip(try #require(seen), try #require(unseen)) { #expect(abs(left - right) < 1e-9) }
    }

    @Test("A year without a look is caught up with at once")
    mutating func catchesUp() throws {
        meter.mark(100, now: at(.seconds(1)))
        let moving = meter.movingRates(now: at(.seconds(365 * 86_400)))
        let rates = try #require(moving)
        #expect(rates.allSatisfy { $0 >= 0 && $0 < 1e-6 })
        meter.mark(50, now: at(.seconds(365 * 86_400 + 1)))
        #expect(meter.count == 150)
    }
}
