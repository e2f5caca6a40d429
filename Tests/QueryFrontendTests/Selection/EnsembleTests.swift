import Testing

@testable import QueryFrontend

@Suite("Ensembles without learning: majority, mean, median and weightedMean")
struct EnsembleTests {
    private func answers(_ texts: [String?]) -> SelectionAnswers {
        SelectionAnswers(
            models: texts.indices.map { "m\($0)" }, outputs: texts.map { $0.map { ModelOutput($0) } }, loss: .absolute)
    }

    private func majority(_ texts: String?...) -> Combination {
        MajorityPolicy().combine(answers(texts), state: NoState())
    }

    private func mean(_ texts: String?...) -> Combination {
        MeanPolicy().combine(answers(texts), state: NoState())
    }

    private func median(_ texts: String?...) -> Combination {
        MedianPolicy().combine(answers(texts), state: NoState())
    }

    @Test("The majority's answer is the first of those that agree, byte for byte")
    func takesMajority() {
        let combination = majority("3", "7", "7.0")
        #expect(combination.output == .answer(1))
        #expect(abs(combination.confidence - 2.0 / 3) < 1e-12)
    }

    @Test("Of answers given as often the earlier one wins")
    func breaksTies() {
        #expect(majority("b", "a", "a", "b").output == .answer(0))
        #expect(majority(nil, "x", "y").output == .answer(1))
    }

    @Test("A model that did not answer does not agree")
    func countsStragglers() {
        #expect(majority("7", nil, "7", nil) == Combination(.answer(0), confidence: 0.5))
        #expect(mean("2", nil) == Combination(.answer(0), confidence: 0.5, sources: [0]))
        #expect(median(nil, nil, nil, "2") == Combination(.answer(3), confidence: 0.25, sources: [3]))
    }

    @Test("The mean of numbers, with all digits")
    func meansNumbers() {
        #expect(mean("1", "2").output == .text("1.5"))
        #expect(mean("0.1", "0.2", "0.4").output == .text(String((0.1 + 0.2 + 0.4) / 3)))
    }

    @Test("The mean of arrays is taken element by element")
    func meansArrays() {
        #expect(mean("[1, 10]", "[2,20]").output == .text("[1.5,15.0]"))
        #expect(mean("[1]", "[2]").output == .text("[1.5]"))
    }

    @Test("The median is moved little by an outlier")
    func takesMedian() {
        #expect(median("1", "1000000", "2").output == .answer(2))
        #expect(median("1", "4", "2", "3").output == .text("2.5"))
        #expect(median("[1,9]", "[2,8]", "[30,70]").output == .text("[2.0,9.0]"))
    }

    @Test("Those within the tolerance of the mean agree")
    func agreesWithinTolerance() {
        #expect(median("100", "91", "50").confidence == 2.0 / 3)
        #expect(mean("[100,1]", "[98,3]", "[99,2]").confidence == 1)
        let strict = MeanPolicy(tolerance: 0)
        #expect(
            strict.combine(answers(["1", "3", "2"]), state: NoState())
                == Combination(.answer(2), confidence: 1.0 / 3, sources: [0, 1, 2]))
    }

    @Test("Answers of another kind are left out, and do not agree")
    func leavesOthersOut() {
        #expect(mean("1", "cat", "2", "[1,2]").output == .text("1.5"))
        #expect(mean("cat", "2", "2") == Combination(.answer(1), confidence: 2.0 / 3, sources: [1, 2]))
        #expect(
            mean("[1,2]", "[1,2]", "[1,2,3]") == Combination(.answer(0), confidence: 2.0 / 3, sources: [0, 1]))
    }

    @Test("Without numbers the first answer is the output")
    func fallsBack() {
        #expect(mean(nil, "cat", "dog") == Combination(.answer(1), confidence: 1.0 / 3))
        #expect(median("[]", "[]") == Combination(.answer(0), confidence: 1))
    }

    @Test("The largest numbers make no infinity")
    func staysFinite() {
        let largest = String(Double.greatestFiniteMagnitude)
        for text in [largest, "-" + largest] {
            for combination in [mean(text, text, text), median(text, text), mean(text, "1", text), median(text, "-1")] {
                if case .text(let text) = combination.output {
                    #expect(Double(text)?.isFinite == true, "\(text)")
                }
                #expect((0...1).contains(combination.confidence))
            }
        }
        #expect(mean(largest, "-" + largest).confidence == 0)
        // Though their sum is none, their mean is a number.
        #expect(mean("1e308", "1.5e308").output == .text("1.25e+308"))
    }

    @Test("weightedMean weighs the models it knows, and all others with 1")
    func weighs() {
        let policy = WeightedMeanPolicy(weights: ["m0": 3])
        let combination = policy.combine(answers(["1", "2"]), state: NoState())
        #expect(combination == Combination(.text("1.25"), confidence: 0, sources: [0, 1]))
        #expect(policy.weights(of: ["m0", "m1"], state: NoState()) == [0.75, 0.25])
        #expect(policy.combine(answers(["100", "80"]), state: NoState()).confidence == 0.75)
    }

    @Test("weightedMean leaves out models that weigh 0")
    func leavesWeightlessOut() {
        let policy = WeightedMeanPolicy(weights: ["m0": 0, "m1": 0])
        #expect(
            policy.combine(answers(["1", "2", "5"]), state: NoState())
                == Combination(.answer(2), confidence: 1, sources: [2]))
        #expect(policy.combine(answers(["1", "2"]), state: NoState()).output == .answer(0))
        #expect(policy.weights(of: ["m0", "m1"], state: NoState()) == [0.5, 0.5])
    }

    @Test("All models are asked", arguments: ["majority", "mean", "median", "weightedMean", "exp4"])
    func asksAll(name: String) throws {
        func select<Policy: SelectionPolicy>(_ policy: Policy) -> Selection {
            var random = SelectionRandom(seed: 1)
            let query = SelectionQuery(application: "app", models: ["x", "y", "z"])
            return policy.select(query, state: policy.initialState(), using: &random)
        }
        let selection = select(try SelectionPolicies.standard.policy(for: PolicyDescription(name)))
        #expect(selection.members == (0...2).map { Selection.Member(model: $0) })
    }
}
