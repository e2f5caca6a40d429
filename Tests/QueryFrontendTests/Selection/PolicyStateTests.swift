import Foundation
import Testing

@testable import QueryFrontend

@Suite("What policies have learned")
struct PolicyStateTests {
    static let learning = ["epsilonGreedy", "ucb1", "thompson", "exp3", "exp4"]
    /// Updates of each policy under extreme losses. For a long run:
    /// `POLICY_UPDATES=10000000 swift test -c release -Xswiftc -enable-testing --filter PolicyStateTests`.
    static let updates = ProcessInfo.processInfo.environment["POLICY_UPDATES"].flatMap { Int($0) } ?? 3_000

    private func policy(_ name: String) throws -> any SelectionPolicy {
        try SelectionPolicies.standard.policy(for: PolicyDescription(name))
    }

    private func isSound(_ weights: [Double]) -> Bool {
        weights.allSatisfy { $0.isFinite && $0 >= 0 } && abs(weights.reduce(0, +) - 1) < 1e-9
    }

    @Test("A state survives as JSON, and is small", arguments: learning, Loss.allCases)
    func survives(name: String, loss: Loss) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) throws {
            var world = PolicyWorld(policy, [0.1, 0.3, 0.5])
            world.loss = loss
            world.errorRate(of: 200)
            let json = try JSONEncoder().encode(world.state)
            #expect(json.count < 250)
            let read = try JSONDecoder().decode(Policy.State.self, from: json)
            #expect(policy.weights(of: world.names, state: read) == world.weights)
            #expect(try sorted(JSONEncoder().encode(read)) == sorted(json))
        }
        try run(policy(name))
    }

    private func sorted(_ json: Data) throws -> Data {
        try JSONSerialization.data(withJSONObject: JSONSerialization.jsonObject(with: json), options: .sortedKeys)
    }

    @Test("Weights are an object of numbers by model in JSON")
    func showsWeights() throws {
        var state = LearnedWeights()
        state.update(steps: [nil, nil], of: ["b", "a"], share: 0, keepsUnseen: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(state), as: UTF8.self) == #"{"weights":{"a":1,"b":1}}"#)
    }

    @Test("A state with negative losses is refused")
    func refusesNegative() {
        let json = Data(#"{"models":{"a":[3,-1]}}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(LossCounts.self, from: json) }
    }

    @Test(
        "Weights are shares from the first query on, of known and of unknown models",
        arguments: SelectionPolicies.standard.names)
    func sharesAlways(name: String) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) {
            var world = PolicyWorld(policy, [0.1, 0.3])
            #expect(isSound(world.weights))
            for _ in 0..<50 { world.query() }
            #expect(isSound(world.weights))
            #expect(isSound(policy.weights(of: ["new"], state: world.state)))
            #expect(isSound(policy.weights(of: ["new", "b", "newer"], state: world.state)))
            #expect(policy.weights(of: [], state: world.state).isEmpty)
        }
        let parameters: [String: PolicyDescription.Value] =
            name == "weighted" ? ["a": .number(60), "b": .number(40)] : [:]
        run(try SelectionPolicies.standard.policy(for: PolicyDescription(name, parameters)))
    }

    @Test("Feedback of no model, or of one that is unknown, changes nothing for the worse", arguments: learning)
    func toleratesOddFeedback(name: String) throws {
        func run<Policy: SelectionPolicy>(_ policy: Policy) {
            var state = policy.initialState()
            policy.observe(SelectionFeedback([], models: []), state: &state)
            policy.observe(SelectionFeedback([], models: ["a", "b"]), state: &state)
            policy.observe(SelectionFeedback([.init(model: "gone", loss: 1)], models: ["a", "b"]), state: &state)
            policy.observe(SelectionFeedback([.init(model: "gone", loss: 1)], models: []), state: &state)
            #expect(isSound(policy.weights(of: ["a", "b"], state: state)))
        }
        run(try policy(name))
    }

    @Test("Of models that come and go one after the other, the first are not kept for ever", arguments: learning)
    func forgetsModels(policy: String) throws {
        let policy = try SelectionPolicies.standard.policy(for: PolicyDescription(policy))
        var states = policy.states(usersInMemory: 1)
        for number in 0..<300 {
            let observation = SelectionFeedback.Observation(model: "m\(number)", loss: 1)
            states.observe(SelectionFeedback([observation], models: ["m\(number)"]), for: nil)
        }
        let state = try #require(states.snapshot(of: nil))
        let text = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
        #expect(text.contains("\"m299\"") && !text.contains("\"m0\""))
    }

    @Test("No number of updates with extreme losses makes a weight that is no share", arguments: learning)
    func staysFinite(name: String) throws {
        try extremes(policy(name))
    }

    @Test("Nor do extreme parameters")
    func staysFiniteWithExtremeParameters() {
        extremes(Exp3Policy(learningRate: 1, exploration: 0, share: 0))
        extremes(Exp3Policy(learningRate: 0, exploration: 1, share: 0.5))
        extremes(Exp4Policy(learningRate: 1, share: 0))
        extremes(EpsilonGreedyPolicy(epsilon: 0))
    }

    private func extremes<Policy: SelectionPolicy>(_ policy: Policy) {
        let losses = [0, 1, .leastNonzeroMagnitude, 1e-300, 5_000, 1e15, 1e300, .greatestFiniteMagnitude]
        let probabilities = [1, 0.5, 0.01, 1e-9, .leastNonzeroMagnitude]
        let names = ["a", "b", "c", "d"]
        var random = SelectionRandom(seed: 11)
        var state = policy.initialState()
        for update in 0..<Self.updates {
            // For a while zero-one losses of which one model has all, then any at all; models come and go.
            let isCalm = update % 1_000 < 500
            let loss = isCalm ? Loss.zeroOne : Loss.allCases[random.place(below: 4)]
            let models = isCalm ? names : Array(names.dropFirst(random.place(below: 4)))
            let query = SelectionQuery(application: "app", models: models, loss: loss)
            let observations = policy.select(query, state: state, using: &random).members.map { member in
                SelectionFeedback.Observation(
                    model: models[member.model],
                    loss: isCalm || loss == .zeroOne
                        ? (member.model == 0 ? 1 : 0) : losses[random.place(below: losses.count)],
                    probability: isCalm ? member.probability : probabilities[random.place(below: 5)])
            }
            policy.observe(SelectionFeedback(observations, models: models, loss: loss), state: &state)
            // Checked often at first, then now and then: it takes longer than the update.
            if update < 600 || update % 97 == 0 {
                let weights = policy.weights(of: names, state: state)
                guard isSound(weights) else {
                    Issue.record("\(weights) after \(update) updates")
                    return
                }
            }
        }
        // Infinity and NaN cannot be written.
        #expect(throws: Never.self) { try JSONEncoder().encode(state) }
    }
}
