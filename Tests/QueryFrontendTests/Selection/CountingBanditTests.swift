import Testing

@testable import QueryFrontend

@Suite("Bandits that count losses: epsilonGreedy, ucb1 and thompson")
struct CountingBanditTests {
    @Test("epsilonGreedy explores with its share of the queries, and takes the best with the rest")
    func explores() {
        var world = PolicyWorld(EpsilonGreedyPolicy(epsilon: 0.2), [0.9, 0.1, 0.9, 0.9])
        world.errorRate(of: 2_000)
        let counts = world.selections(in: 10_000)
        for place in [0, 2, 3] { #expect(abs(Double(counts[place]) / 10_000 - 0.05) < 0.01) }
        #expect(abs(Double(counts[1]) / 10_000 - 0.85) < 0.02)
    }

    @Test("epsilonGreedy without exploration keeps to the best")
    func doesNotExplore() {
        var world = PolicyWorld(EpsilonGreedyPolicy(epsilon: 0), [0, 1])
        world.policy.observe(
            SelectionFeedback([.init(model: "a", loss: 0), .init(model: "b", loss: 1)], models: world.names),
            state: &world.state)
        #expect(world.selections(in: 1_000) == [1_000, 0])
    }

    @Test("epsilonGreedy notices a model that fails after long experience")
    func followsChange() {
        var world = PolicyWorld(EpsilonGreedyPolicy(), [0.05, 0.3])
        world.errorRate(of: 5_000)
        world.models[0].error = 0.9
        world.errorRate(of: 200)
        #expect(world.weights[1] > 0.9)
    }

    @Test("ucb1 tries every model before long", arguments: 1...5 as ClosedRange<UInt64>)
    func triesAll(seed: UInt64) {
        var world = PolicyWorld(UCB1Policy(), [0, 1, 1, 1, 1], seed: seed)
        #expect(world.selections(in: 60).allSatisfy { $0 > 0 })
    }

    @Test("ucb1 leaves half of the queries to the others while a model has never answered")
    func leavesSilentModel() {
        var world = PolicyWorld(UCB1Policy(), [0.1, 0.1])
        world.policy.observe(
            SelectionFeedback([.init(model: "a", loss: 0)], models: world.names), state: &world.state)
        let silent = (0..<1_000).count { _ in world.select().members[0].model == 1 }
        #expect((400...600).contains(silent))
    }

    @Test("ucb1's regret grows with the logarithm of the queries", arguments: 1...3 as ClosedRange<UInt64>)
    func regretIsLogarithmic(seed: UInt64) {
        var world = PolicyWorld(UCB1Policy(), [0.5, 0.2, 0.6], seed: seed)
        let first = world.selections(in: 5_000)
        let second = world.selections(in: 15_000)
        // The bound of the paper's theorem 1 on how often a worse model is chosen: 8 ln n / gap² + 1 + π²/3.
        #expect(Double(first[0] + second[0]) < 8 * 9.9 / 0.09 + 5)
        #expect(Double(first[2] + second[2]) < 8 * 9.9 / 0.16 + 5)
        // Three times as many queries cost less than the first ones did.
        #expect(second[0] + second[2] < first[0] + first[2])
    }

    @Test("So does it where losses are no shares, and the worse model is seldom tried")
    func regretIsLogarithmicInAnyUnit() {
        let policy = UCB1Policy()
        var state = policy.initialState()
        var random = SelectionRandom(seed: 1)
        var worse = 0
        for _ in 0..<20_000 {
            let query = SelectionQuery(application: "app", models: ["a", "b"], loss: .absolute)
            let chosen = policy.select(query, state: state, using: &random).members[0].model
            worse += chosen
            policy.observe(
                SelectionFeedback(
                    [.init(model: query.models[chosen], loss: chosen == 1 ? 120 : 100)], models: query.models,
                    loss: .absolute), state: &state)
        }
        // The bound for a gap of a sixth of the largest loss.
        #expect(Double(worse) < 8 * 9.9 * 36 + 5)
        #expect(worse < 1_500)
    }

    @Test("thompson finds the best model by zero-one losses", arguments: 1...5 as ClosedRange<UInt64>)
    func findsBestByBeta(seed: UInt64) {
        var world = PolicyWorld(ThompsonPolicy(), [0.5, 0.4, 0.1, 0.6], seed: seed)
        world.errorRate(of: 1_000)
        #expect(world.selections(in: 1_000)[2] > 900)
        #expect(world.weights[2] > 0.9)
    }

    @Test("thompson finds the best model by losses of any size", arguments: [0.001, 1, 5_000])
    func findsBestByGaussian(cost: Double) {
        var world = PolicyWorld(ThompsonPolicy(), [0.5, 0.4, 0.1, 0.6])
        (world.loss, world.cost) = (.squared, cost)
        world.errorRate(of: 1_000)
        #expect(world.selections(in: 1_000)[2] > 850)
    }

    @Test("thompson draws from the Beta distribution: its mean and its variance")
    func drawsBeta() {
        var random = SelectionRandom(seed: 3)
        let draws = (0..<20_000).map { _ in random.beta(3, 7) }
        let mean = draws.reduce(0, +) / 20_000
        let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        #expect(abs(mean - 0.3) < 0.004)
        #expect(abs(variance - 0.21 / 11) < 0.001)
    }

    @Test("An outlier does not keep ucb1 from finding the best model")
    func forgetsOutlier() {
        var world = PolicyWorld(UCB1Policy(), [0.8, 0.1])
        (world.loss, world.cost) = (.absolute, 10)
        world.policy.observe(
            SelectionFeedback([.init(model: "b", loss: 1e6)], models: world.names, loss: .absolute),
            state: &world.state)
        world.errorRate(of: 5_000)
        let counts = world.selections(in: 1_000)
        #expect(counts[1] > 900)
    }

    @Test(
        "A model that is linked later is tried, and one that returns is remembered",
        arguments: ["epsilonGreedy", "ucb1", "thompson"])
    func makesRoom(name: String) throws {
        func run(_ policy: some SelectionPolicy) {
            var world = PolicyWorld(policy, [0.1, 0.6])
            world.errorRate(of: 500)
            world.models.append(("late", 0))
            #expect(world.selections(in: 1_000)[2] > 500)
            world.models.remove(at: 0)
            world.errorRate(of: 100)
            world.models.insert(("a", 0.1), at: 0)
            // It is known to be the second best, so it is not tried anew before the best.
            #expect(world.selections(in: 200)[2] > 100)
        }
        run(try SelectionPolicies.standard.policy(for: PolicyDescription(name)))
    }
}
