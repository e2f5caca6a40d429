import Testing

@testable import QueryFrontend

@Suite("The policies that applications can be registered with")
struct StandardPoliciesTests {
    private let policies = SelectionPolicies.standard

    private func problem(_ name: String, _ parameters: [String: PolicyDescription.Value]) -> String? {
        do {
            _ = try policies.policy(for: PolicyDescription(name, parameters))
            return nil
        } catch {
            return error.description
        }
    }

    @Test("All are there")
    func names() {
        #expect(
            policies.names == [
                "DefaultOutputSelectionPolicy", "epsilonGreedy", "exp3", "exp4", "majority", "mean", "median",
                "thompson",
                "ucb1", "weighted", "weightedMean",
            ])
    }

    @Test("All but weighted need no parameters")
    func defaults() {
        for name in policies.names where name != "weighted" { #expect(problem(name, [:]) == nil) }
    }

    @Test("Parameters reach the policy")
    func parameters() throws {
        let exp3 = try policies.policy(
            for: PolicyDescription(
                "exp3", ["learningRate": .number(0.5), "exploration": .number(0.25), "share": .number(0.125)]))
        #expect((exp3 as? Exp3Policy)?.learningRate == 0.5)
        #expect((exp3 as? Exp3Policy)?.exploration == 0.25)
        #expect((exp3 as? Exp3Policy)?.share == 0.125)
        let exp4 = try policies.policy(
            for: PolicyDescription("exp4", ["learningRate": .number(0.5), "share": .number(0.125)]))
        #expect((exp4 as? Exp4Policy)?.learningRate == 0.5)
        #expect((exp4 as? Exp4Policy)?.share == 0.125)
        let greedy = try policies.policy(for: PolicyDescription("epsilonGreedy", ["epsilon": .number(0.3)]))
        #expect((greedy as? EpsilonGreedyPolicy)?.epsilon == 0.3)
        let mean = try policies.policy(for: PolicyDescription("mean", ["tolerance": .number(0.3)]))
        #expect((mean as? MeanPolicy)?.tolerance == 0.3)
        let median = try policies.policy(for: PolicyDescription("median", ["tolerance": .number(0.3)]))
        #expect((median as? MedianPolicy)?.tolerance == 0.3)
    }

    @Test("A parameter that a policy does not take is refused, and what it takes is told")
    func refusesUnknown() {
        #expect(problem("epsilonGreedy", ["epsylon": .number(0.1)])?.contains("it takes epsilon") == true)
        for name in ["DefaultOutputSelectionPolicy", "ucb1", "thompson", "majority"] {
            #expect(problem(name, ["a": .number(1)])?.contains("takes no parameters") == true)
        }
        for name in ["exp3", "exp4", "mean", "median"] {
            #expect(problem(name, ["a": .number(1)])?.contains("no parameter 'a'") == true)
        }
    }

    @Test("What is out of range or no number is refused")
    func refusesRange() {
        #expect(problem("epsilonGreedy", ["epsilon": .number(1.5)])?.contains("0.0 to 1.0") == true)
        #expect(problem("exp3", ["learningRate": .number(.nan)]) != nil)
        #expect(problem("exp3", ["exploration": .number(-0.1)]) != nil)
        #expect(problem("exp4", ["share": .number(0.9)]) != nil)
        #expect(problem("mean", ["tolerance": .text("much")])?.contains("must be a number") == true)
        #expect(problem("weightedMean", ["a": .number(-1)]) != nil)
    }

    @Test("More than a thousand parameters are refused: policies are made anew with each change of the catalog")
    func manyParameters() {
        func weights(_ count: Int) -> [String: PolicyDescription.Value] {
            Dictionary(uniqueKeysWithValues: (0..<count).map { ("model-\($0)", .number(1)) })
        }
        #expect(problem("weightedMean", weights(1_000)) == nil)
        #expect(
            problem("weightedMean", weights(1_001))
                == "policy 'weightedMean': 1001 parameters were given; it takes 1000 at most")
    }

    @Test("The shares of weighted must add to 100, and the message tells what they add to")
    func refusesSum() {
        #expect(problem("weighted", ["a": .number(90), "b": .number(9)])?.contains("add to 99.0") == true)
        #expect(problem("weighted", [:])?.contains("none were given") == true)
        #expect(problem("weighted", ["a": .number(110), "b": .number(-10)]) != nil)
        #expect(problem("weighted", ["a": .text("all")])?.contains("must be a number") == true)
        #expect(problem("weighted", ["a": .number(33.3), "b": .number(33.3), "c": .number(33.4)]) == nil)
    }

    @Test("Clipper's policy asks the first linked model alone")
    func asksFirst() {
        let policy = DefaultOutputSelectionPolicy()
        var random = SelectionRandom(seed: 1)
        let selection = policy.select(
            SelectionQuery(application: "app", models: ["b", "a"]), state: NoState(), using: &random)
        #expect(selection == Selection(0))
        #expect(policy.weights(of: ["b", "a"], state: NoState()) == [1, 0])
    }
}
