import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("What feedback says that answers have cost")
struct VerdictTests {
    private static let input = SelectorWorld.payload(1)

    @Test(
        "A model whose answers cannot be compared with any label loses what it is worth",
        arguments: ["exp3", "epsilonGreedy", "ucb1", "thompson", "exp4"], ["NaN", "none", "[]", "1e999"])
    func unfitOutputs(policy: String, output: String) throws {
        var world = try SelectorWorld(policy, loss: .absolute, defaultOutput: "-1")
        var unfit = 0
        for number in 0..<400 {
            let query = world.predict()
            let isAlone = world.asked.map(\.model) == ["b"]
            if isAlone, number >= 300 { unfit += 1 }
            // The other one costs 1 or 3, the default output 1.
            world.answerAll { $0 == "a" ? (number % 4 == 0 ? "3" : "1") : output }
            #expect(world.results[world.update(.query(query, .label(.number(0))))] == .counted)
        }
        #expect(unfit <= 30)
        // `ucb1` gives all weight to the one that it would ask next.
        if policy != "ucb1" { #expect(world.weight(of: "a") > 0.6) }
    }

    @Test(
        "A label that no answer could match is refused",
        arguments: [
            (.absolute, .text("cat"), "1"), (.squared, .numbers([]), "1"), (.absolute, .numbers([1, 2]), "1"),
            (.absolute, .number(1), "[1,2]"), (.log, .numbers([1]), "0.5"), (.log, .number(7), "0.5"),
            (.log, .number(2), "[0.5,0.5]"), (.log, .text("cat"), #"{"dog":1}"#), (.absolute, .text("cat"), "NaN"),
        ] as [(Loss, Label, String)])
    func unfitLabels(loss: Loss, label: Label, output: String) throws {
        var world = try SelectorWorld("exp3", loss: loss)
        let query = world.predict()
        world.answerAll { _ in output }
        #expect(world.results[world.update(.query(query, .label(label)))] == .incomparable)
    }

    @Test("Where a label's form is known to be right, an answer of another form is the model's fault")
    func mismatches() throws {
        // Another model's answer tells, the default output, or one that came before.
        var together = try SelectorWorld("exp4", loss: .absolute)
        together.update(.input(Self.input, .numbers([1, 2])))
        together.answerAll { $0 == "a" ? "[1,3]" : "[1]" }
        #expect(together.counters(of: "a").meanLoss == 0.5)
        #expect(together.counters(of: "b").meanLoss == 0.5)
        var known = try SelectorWorld("exp4", models: ["a"], loss: .absolute, defaultOutput: "0")
        known.update(.input(Self.input, .number(4)))
        known.answerAll { _ in "[1,2]" }
        #expect(known.counters(of: "a").meanLoss == 4)
        var before = try SelectorWorld("exp4", models: ["a"], loss: .log)
        for output in ["[0,0.5,0.5]", "[0.5,0.5]"] {
            let feedback = before.update(.input(Self.input, .number(2)))
            before.answerAll { _ in output }
            #expect(before.results[feedback] == .counted)
        }
        #expect(before.counters(of: "a").lossCount == 2)
    }

    @Test("A failure costs as much as the worst of late, where the default output cannot be compared either")
    func failsWithoutComparableDefault() throws {
        var world = try SelectorWorld("exp3", models: ["a"], loss: .absolute, defaultOutput: "none")
        func judge(_ outcome: Outcome) {
            let query = world.predict()
            world.finish("a", outcome)
            #expect(world.results[world.update(.query(query, .label(.number(0))))] == .counted)
        }
        judge(.defaultOutput(.deadline))
        #expect(world.counters(of: "a").lossSum == 1)
        judge(.output(ArraySlice("20".utf8)))
        judge(.defaultOutput(.deadline))
        #expect(world.counters(of: "a").lossSum == 41)
    }

    @Test("What is charged follows the losses, and does not hold them up")
    func chargesFade() throws {
        var world = try SelectorWorld("exp4", loss: .absolute)
        func judge(_ answer: String) {
            let query = world.predict()
            world.answerAll { $0 == "a" ? answer : "NaN" }
            world.update(.query(query, .label(.number(0))))
        }
        for _ in 0..<30 { judge("100") }
        for _ in 0..<1_000 { judge("1") }
        let before = world.counters(of: "b").lossSum
        judge("1")
        #expect(world.counters(of: "b").lossSum - before < 2)
    }

    @Test("A loss beyond all numbers is one, and the largest")
    func beyondNumbers() {
        #expect(Loss.squared.compare(ModelOutput("1e200"), with: .number(0)) == .cost(1e100))
        #expect(Loss.absolute.compare(ModelOutput("1e308"), with: .number(-1e308)) == .cost(1e100))
        #expect(Loss.absolute.compare(ModelOutput("NaN"), with: .number(0)) == .unfitOutput)
    }

    @Test("A probability that is off by rounding is one")
    func rounding() {
        #expect(ModelOutput("1.0000001").probability(of: .number(1)) == .given(1))
        #expect(ModelOutput("-1e-9").probability(of: .number(1)) == .given(0))
        #expect(ModelOutput("[1.0000001,0]").probability(of: .number(0)) == .given(1))
        #expect(ModelOutput("1.1").probability(of: .number(1)) == .unfitOutput)
        #expect(ModelOutput("0.5").probability(of: .number(2)) == .mismatch)
        #expect(Loss.log.value(of: ModelOutput("1.0000001"), label: .number(1)) == 0)
    }

    @Test("A reward's unit is the largest loss of late, where losses are numbers")
    func rewardUnit() throws {
        var world = try SelectorWorld("exp4", models: ["a"], loss: .absolute)
        func judge(_ judgement: SelectedFeedback.Judgement) -> Double {
            let before = world.counters(of: "a").lossSum
            let query = world.predict()
            world.answerAll { _ in "20" }
            world.update(.query(query, judgement))
            return world.counters(of: "a").lossSum - before
        }
        #expect(judge(.reward(0)) == 1)
        #expect(judge(.label(.number(0))) == 20)
        #expect(judge(.reward(0)) == 20)
        #expect(judge(.reward(0.75)) == 5)
        #expect(judge(.reward(1)) == 0)
    }

    @Test("A reward for what several answers made judges those that it was made of")
    func rewardsTheCombined() throws {
        var world = try SelectorWorld(
            "weightedMean", models: ["a", "b", "c", "d", "shadow"], ["c": .number(0)], loss: .absolute,
            shadows: ["shadow"])
        let query = world.predict()
        world.answerAll { ["a": "1", "b": "3", "c": "9", "d": "text"][$0] ?? "70" }
        #expect(world.output(query) == "2.0")
        #expect(world.answers[query]?.combined?.models == ["a:1", "b:1"])
        #expect(["a", "b", "c", "d"].map { world.counters(of: $0).combined } == [1, 1, 0, 0])
        world.update(.query(query, .reward(0.5)))
        #expect(["a", "b", "c", "d", "shadow"].map { world.counters(of: $0).meanLoss } == [0.5, 0.5, nil, nil, nil])
    }

    @Test("Another loss, or another policy, begins another mean; the counters run on")
    func meansOfOneUnit() throws {
        var world = try SelectorWorld("exp4", models: ["a"], loss: .absolute)
        func judge() {
            world.update(.input(Self.input, .number(0)))
            world.answerAll { _ in "100" }
        }
        judge()
        #expect(world.counters(of: "a").meanLoss == 100)
        try world.set(SelectionSettings(policy: PolicyDescription("exp4"), loss: .zeroOne))
        #expect(world.counters(of: "a").meanLoss == nil)
        judge()
        #expect(world.counters(of: "a").meanLoss == 1)
        #expect(world.counters(of: "a").lossSum == 101)
        try world.set(SelectionSettings(policy: PolicyDescription("exp4", ["share": .number(0.02)])))
        #expect(world.counters(of: "a").meanLoss == 1)
        try world.set(SelectionSettings(policy: PolicyDescription("exp3")))
        #expect(world.counters(of: "a").meanLoss == nil)
    }
}
