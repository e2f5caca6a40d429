import Testing

@testable import QueryFrontend

@Suite("The policy exp4")
struct Exp4PolicyTests {
    @Test("All models are asked")
    func asksAll() {
        var world = PolicyWorld(Exp4Policy(), [0.1, 0.2, 0.3])
        #expect(world.select() == Selection([.init(model: 0), .init(model: 1), .init(model: 2)]))
    }

    @Test("The best model gets the most weight, and the order of weights is that of errors")
    func ordersModels() {
        var world = PolicyWorld(Exp4Policy(), [0.4, 0.05, 0.2])
        world.errorRate(of: 2_000)
        let weights = world.weights
        #expect(weights[1] > weights[2])
        #expect(weights[2] > weights[0])
    }

    @Test("With a small share the weight goes to the best model alone")
    func convergesToBest() {
        var world = PolicyWorld(Exp4Policy(learningRate: 0.1, share: 0.000_01), [0.4, 0.05, 0.2])
        world.errorRate(of: 2_000)
        #expect(world.weights[1] > 0.98)
    }

    @Test(
        "Models that err independently err less together than each alone, and so when one fails",
        arguments: 1...3 as ClosedRange<UInt64>)
    func beatsSingles(seed: UInt64) {
        var world = PolicyWorld(Exp4Policy(), [0.04, 0.08, 0.13, 0.2, 0.3], seed: seed)
        #expect(world.errorRate(of: 5_000) < 0.02)
        world.models[0].error = 0.6
        world.errorRate(of: 500)
        #expect(world.errorRate(of: 2_500) < 0.05)
        world.models[0].error = 0.04
        world.errorRate(of: 500)
        #expect(world.errorRate(of: 2_500) < 0.02)
    }

    @Test("Of two models a user's better one outweighs the other within 50 feedbacks")
    func personalises() {
        var right = 0
        for user in 0..<100 as Range<UInt64> {
            var world = PolicyWorld(Exp4Policy(), [0.7, 0.1], seed: user)
            world.errorRate(of: 50)
            if world.weights[1] > 0.5 { right += 1 }
        }
        #expect(right > 97)
    }

    @Test("The vote goes by weight: a strong model outvotes two weak ones that agree")
    func votesByWeight() {
        let policy = Exp4Policy(learningRate: 1, share: 0.001)
        var state = policy.initialState()
        let models = ["a", "b", "c"]
        for _ in 0..<10 {
            policy.observe(
                SelectionFeedback(
                    [.init(model: "a", loss: 1), .init(model: "b", loss: 0), .init(model: "c", loss: 1)], models: models
                ),
                state: &state)
        }
        let answers = SelectionAnswers(
            models: models, outputs: [ModelOutput("1"), ModelOutput("2"), ModelOutput("1")])
        let combination = policy.combine(answers, state: state)
        #expect(combination.output == .answer(1))
        #expect(abs(combination.confidence - policy.weights(of: models, state: state)[1]) < 1e-12)
    }

    @Test("Numbers become the mean by weight, which is better than the plain mean")
    func meansByWeight() {
        let policy = Exp4Policy()
        var state = policy.initialState()
        let models = ["a", "b", "c"]
        for _ in 0..<1_000 {
            policy.observe(
                SelectionFeedback(
                    [.init(model: "a", loss: 5_000), .init(model: "b", loss: 100), .init(model: "c", loss: 5_000)],
                    models: models, loss: .absolute),
                state: &state)
        }
        let answers = SelectionAnswers(
            models: models, outputs: [ModelOutput("0"), ModelOutput("100"), ModelOutput("0")], loss: .absolute)
        guard case .text(let text) = policy.combine(answers, state: state).output, let mean = Double(text) else {
            Issue.record("no mean")
            return
        }
        #expect(mean > 80)
        #expect(abs(mean / 100 - policy.weights(of: models, state: state)[1]) < 1e-9)
    }

    @Test("Losses of one feedback are measured by the same scale, whatever their order")
    func scalesAlike() {
        let policy = Exp4Policy(share: 0)
        var state = policy.initialState()
        policy.observe(
            SelectionFeedback(
                [.init(model: "a", loss: 100), .init(model: "b", loss: 200)], models: ["a", "b"], loss: .squared),
            state: &state)
        let weights = policy.weights(of: ["a", "b"], state: state)
        #expect(weights[0] > weights[1] + 0.01)
    }

    @Test("Answers that are no numbers are voted on, whatever the loss")
    func votesWithoutNumbers() {
        let policy = Exp4Policy()
        let answers = SelectionAnswers(
            models: ["a", "b", "c"],
            outputs: [ModelOutput(#"{"cat":0.6}"#), ModelOutput(#"{"cat":0.9}"#), ModelOutput(#"{"cat":0.9}"#)],
            loss: .log)
        #expect(policy.combine(answers, state: policy.initialState()).output == .answer(1))
    }

    @Test("A model that does not answer keeps its share")
    func keepsShareOfSilent() {
        let policy = Exp4Policy(share: 0)
        var state = policy.initialState()
        let models = ["a", "b", "c"]
        for _ in 0..<100 {
            policy.observe(
                SelectionFeedback([.init(model: "a", loss: 1), .init(model: "b", loss: 0)], models: models),
                state: &state)
        }
        let weights = policy.weights(of: models, state: state)
        #expect(abs(weights[2] - 1.0 / 3) < 1e-9)
        #expect(weights[0] < weights[2])
        #expect(weights[1] > weights[2])
    }

    @Test("A model that is linked later takes the mean weight; one that returns has its own")
    func makesRoom() {
        var world = PolicyWorld(Exp4Policy(), [0.05, 0.5])
        world.errorRate(of: 500)
        let known = world.weights
        world.models.append(("late", 0.1))
        #expect(abs(world.weights[2] - 1.0 / 3) < 1e-9)
        world.models.remove(at: 0)
        world.errorRate(of: 300)
        world.models.insert(("a", 0.05), at: 0)
        // As the best of two it had a weight above the mean, and has it still.
        #expect(known[0] > 0.6)
        #expect(world.weights[0] > 0.4)
    }
}
