import Testing

@testable import QueryFrontend

/// The model takes 4 ms for a batch and 100 µs for each query in it, the SLO is 20 ms: in a steady state a batch holds what
/// came during the last one, and the unluckiest query waits for one batch and rides in the next. So a batch may take 10 ms,
/// holds 60 queries, and 6,000 queries a second are the most that can be had; one by one it would be 244.
@Suite("Scheduler: under a steady load")
struct SustainedLoadTests {
    @Test(
        "At nine tenths of the best possible rate, 99 in 100 queries are answered in time",
        arguments: [1, 2] as [UInt64])
    func nearCapacity(seed: UInt64) {
        let result = LoadedModel(tellsComputeTime: true, seed: seed).run(rate: 5400, for: .seconds(2))
        #expect(result.shareInTime > 0.99)
        #expect(result.goodput > 20 * 244)
    }

    @Test(
        "A replica that takes its time from one batch to the next does not get batches too early for that",
        arguments: [1, 2] as [UInt64])
    func slowTurn(seed: UInt64) {
        let model = LoadedModel(turn: .microseconds(300), tellsComputeTime: true, seed: seed)
        #expect(model.run(rate: 5000, for: .seconds(2)).shareInTime > 0.99)
    }

    @Test(
        "However much more comes, as many are served as before, and nobody waits longer", arguments: [12_000.0, 30_000])
    func overload(rate: Double) {
        let result = LoadedModel().run(rate: rate, for: .milliseconds(500))
        #expect(result.goodput > 0.95 * 5400)
        #expect(result.slowest <= .milliseconds(20))
    }

    @Test(
        "A model that is uneven does not make batches small, which would make it do less the more comes",
        arguments: [1, 2] as [UInt64])
    func unevenOverload(seed: UInt64) {
        let model = LoadedModel(
            wire: .microseconds(250), wireJitter: .microseconds(300), tellsComputeTime: true, jitter: 0.25,
            stallShare: 0.02, seed: seed)
        let capacity = model.run(rate: 6000, for: .seconds(1)).goodput
        #expect(model.run(rate: 18_000, for: .seconds(1)).goodput > 0.95 * capacity)
    }

    @Test("Most of those that are too many are told at once, at the door")
    func door() {
        let result = LoadedModel().run(rate: 30_000, for: .milliseconds(500))
        #expect(Double(result.door) > 0.7 * Double(result.offered - result.inTime))
    }

    @Test(
        "With AIMD and with a fixed size, too, an overload leaves goodput high",
        arguments: [
            Batching.Limit.aimd(increase: 2, backoff: 0.9), .fixed(64),
        ])
    func otherLimits(limit: Batching.Limit) {
        let result = LoadedModel(batching: Batching(limit: limit)).run(rate: 12_000, for: .seconds(1))
        #expect(result.goodput > 0.8 * 5400)
    }

    @Test("A few queries at a time are answered in the time that the model takes: nothing waits for company")
    func lightLoad() {
        let result = LoadedModel().run(rate: 20, for: .seconds(5))
        #expect(result.shareInTime == 1)
        #expect(result.slowest < .milliseconds(10))
    }

    @Test("Two replicas carry twice the load")
    func twoReplicas() {
        let result = LoadedModel(replicas: 2).run(rate: 10_800, for: .seconds(1))
        #expect(result.shareInTime > 0.98)
    }

    @Test(
        "Of requests of more inputs than can be in time, most of what can be is, each time",
        arguments: [1, 2, 3] as [UInt64])
    func bursts(seed: UInt64) {
        // 150 inputs take 19 ms, and 200 µs on their way.
        let model = LoadedModel(wireJitter: .microseconds(50), burst: 1000, seed: seed)
        let result = model.run(rate: 8, for: .seconds(10))
        let each = Double(result.inTime) / (Double(result.offered) / 1000)
        #expect(each > 120, "\(each) of each request")
    }

    @Test("A replica that is too slow for most of what waits takes nothing off a quick one, however much comes")
    func slowCompanion() {
        var model = LoadedModel(
            slo: .milliseconds(200), fixed: .milliseconds(1), perQuery: .microseconds(50), jitter: 0.05)
        let alone = model.run(rate: 30_000, for: .seconds(1))
        model.replicas = 2
        model.slower = .milliseconds(150)
        let both = model.run(rate: 30_000, for: .seconds(1))
        #expect(both.goodput > 0.98 * alone.goodput)
    }

    @Test(
        "A model that does less in large batches is not given them, below its capacity or above it",
        arguments: [(0.7, 0.95), (0.8, 0.93), (1.5, 0.42)], [1, 2, 3] as [UInt64])
    func stepwise(load: (share: Double, inTime: Double), seed: UInt64) {
        // 80 a second in batches of 8 and of 16, 58 in those of 32, less beyond.
        let model = LoadedModel(
            slo: .seconds(1),
            takes: { .milliseconds($0 <= 8 ? 100 : $0 <= 16 ? 200 : $0 <= 32 ? 550 : 1100 * (1 + $0 / 100)) },
            wire: .milliseconds(1), jitter: 0.02, seed: seed)
        let result = model.run(rate: 80 * load.share, for: .seconds(60))
        #expect(result.shareInTime > load.inTime)
    }

    @Test(
        "A model whose batches take ever longer for each query gets those that do most", arguments: [1, 2] as [UInt64])
    func square(seed: UInt64) {
        // 41 a second in batches of 24; 30 in those of 60.
        let model = LoadedModel(
            slo: .seconds(4), takes: { .milliseconds(300 + $0 * $0 / 2) }, wire: .milliseconds(1), seed: seed)
        let result = model.run(rate: 60, for: .seconds(300))
        #expect(result.goodput > 32)
    }

    @Test("Clients with little time do not make AIMD's batches small for all others")
    func impatientFew() {
        let model = LoadedModel(
            slo: .milliseconds(100), batching: Batching(limit: .aimd(increase: 1, backoff: 0.9)),
            impatient: (share: 0.1, slo: .milliseconds(10)))
        let result = model.run(rate: 3000, for: .seconds(3))
        #expect(result.shareInTime > 0.85)
    }
}
