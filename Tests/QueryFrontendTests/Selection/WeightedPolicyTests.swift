import Testing

@testable import QueryFrontend

@Suite("The weighted policy")
struct WeightedPolicyTests {
    private var random = SelectionRandom(seed: 7)

    private mutating func model(
        _ policy: WeightedPolicy, user: String?, of models: [String] = ["a", "b", "c"], application: String = "app"
    ) -> String {
        let query = SelectionQuery(application: application, models: models, user: user)
        let selection = policy.select(query, state: NoState(), using: &random)
        return models[selection.members[0].model]
    }

    /// The models of users 0 to 9,999.
    private mutating func models(_ policy: WeightedPolicy, of models: [String] = ["a", "b", "c"]) -> [String] {
        (0..<10_000).map { model(policy, user: String($0), of: models) }
    }

    private func share(_ name: String, _ models: [String]) -> Double {
        Double(models.count { $0 == name }) / Double(models.count)
    }

    @Test("Users are divided by the shares")
    mutating func dividesUsers() throws {
        let models = models(try WeightedPolicy(percentages: ["a": 70, "b": 25, "c": 5]))
        #expect(abs(share("a", models) - 0.7) < 0.015)
        #expect(abs(share("b", models) - 0.25) < 0.015)
        #expect(abs(share("c", models) - 0.05) < 0.01)
    }

    @Test("Queries without a user are divided by the shares")
    mutating func dividesQueries() throws {
        let policy = try WeightedPolicy(percentages: ["a": 70, "b": 25, "c": 5])
        let models = (0..<10_000).map { _ in model(policy, user: nil) }
        #expect(abs(share("a", models) - 0.7) < 0.015)
        #expect(abs(share("c", models) - 0.05) < 0.01)
    }

    @Test("A user stays with one model, whatever the order of linking")
    mutating func isSticky() throws {
        let policy = try WeightedPolicy(percentages: ["a": 40, "b": 30, "c": 30])
        let before = models(policy)
        #expect(models(policy) == before)
        #expect(models(policy, of: ["c", "a", "b"]) == before)
    }

    @Test("Applications divide users differently")
    mutating func differsByApplication() throws {
        let policy = try WeightedPolicy(percentages: ["a": 50, "b": 50])
        let one = (0..<10_000).map { model(policy, user: String($0), of: ["a", "b"], application: "one") }
        let other = (0..<10_000).map { model(policy, user: String($0), of: ["a", "b"], application: "other") }
        let same = zip(one, other).count { $0 == $1 }
        #expect(abs(Double(same) / 10_000 - 0.5) < 0.02)
    }

    @Test("When shares change only users of models that lose move, to those that gain")
    mutating func movesFew() throws {
        let before = models(try WeightedPolicy(percentages: ["a": 60, "b": 30, "c": 10]))
        let after = models(try WeightedPolicy(percentages: ["a": 50, "b": 30, "c": 20]))
        let moved = zip(before, after).filter { $0 != $1 }
        // A tenth of all must; with a's share b's grows relative to a, and shrinks relative to c.
        #expect(moved.count < 2_000)
        #expect(moved.allSatisfy { $0.1 == "c" || ($0.0 == "a" && $0.1 == "b") })
        #expect(abs(share("c", after) - 0.2) < 0.015)
    }

    @Test("Users of a model without a replica go to the others in proportion, and all others stay")
    mutating func givesSharesAway() throws {
        let policy = try WeightedPolicy(percentages: ["a": 50, "b": 30, "c": 20])
        let before = models(policy)
        let after = models(policy, of: ["b", "c"])
        #expect(zip(before, after).allSatisfy { $0 == "a" || $0 == $1 })
        #expect(abs(share("b", after) - 0.6) < 0.015)
        #expect(policy.weights(of: ["b", "c"], state: NoState()) == [0.6, 0.4])
    }

    @Test("A linked model without a share gets nothing, unless there is no other")
    mutating func ignoresUnknownModels() throws {
        let policy = try WeightedPolicy(percentages: ["a": 100])
        #expect(models(policy, of: ["new", "a"]).allSatisfy { $0 == "a" })
        #expect(model(policy, user: "1", of: ["new", "newer"]) == "new")
        #expect(model(policy, user: nil, of: ["new", "newer"]) == "new")
    }

    @Test("The hash is the same in every process")
    func hashIsStable() {
        // FNV-1a of "a" and its end byte, mixed, as computed apart from this code.
        #expect(StableHash("a").value == 0x193F_1020_AF07_6DB5)
    }
}
