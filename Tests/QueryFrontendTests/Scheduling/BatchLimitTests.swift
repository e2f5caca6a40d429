import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The limit of a replica's batches")
struct BatchLimitTests {
    /// A replica that always has more queries than a batch may hold, each with the same budget.
    private struct Loop {
        var limit: BatchLimit
        var model = LatencyModel()
        var batches: SimulatedLatency
        var budget: Duration
        var sizes: [Int] = []
        var late = 0

        mutating func run(_ count: Int, slowedBy factor: Double = 1) {
            for _ in 0..<count {
                let size = limit.limit(budget: budget, model: model)
                let latency = batches.batch(of: size) * factor
                sizes.append(size)
                if latency > budget { late += 1 }
                model.record(size: size, duration: latency)
                limit.completed(size: size, duration: latency, wasInTime: latency <= budget)
            }
        }

        /// The largest batch of which 95 % are within the budget.
        var best: Double {
            ((budget / .milliseconds(1)) / batches.slowFactor - batches.intercept) / batches.slope
        }

        /// The mean size of the last batches, compared with the best one.
        func share(ofLast count: Int) -> Double {
            Double(sizes.suffix(count).reduce(0, +)) / Double(count) / best
        }
    }

    private static let noises: [SimulatedLatency.Noise] = [
        .none, .gaussian(0.05), .lognormal(0.05), .lognormal(0.1),
    ]
    private static let seeds = 1...10 as ClosedRange<UInt64>

    /// A model that has seen such batches of 1 to 60 queries.
    private func learned(_ batches: SimulatedLatency, count: Int = 100) -> LatencyModel {
        var batches = batches
        var model = LatencyModel()
        for index in 0..<count {
            let size = index % 60 + 1
            model.record(size: size, duration: batches.batch(of: size))
        }
        return model
    }

    // MARK: Deadlines

    @Test("A replica of which nothing is known gets one query")
    func startsWithOne() {
        let limit = BatchLimit(Batching())
        #expect(limit.limit(budget: .seconds(1), model: LatencyModel()) == 1)
        #expect(limit.largestInTime(of: .seconds(1), model: LatencyModel()) == 1)
    }

    @Test("A batch is as large as its slow latency lets it be")
    func fitsSlowLatency() {
        let model = learned(SimulatedLatency(4, 0.1, .lognormal(0.1)))
        let size = BatchLimit(Batching()).limit(budget: .milliseconds(8), model: model)
        #expect(size > 10)
        #expect(model.slow(size) <= .milliseconds(8))
        #expect(model.slow(size + 1) >= .milliseconds(8))
    }

    @Test("Where more wait than its slow latency lets in, a batch is as large as its expected latency lets it be")
    func fitsExpectedLatencyUnderPressure() {
        let model = learned(SimulatedLatency(4, 0.1, .lognormal(0.1)))
        let limit = BatchLimit(Batching())
        let safe = limit.limit(budget: .milliseconds(8), model: model)
        #expect(limit.limit(budget: .milliseconds(8), model: model, waiting: safe) == safe)
        let size = limit.limit(budget: .milliseconds(8), model: model, waiting: safe + 1)
        #expect(size > safe)
        #expect(model.expected(size) <= .milliseconds(8))
        #expect(model.expected(size + 1) >= .milliseconds(8))
    }

    @Test("Where a slow batch of one is late already, it is as large as its expected latency lets it be")
    func fallsBackToExpectedLatency() {
        let model = learned(SimulatedLatency(4, 0.1, .lognormal(0.3)))
        let budget = model.slow(1) - .microseconds(1)
        let size = BatchLimit(Batching()).limit(budget: budget, model: model)
        #expect(size == model.largestSize(within: budget, slow: false))
        #expect(size > 1)
    }

    @Test(
        "After a batch that was too large for the replica it gets half as many, and more again once those were answered"
    )
    func refused() {
        let model = learned(SimulatedLatency(4, 0.1))
        for limit in [Batching.Limit.deadline, .fixed(64)] {
            var limit = BatchLimit(Batching(limit: limit))
            func size() -> Int { limit.limit(budget: .milliseconds(20), model: model) }
            let before = size()
            #expect(before > 50)
            limit.refused(size: 50)
            #expect(size() == 25)
            limit.refused(size: 2)
            #expect(size() == 1)
            var answered = 0
            while size() < 2, answered < 1000 {
                limit.completed(size: 1, duration: .milliseconds(1), wasInTime: true)
                answered += 1
            }
            #expect((16..<1000).contains(answered))
            for _ in 0..<1000 { limit.completed(size: size(), duration: .milliseconds(1), wasInTime: true) }
            #expect(size() == before)
        }
    }

    @Test(
        "One query that is too large by itself leaves the limit as it was once it is found, however often that happens")
    func refusedAlone() {
        let model = learned(SimulatedLatency(4, 0.1))
        var limit = BatchLimit(Batching())
        func size() -> Int { limit.limit(budget: .milliseconds(20), model: model) }
        let before = size()
        for _ in 0..<20 {
            for size in [128, 64, 32, 16, 8, 4, 2] {
                limit.refused(size: size)
                #expect(self.size(of: limit, model) == size / 2)
                // The other half, which it was not in.
                limit.completed(size: size / 2, duration: .milliseconds(1), wasInTime: true)
            }
            limit.refused(size: 1)
            #expect(size() == before)
        }
        // What it costs where it is never found does not grow either: it is one search.
        for size in [128, 64, 32] { limit.refused(size: size) }
        for _ in 0..<3 * 64 { limit.completed(size: size(), duration: .milliseconds(1), wasInTime: true) }
        #expect(size() == before)
    }

    @Test(
        "Where one query after the other is too large by itself, what is tried grows with their number, not its square")
    func allTooLarge() {
        let model = learned(SimulatedLatency(4, 0.1))
        var limit = BatchLimit(Batching())
        var (waiting, sent) = (64, 0)
        while waiting > 0 {
            let size = min(waiting, size(of: limit, model))
            sent += size
            limit.refused(size: size)
            if size == 1 { waiting -= 1 }
        }
        #expect(sent < 64 * 6)
    }

    private func size(of limit: BatchLimit, _ model: LatencyModel) -> Int {
        limit.limit(budget: .milliseconds(20), model: model)
    }

    @Test("A batch that cannot be in time holds one query", arguments: [-1000, 0, 1])
    func holdsAtLeastOne(budget: Int) {
        let model = learned(SimulatedLatency(4, 0.1))
        #expect(BatchLimit(Batching()).limit(budget: .milliseconds(budget), model: model) == 1)
    }

    @Test("Batches at most double, however much time there is")
    func growsByDoubling() {
        var loop = Loop(limit: BatchLimit(Batching()), batches: SimulatedLatency(4, 0.1), budget: .seconds(10))
        loop.run(8)
        #expect(loop.sizes == [1, 2, 4, 8, 16, 32, 64, 128])
    }

    @Test("No batch is larger than the model allows")
    func keepsLargestBatch() {
        var loop = Loop(
            limit: BatchLimit(Batching(maxBatch: 10)), batches: SimulatedLatency(4, 0.1), budget: .seconds(10))
        loop.run(20)
        #expect(loop.sizes.max() == 10)
        #expect(loop.limit.largestInTime(of: .seconds(10), model: loop.model) == 10)
    }

    @Test("Within 200 batches the best size is found", arguments: Self.noises, Self.seeds)
    private func converges(noise: SimulatedLatency.Noise, seed: UInt64) {
        var loop = Loop(
            limit: BatchLimit(Batching()), batches: SimulatedLatency(4, 0.1, noise, seed: seed),
            budget: .milliseconds(20))
        loop.run(200)
        #expect(abs(loop.share(ofLast: 50) - 1) < 0.1)
    }

    @Test("Within 100 batches it follows a model that becomes slower or faster", arguments: [3, 1.0 / 3], Self.seeds)
    func followsChange(factor: Double, seed: UInt64) {
        var loop = Loop(
            limit: BatchLimit(Batching()), batches: SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed),
            budget: .milliseconds(40))
        loop.run(300)
        loop.batches.intercept *= factor
        loop.batches.slope *= factor
        loop.run(150)
        #expect(abs(loop.share(ofLast: 50) - 1) < 0.1)
    }

    @Test("A first batch that takes 50 times as long costs a few batches only", arguments: Self.seeds)
    func startsAfterWarmUp(seed: UInt64) {
        var loop = Loop(
            limit: BatchLimit(Batching()), batches: SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed),
            budget: .milliseconds(20))
        loop.run(1, slowedBy: 50)
        loop.run(199)
        #expect(abs(loop.share(ofLast: 50) - 1) < 0.1)
        #expect(Double(loop.sizes.prefix(40).max() ?? 0) > 0.8 * loop.best)
    }

    @Test("A heavy tail doesn't keep batches small", arguments: Self.seeds)
    func withstandsHeavyTail(seed: UInt64) {
        var loop = Loop(
            limit: BatchLimit(Batching()), batches: SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed),
            budget: .milliseconds(20))
        loop.batches.interrupted = (share: 0.02, factor: 20)
        loop.run(400)
        #expect(abs(loop.share(ofLast: 200) - 1) < 0.1)
    }

    @Test("A batch in twenty is late where all that time is used", arguments: Self.seeds)
    func isLateAsOftenAsItMay(seed: UInt64) {
        var loop = Loop(
            limit: BatchLimit(Batching()), batches: SimulatedLatency(4, 0.1, .gaussian(0.05), seed: seed),
            budget: .milliseconds(20))
        loop.run(100)
        loop.late = 0
        loop.run(1000)
        #expect((20...100).contains(loop.late))
    }

    @Test("Where two queries take twice as long as one, larger batches are tried seldom")
    func triesSeldom() {
        var loop = Loop(
            limit: BatchLimit(Batching()), batches: SimulatedLatency(0, 12, .gaussian(0.05)), budget: .milliseconds(20))
        loop.run(2000)
        #expect(loop.late > 0)
        #expect(loop.late < 20)
    }

    // MARK: What can be in time at all

    @Test("The largest batch that is in time takes no longer than the SLO, if it takes what is expected")
    func findsLargestInTime() {
        let limit = BatchLimit(Batching())
        let model = learned(SimulatedLatency(4, 0.1))
        #expect((159...160).contains(limit.largestInTime(of: .milliseconds(20), model: model)))
        let noisy = learned(SimulatedLatency(4, 0.1, .lognormal(0.1)))
        let size = limit.largestInTime(of: .milliseconds(20), model: noisy)
        #expect(noisy.expected(size) <= .milliseconds(20))
        #expect(noisy.expected(size + 1) >= .milliseconds(20))
    }

    @Test("It may be far beyond what was seen, and is at least one")
    func extrapolatesLargestInTime() {
        let limit = BatchLimit(Batching())
        let model = learned(SimulatedLatency(4, 0.1), count: 20)
        #expect(abs(limit.largestInTime(of: .milliseconds(50), model: model) - 460) < 20)
        #expect(limit.largestInTime(of: .milliseconds(1), model: model) == 1)
    }

    @Test("A limit that is not learned from latencies is what it is here, too")
    func usesPresentLimit() {
        let model = learned(SimulatedLatency(4, 0.1))
        #expect(BatchLimit(Batching(limit: .fixed(7))).largestInTime(of: .milliseconds(20), model: model) == 7)
        var aimd = BatchLimit(Batching(limit: .aimd(increase: 4, backoff: 0.9)))
        #expect(aimd.largestInTime(of: .milliseconds(20), model: model) == 1)
        aimd.completed(size: 1, duration: .milliseconds(1), wasInTime: true)
        #expect(aimd.largestInTime(of: .milliseconds(20), model: model) == 5)
    }

    // MARK: A fixed size

    @Test("A fixed limit is what it is, between one and the model's largest batch")
    func keepsFixedSize() {
        func limit(_ size: Int) -> Int {
            BatchLimit(Batching(limit: .fixed(size), maxBatch: 100)).limit(
                budget: .milliseconds(1), model: LatencyModel())
        }
        #expect(limit(64) == 64)
        #expect(limit(1000) == 100)
        #expect(limit(0) == 1)
        #expect(limit(-5) == 1)
    }

    // MARK: AIMD

    private func aimd(_ increase: Int, _ backoff: Double, maxBatch: Int = 4096) -> BatchLimit {
        BatchLimit(Batching(limit: .aimd(increase: increase, backoff: backoff), maxBatch: maxBatch))
    }

    private func present(_ limit: BatchLimit) -> Int { limit.limit(budget: .zero, model: LatencyModel()) }

    @Test("AIMD finds the largest batch that is in time, and stays a little below it")
    func oscillates() {
        var loop = Loop(limit: aimd(2, 0.9), batches: SimulatedLatency(4, 0.1), budget: .milliseconds(20))
        loop.run(100)
        loop.sizes = []
        loop.run(200)
        #expect(loop.sizes.allSatisfy { (144...162).contains($0) })
        #expect(loop.sizes.contains { $0 > 160 })
        #expect(loop.share(ofLast: 200) > 0.9)
    }

    @Test("AIMD follows a model that becomes three times slower")
    func backsOff() {
        var loop = Loop(limit: aimd(2, 0.9), batches: SimulatedLatency(4, 0.1), budget: .milliseconds(40))
        loop.run(300)
        loop.batches.intercept *= 3
        loop.batches.slope *= 3
        loop.run(100)
        #expect(loop.sizes.suffix(50).allSatisfy { Double($0) < loop.best * 1.05 && Double($0) > loop.best * 0.8 })
    }

    @Test("Only a full batch that was in time raises AIMD's limit")
    func raisesWhenFull() {
        var limit = aimd(10, 0.5)
        limit.completed(size: 1, duration: .milliseconds(1), wasInTime: true)
        #expect(present(limit) == 11)
        limit.completed(size: 10, duration: .milliseconds(1), wasInTime: true)
        #expect(present(limit) == 11)
        limit.completed(size: 11, duration: .milliseconds(1), wasInTime: true)
        #expect(present(limit) == 21)
    }

    @Test("Late batches lower AIMD's limit, not below one")
    func lowersWhenLate() {
        var limit = aimd(10, 0.5)
        limit.completed(size: 1, duration: .milliseconds(1), wasInTime: true)
        limit.completed(size: 3, duration: .milliseconds(1), wasInTime: false)
        #expect(present(limit) == 5)
        for _ in 0..<20 { limit.completed(size: 1, duration: .milliseconds(1), wasInTime: false) }
        #expect(present(limit) == 1)
        limit.completed(size: 1, duration: .milliseconds(1), wasInTime: true)
        #expect(present(limit) == 11)
    }

    @Test("AIMD's limit stays between one and the model's largest batch, whatever its settings are")
    func boundsAIMD() {
        for backoff in [-1, 0, 2, Double.nan, .infinity, -.infinity] {
            for increase in [-3, 0, 1, Int.max] {
                var limit = aimd(increase, backoff, maxBatch: 50)
                for step in 0..<100 {
                    limit.completed(size: present(limit), duration: .milliseconds(1), wasInTime: step % 7 != 0)
                    #expect((1...50).contains(present(limit)))
                }
            }
        }
    }

    // MARK: Other settings

    @Test("Settings that change while AIMD runs leave it where it is")
    func adoptsSettings() {
        var limit = aimd(10, 0.5)
        limit.completed(size: 1, duration: .milliseconds(1), wasInTime: true)
        limit.adopt(Batching(limit: .aimd(increase: 1, backoff: 0.9)))
        #expect(present(limit) == 11)
        limit.completed(size: 11, duration: .milliseconds(1), wasInTime: true)
        #expect(present(limit) == 12)
        limit.adopt(Batching(limit: .aimd(increase: 1, backoff: 0.9), maxBatch: 5))
        #expect(present(limit) == 5)
        limit.adopt(Batching(limit: .fixed(64)))
        #expect(present(limit) == 64)
        limit.adopt(Batching())
        #expect(present(limit) == 1)
    }

    @Test("A limit other than AIMD's doesn't depend on how batches went")
    func ignoresCompletion() {
        var limit = BatchLimit(Batching(limit: .fixed(8)))
        limit.completed(size: 8, duration: .milliseconds(1), wasInTime: false)
        #expect(present(limit) == 8)
        let model = learned(SimulatedLatency(4, 0.1))
        var deadline = BatchLimit(Batching())
        let before = deadline.limit(budget: .milliseconds(8), model: model)
        deadline.completed(size: before, duration: .milliseconds(1), wasInTime: false)
        #expect(deadline.limit(budget: .milliseconds(8), model: model) == before)
    }
}
