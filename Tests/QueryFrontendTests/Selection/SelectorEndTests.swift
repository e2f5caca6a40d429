import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Selector: what ends while something is under way")
struct SelectorEndTests {
    private static let input = SelectorWorld.payload(1)

    @Test("When the frontend ends, feedback is told that waits for a model, for its turn or for the disk")
    func abandoned() throws {
        var world = try SelectorWorld("exp3", models: ["a"], bounds: Selector.Bounds(feedbackInputs: 1))
        world.isStoreSlow = true
        let committed = world.update(.input(Self.input, .text("a")))
        world.answer("a", "a")
        let asked = world.update(.input(Self.input, .text("a")))
        let waiting = world.update(.input(Self.input, .text("a")))
        #expect(world.results.isEmpty)
        world.with { selector, _, _ in selector.abandonAll() }
        #expect([committed, asked, waiting].map { world.results[$0] } == [.stopping, .stopping, .stopping])
    }

    @Test("When an application loses its policy, feedback that waits for its turn is told")
    func removed() throws {
        var world = try SelectorWorld("exp3", models: ["a"], bounds: Selector.Bounds(feedbackInputs: 1))
        world.update(.input(Self.input, .text("a")))
        let waiting = world.update(.input(Self.input, .text("a")))
        world.with { selector, now, _ in selector.removeApplication(SelectorWorld.application, now: now) }
        #expect(world.results[waiting] == .notLearning)
    }

    @Test("Feedback that the models of a deleted application are asked for teaches nothing to a new one of its name")
    func deletedAndRegistered() throws {
        var world = try SelectorWorld("exp3")
        let old = world.update(.input(Self.input, .text("a")), id: "f")
        world.with { selector, now, _ in
            selector.removeApplication(SelectorWorld.application, now: now)
            selector.forgetAnswered(of: SelectorWorld.application)
        }
        #expect(world.results[old] == .notLearning)
        try world.link(world.models)
        let new = world.update(.input(Self.input, .text("a")), id: "f")
        world.answerAll()
        #expect(world.results[new] == .counted)
    }

    @Test("Feedback under way when its application gets Clipper's policy teaches nothing, and may be sent again")
    func standardPolicyMeanwhile() throws {
        var world = try SelectorWorld("exp3")
        let feedback = world.update(.input(Self.input, .text("a")), id: "f")
        try world.set(SelectionSettings())
        world.answerAll()
        #expect(world.results[feedback] == .notLearning)
        try world.set(SelectionSettings(policy: PolicyDescription("exp3")))
        let again = world.update(.input(Self.input, .text("a")), id: "f")
        world.answerAll()
        #expect(world.results[again] == .counted)
    }

    @Test("Commits that fail together begin one new epoch: what is learned after the first failure counts")
    func failsOnce() throws {
        var world = try SelectorWorld("exp4", models: ["a"])
        world.isStoreSlow = true
        for _ in 0..<2 {
            world.update(.input(Self.input, .text("a")))
            world.answer("a", "a")
        }
        world.requests = []
        world.receive(.failed([0], epoch: 0, "the disk is full"))
        world.receive(.failed([1], epoch: 0, "the disk is full"))
        #expect(world.selector.epoch == 1)
    }

    @Test("Where a state could not be forgotten, what is kept counts again")
    func notForgotten() throws {
        var world = try SelectorWorld("exp3")
        for _ in 0..<50 {
            world.update(.input(Self.input, .text("a")))
            world.answerAll()
        }
        let weight = world.weight(of: "a")
        world.isStoreSlow = true
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: nil) { _ in } }
        #expect(world.weight(of: "a") == 0.5)
        world.requests = []
        world.receive(.notRemoved(StateKey(application: "app", user: nil)))
        world.runStore()
        #expect(abs(world.weight(of: "a") - weight) < 1e-9)
    }

    @Test("Inputs of feedback that are under way keep their places when the policy changes")
    func keepsTurns() throws {
        var world = try SelectorWorld("exp3", models: ["a"], bounds: Selector.Bounds(feedbackInputs: 1))
        let first = world.update(.input(Self.input, .text("a")))
        try world.set(SelectionSettings(policy: PolicyDescription("exp4")))
        let second = world.update(.input(Self.input, .text("a")))
        #expect(world.asked.count == 1)
        world.answer("a", "a")
        world.answer("a", "a")
        #expect([first, second].map { world.results[$0] } == [.counted, .counted])
    }

    @Test("Once an application is gone, feedback cannot name what it was asked, nor what it is being asked")
    func forgetsQueries() throws {
        var world = try SelectorWorld("exp3")
        let answered = world.predict()
        world.answerAll()
        let underWay = world.predict()
        world.with { selector, _, _ in selector.forgetAnswered(of: SelectorWorld.application) }
        world.answerAll()
        for query in [answered, underWay] {
            #expect(world.results[world.update(.query(query, .reward(1)))] == .unknownQuery)
        }
        let later = world.predict()
        world.answerAll()
        #expect(world.results[world.update(.query(later, .reward(1)))] == .counted)
    }

    @Test("Where some answered, one that was late or has failed is not judged by the default output")
    func lateMember() throws {
        var world = try SelectorWorld("exp4")
        let query = world.predict()
        world.answer("a", "yes")
        world.finish("b", .defaultOutput(.deadline))
        #expect(world.results[world.update(.query(query, .label(.text("yes"))))] == .counted)
        #expect(world.counters(of: "a").meanLoss == 0)
        #expect(world.counters(of: "b").meanLoss == nil)
    }

    @Test("Where no model answered, that the deadline has come says more than that one had no replica")
    func reasons() throws {
        var world = try SelectorWorld("majority")
        let query = world.predict()
        world.finish("a", .defaultOutput(.noReplica))
        world.finish("b", .defaultOutput(.deadline))
        #expect(world.reason(query) == .deadline)
    }

    @Test("What a loss is usually is learned anew where another loss is measured")
    func anotherLoss() throws {
        var world = try SelectorWorld("exp4", models: ["a"], loss: .absolute)
        func judge(_ output: String) {
            world.update(.input(Self.input, .number(0)))
            world.answer("a", output)
        }
        for _ in 0..<30 { judge("0.001") }
        try world.set(SelectionSettings(policy: PolicyDescription("exp4"), loss: .squared))
        let before = world.counters(of: "a").lossSum
        judge("100")
        #expect(abs(world.counters(of: "a").lossSum - before - 10_000) < 1e-6)
    }

    @Test("The loss of a shadow that answers feedback after the others is bounded as theirs are")
    func lateShadow() throws {
        var world = try SelectorWorld("exp4", models: ["a", "shadow"], loss: .absolute, shadows: ["shadow"])
        for _ in 0..<30 {
            world.update(.input(Self.input, .number(0)))
            world.answer("a", "1")
            world.answer("shadow", "1")
        }
        let before = world.counters(of: "shadow").lossSum
        world.update(.input(Self.input, .number(0)))
        world.answer("a", "1")
        world.answer("shadow", "1000000")
        #expect(abs(world.counters(of: "shadow").lossSum - before - 10) < 1e-6)
    }
}
