import Testing

@testable import QueryFrontend

@Suite("The policy exp3")
struct Exp3PolicyTests {
    @Test("Models are drawn with the probabilities that are told, and these are the weights that are reported")
    func drawsAsTold() {
        var world = PolicyWorld(Exp3Policy(), [0.3, 0.35, 0.4, 0.6])
        world.errorRate(of: 30)
        let weights = world.weights
        var counts = world.models.map { _ in 0 }
        for _ in 0..<10_000 {
            let member = world.select().members[0]
            #expect(member.probability == weights[member.model])
            counts[member.model] += 1
        }
        for (count, weight) in zip(counts, weights) { #expect(abs(Double(count) / 10_000 - weight) < 0.02) }
    }

    @Test("No model's probability is below its part of the exploration")
    func keepsExploring() {
        var world = PolicyWorld(Exp3Policy(exploration: 0.1), [0, 1, 1, 1, 1])
        world.errorRate(of: 5_000)
        #expect(world.weights.allSatisfy { $0 >= 0.02 - 1e-12 })
        #expect(world.weights[0] > 0.9)
    }

    @Test("A loss counts by the probability of its model, whatever state it was drawn from")
    func weighsByProbability() {
        let policy = Exp3Policy(learningRate: 0.1, exploration: 0, share: 0)
        var state = policy.initialState()
        policy.observe(
            SelectionFeedback([.init(model: "a", loss: 1, probability: 0.25)], models: ["a", "b"]), state: &state)
        let weights = policy.weights(of: ["a", "b"], state: state)
        // e to the power of -0.1 / 0.25.
        #expect(abs(weights[0] / weights[1] - 0.670_320_046) < 1e-9)
    }

    @Test("No loss counts as if its model were less probable than exploring makes it")
    func boundsByExploration() {
        let policy = Exp3Policy(learningRate: 0.01, exploration: 0.2, share: 0)
        func weights(_ probability: Double) -> [Double] {
            var state = policy.initialState()
            let feedback = SelectionFeedback(
                [.init(model: "a", loss: 1, probability: probability)], models: ["a", "b"])
            policy.observe(feedback, state: &state)
            return policy.weights(of: ["a", "b"], state: state)
        }
        #expect(weights(0.001) == weights(0.1))
        #expect(weights(0.1) != weights(0.2))
    }

    @Test("A loss of an improbable model counts a bounded number of times")
    func boundsEstimates() {
        let policy = Exp3Policy(learningRate: 1, exploration: 0, share: 0)
        var state = policy.initialState()
        for _ in 0..<100 {
            policy.observe(
                SelectionFeedback([.init(model: "a", loss: 1, probability: 1e-300)], models: ["a", "b"]), state: &state)
        }
        #expect(policy.weights(of: ["a", "b"], state: state).allSatisfy { $0.isFinite && $0 > 0 })
    }

    @Test(
        "It follows when the best model fails and when it is mended, and errs little more than the best of each phase")
    func tracksChange() {
        let seeds = 1...8 as ClosedRange<UInt64>
        var (first, failed, mended) = (0.0, 0.0, 0.0)
        for seed in seeds {
            var world = PolicyWorld(Exp3Policy(), [0.04, 0.08, 0.13, 0.2, 0.3], seed: seed)
            let rates = [
                world.errorRate(of: 5_000), world.errorRate(of: 3_000, afterFirstErrs: 0.6),
                world.errorRate(of: 2_000), world.errorRate(of: 3_000, afterFirstErrs: 0.04),
                world.errorRate(of: 7_000),
            ]
            first += rates[0] / Double(seeds.count)
            failed += rates[2] / Double(seeds.count)
            mended += rates[4] / Double(seeds.count)
            let errors = zip(rates, [5_000, 3_000, 2_000, 3_000, 7_000]).reduce(0) { $0 + $1.0 * $1.1 }
            // The best of each phase makes 1,000; the regret for five models and two changes, with a constant of 1.
            #expect(errors < 1.15 * 1_000 + 1_000)
        }
        // The second model errs by 0.04 more than the best one.
        #expect(failed < first + 0.04 + 0.025)
        #expect(mended < first + 0.015)
    }

    @Test("A user finds the right one of two models within 50 feedbacks")
    func personalises() {
        var right = 0
        for user in 0..<200 as Range<UInt64> {
            let isFirst = user % 2 == 0
            var world = PolicyWorld(Exp3Policy(), isFirst ? [0.1, 0.7] : [0.7, 0.1], seed: user)
            world.errorRate(of: 50)
            if world.weights[isFirst ? 0 : 1] > 0.5 { right += 1 }
        }
        #expect(right > 180)
    }

    @Test("A model that is linked later takes the mean weight, and soon what it deserves")
    func makesRoom() {
        var world = PolicyWorld(Exp3Policy(), [0.3, 0.5, 0.6])
        world.errorRate(of: 2_000)
        world.models.append(("late", 0.02))
        let expected = 0.25
        #expect(abs(world.weights[3] - expected) < 1e-9)
        world.errorRate(of: 2_000)
        #expect(world.weights[3] > 0.8)
    }

    @Test("A model that is unlinked comes back with the weight that it had")
    func keepsPlace() {
        let policy = Exp3Policy(exploration: 0, share: 0)
        var state = policy.initialState()
        for _ in 0..<5 {
            policy.observe(SelectionFeedback([.init(model: "b", loss: 1)], models: ["a", "b", "c"]), state: &state)
        }
        let before = policy.weights(of: ["a", "b", "c"], state: state)
        for _ in 0..<20 {
            policy.observe(SelectionFeedback([.init(model: "a", loss: 0)], models: ["a", "c"]), state: &state)
        }
        let after = policy.weights(of: ["a", "b", "c"], state: state)
        // A new one would get a third. That the sum is made of fewer models while it is away moves it a little.
        #expect(before[1] < 0.11)
        #expect(after[1] < 0.15)
    }

    @Test("Losses in thousands are told apart as well as those of zero and one")
    func scalesLosses() {
        var world = PolicyWorld(Exp3Policy(), [0.5, 0.1])
        (world.loss, world.cost) = (.squared, 40_000)
        world.errorRate(of: 1_000)
        #expect(world.weights[1] > 0.8)
    }

    @Test("After an outlier it learns again")
    func forgetsOutlier() {
        var world = PolicyWorld(Exp3Policy(), [0.5, 0.1])
        (world.loss, world.cost) = (.absolute, 1)
        world.policy.observe(
            SelectionFeedback([.init(model: "b", loss: 1_000)], models: world.names, loss: .absolute),
            state: &world.state)
        world.errorRate(of: 2_000)
        #expect(world.weights[1] > 0.8)
    }
}
