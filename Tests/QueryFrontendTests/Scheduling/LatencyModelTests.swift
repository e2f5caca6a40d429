import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The latency of a replica's batches")
struct LatencyModelTests {
    private var model = LatencyModel()

    private mutating func learn(_ count: Int, _ sizes: ClosedRange<Int>, from batches: inout SimulatedLatency) {
        for _ in 0..<count {
            let size = batches.size(in: sizes)
            model.record(size: size, duration: batches.batch(of: size))
        }
    }

    /// How far the expected latency is from the true one, as a share of it.
    private func error(at size: Int, _ batches: SimulatedLatency) -> Double {
        abs(model.expected(size) / .milliseconds(batches.expected(size)) - 1)
    }

    @Test("Before the first batch nothing is known")
    func startsUnknown() {
        #expect(!model.isKnown)
        #expect(model.expected(10) == .zero)
        #expect(model.slow(10) == .zero)
        #expect(model.largestSeen == 0)
    }

    @Test("The first batch is what all of its size are expected to take")
    mutating func believesTheFirst() {
        model.record(size: 4, duration: .milliseconds(8))
        #expect(model.isKnown)
        #expect(abs(model.expected(4) / .milliseconds(8) - 1) < 0.001)
        #expect(model.slow(4) > model.expected(4))
    }

    @Test("Without noise intercept and slope are found")
    mutating func findsLine() {
        var batches = SimulatedLatency(4, 0.1)
        learn(64, 1...60, from: &batches)
        #expect(abs(model.intercept / .milliseconds(4) - 1) < 0.01)
        #expect(abs(model.slope / .microseconds(100) - 1) < 0.01)
        #expect(model.slow(60) <= model.expected(60) * 1.01)
    }

    @Test(
        "With noise the expected latency is right throughout the sizes that were seen",
        arguments: 1...5 as ClosedRange<UInt64>)
    mutating func findsLineInNoise(seed: UInt64) {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed)
        learn(200, 1...60, from: &batches)
        for size in [1, 10, 30, 60] { #expect(error(at: size, batches) < 0.06) }
    }

    @Test("Batches of one to three queries tell enough for these sizes", arguments: 1...5 as ClosedRange<UInt64>)
    mutating func learnsFromSmallSizes(seed: UInt64) {
        var batches = SimulatedLatency(4, 0.5, .gaussian(0.03), seed: seed)
        learn(200, 1...3, from: &batches)
        for size in 1...3 { #expect(error(at: size, batches) < 0.04) }
        #expect(error(at: 6, batches) < 0.15)
    }

    @Test("Batches of one size tell the latency of this size, and the slope stays within what they allow")
    mutating func learnsFromOneSize() {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        learn(300, 20...20, from: &batches)
        #expect(error(at: 20, batches) < 0.04)
        #expect(model.slope >= .zero)
        #expect(model.slope * 20 <= model.expected(20))
        batches.intercept *= 3
        batches.slope *= 3
        learn(100, 20...20, from: &batches)
        #expect(error(at: 20, batches) < 0.06)
    }

    @Test("The slope stays as it was when all batches have one size from then on")
    mutating func keepsSlope() {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        learn(200, 1...60, from: &batches)
        learn(1000, 30...30, from: &batches)
        #expect(abs(model.slope / .microseconds(100) - 1) < 0.15)
    }

    @Test("A first batch that is much slower than all others is forgotten", arguments: [10.0, 50, 100])
    mutating func forgetsWarmUp(factor: Double) {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        model.record(size: 1, duration: batches.batch(of: 1) * factor)
        learn(3, 1...1, from: &batches)
        #expect(error(at: 1, batches) < 0.1)
        #expect(model.slow(1) < .milliseconds(6))
    }

    @Test("A single interrupted batch changes next to nothing")
    mutating func withstandsOutlier() {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        learn(100, 1...60, from: &batches)
        let expected = model.expected(30)
        let slow = model.slow(30)
        model.record(size: 30, duration: .milliseconds(700))
        #expect(abs(model.expected(30) / expected - 1) < 0.02)
        #expect(abs(model.slow(30) / slow - 1) < 0.1)
    }

    @Test("One interrupted batch among the first few isn't taken for the tail")
    mutating func doubtsEarlyOutlier() {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        learn(10, 1...60, from: &batches)
        model.record(size: 30, duration: .milliseconds(700))
        learn(1, 1...60, from: &batches)
        #expect(model.slow(30) < model.expected(30) * 1.5)
    }

    @Test("An interrupted batch of a size never seen before makes no slope")
    mutating func withstandsOutlierOfNewSize() {
        var batches = SimulatedLatency(12, 0.1, .gaussian(0.05))
        learn(1, 1...1, from: &batches)
        model.record(size: 2, duration: .milliseconds(240))
        learn(10, 1...1, from: &batches)
        #expect(error(at: 1, batches) < 0.1)
        #expect(model.expected(2) < model.expected(1) * 1.5)
    }

    @Test("A heavy tail leaves the expected latency where most batches are", arguments: 1...5 as ClosedRange<UInt64>)
    mutating func withstandsHeavyTail(seed: UInt64) {
        var batches = SimulatedLatency(4, 0.1, .lognormal(0.1), seed: seed)
        batches.interrupted = (share: 0.03, factor: 20)
        learn(200, 1...60, from: &batches)
        for size in [1, 30, 60] { #expect(error(at: size, batches) < 0.12) }
    }

    @Test("Two answers that were read at the same time don't mislead it")
    mutating func withstandsAnswersReadTogether() {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        for index in 0..<200 {
            let first = batches.batch(of: 30)
            let second = batches.batch(of: 30)
            let together = index % 20 == 0
            model.record(size: 30, duration: together ? first + second : first)
            model.record(size: 30, duration: together ? .zero : second)
        }
        #expect(error(at: 30, batches) < 0.04)
    }

    @Test(
        "A model that becomes slower or faster is followed within 100 batches", arguments: [3, 1.0 / 3],
        1...5 as ClosedRange<UInt64>)
    mutating func followsChange(factor: Double, seed: UInt64) {
        var batches = SimulatedLatency(4, 0.1, .lognormal(0.1), seed: seed)
        learn(300, 1...60, from: &batches)
        batches.intercept *= factor
        batches.slope *= factor
        learn(100, 1...60, from: &batches)
        for size in [1, 10, 30, 60] { #expect(error(at: size, batches) < 0.15) }
    }

    @Test("A few batches show that a model has become three times slower")
    mutating func noticesChangeSoon() {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05))
        learn(300, 1...60, from: &batches)
        batches.intercept *= 3
        batches.slope *= 3
        learn(8, 20...40, from: &batches)
        #expect(error(at: 30, batches) < 0.15)
    }

    @Test(
        "Batches of quite another size are not taken for a change of the model", arguments: 1...5 as ClosedRange<UInt64>
    )
    mutating func tellsSizeFromChange(seed: UInt64) {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed)
        learn(200, 60...60, from: &batches)
        learn(30, 5...5, from: &batches)
        #expect(error(at: 5, batches) < 0.1)
        #expect(error(at: 60, batches) < 0.1)
    }

    @Test("An intercept that grows alone is told from a slope that does", arguments: 1...5 as ClosedRange<UInt64>)
    mutating func tellsInterceptFromSlope(seed: UInt64) {
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed)
        learn(300, 1...60, from: &batches)
        batches.intercept = 12
        learn(100, 1...60, from: &batches)
        for size in [1, 30, 60] { #expect(error(at: size, batches) < 0.1) }
        batches.slope = 0.5
        learn(100, 1...60, from: &batches)
        for size in [1, 30, 60] { #expect(error(at: size, batches) < 0.1) }
    }

    @Test("About one batch in twenty is slower than slow, and as many are faster than fast")
    mutating func knowsItsQuantiles() {
        var batches = SimulatedLatency(4, 0.1, .lognormal(0.2))
        var slower = 0
        var faster = 0
        learn(64, 1...60, from: &batches)
        for _ in 0..<4000 {
            let size = batches.size(in: 1...60)
            let latency = batches.batch(of: size)
            if latency > model.slow(size) { slower += 1 }
            if latency < model.fast(size) { faster += 1 }
            model.record(size: size, duration: latency)
        }
        #expect((120...320).contains(slower))
        #expect((120...320).contains(faster))
    }

    @Test("Quantiles rise with their share and with the size")
    mutating func ordersQuantiles() {
        var batches = SimulatedLatency(4, 0.1, .lognormal(0.3))
        for count in 1...100 {
            learn(1, 1...60, from: &batches)
            let quantiles = [-1, 0, 0.05, 0.3, 0.5, 0.9, 0.95, 0.99, 1, 2].map { model.quantile($0, 30) }
            #expect(quantiles == quantiles.sorted(), "after \(count) batches")
            #expect(model.fast(30) <= model.expected(30))
            #expect(model.expected(30) <= model.slow(30))
            #expect(model.slow(30) <= model.slow(31))
        }
        #expect(model.quantile(.nan, 30) == model.quantile(0.5, 30))
    }

    @Test("The largest size within a budget is the last that fits", arguments: [true, false])
    mutating func findsLargestSize(slow: Bool) {
        var batches = SimulatedLatency(4, 0.1, .lognormal(0.1))
        learn(100, 1...60, from: &batches)
        for budget in stride(from: 6.0, through: 100, by: 0.37) {
            let size = model.largestSize(within: .milliseconds(budget), slow: slow)
            let fitting = slow ? model.slow(size) : model.expected(size)
            let next = slow ? model.slow(size + 1) : model.expected(size + 1)
            #expect(size >= 1)
            #expect(fitting <= .milliseconds(budget))
            #expect(next + .nanoseconds(1) >= .milliseconds(budget))
        }
        #expect(model.largestSize(within: .milliseconds(1), slow: slow) == 0)
        #expect(model.largestSize(within: .zero, slow: slow) == 0)
        #expect(model.largestSize(within: .milliseconds(-5), slow: slow) == 0)
    }

    @Test("The largest size seen is forgotten slowly")
    mutating func forgetsLargestSize() {
        var batches = SimulatedLatency(4, 0.1)
        learn(1, 100...100, from: &batches)
        learn(20, 1...1, from: &batches)
        #expect((80...99).contains(model.largestSeen))
        learn(2000, 1...1, from: &batches)
        #expect(model.largestSeen <= 2)
        learn(1, 50...50, from: &batches)
        #expect(model.largestSeen == 50)
    }

    @Test("A wrong slope doesn't keep batches at one query for ever")
    mutating func unlearnsSlope() {
        var batches = SimulatedLatency(1, 11)
        learn(100, 1...4, from: &batches)
        #expect(model.expected(2) > .milliseconds(22))
        learn(1500, 1...1, from: &batches)
        #expect(model.expected(2) < .milliseconds(18))
    }

    @Test(
        "Whatever is recorded, all latencies stay in order, and it recovers", arguments: 1...10 as ClosedRange<UInt64>)
    mutating func withstandsAnything(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let sizes = [Int.min, -1, 0, 1, 2, 3, 60, 1_000_000, Int.max]
        let durations: [Duration] = [
            .seconds(-1), .zero, .nanoseconds(1), .microseconds(3), .milliseconds(4), .seconds(1), .seconds(100_000),
            .seconds(Int64.max),
        ]
        for _ in 0..<150 {
            model.record(
                size: sizes.randomElement(using: &generator) ?? 1,
                duration: durations.randomElement(using: &generator) ?? .zero)
            for size in sizes {
                #expect(.zero <= model.fast(size))
                #expect(model.fast(size) <= model.expected(size))
                #expect(model.expected(size) <= model.slow(size))
            }
            for budget in durations {
                #expect((0...1_000_000).contains(model.largestSize(within: budget, slow: true)))
            }
            #expect((1...1_000_000).contains(model.largestSeen))
        }
        var batches = SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed)
        learn(200, 1...60, from: &batches)
        for size in [1, 30, 60] { #expect(error(at: size, batches) < 0.15) }
    }
}
