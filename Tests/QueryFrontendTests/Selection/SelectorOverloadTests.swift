import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Selector: models that have too much to do")
struct SelectorOverloadTests {
    private static let bandits = ["exp3", "epsilonGreedy", "ucb1", "thompson"]
    private static let refusal = Outcome.defaultOutput(.predictedLate)

    /// What feedback can judge of a query.
    private func judged(_ query: UInt64, _ world: inout SelectorWorld) throws -> AnsweredQueries.Answered {
        let known = world.selector.answered.query(query, of: SelectorWorld.application, now: world.now)
        return try #require(known)
    }

    @Test("A query that the chosen model turns away goes to another one", arguments: bandits)
    func passesOn(policy: String) throws {
        var world = try SelectorWorld(policy)
        let query = world.predict()
        let refusing = world.asked[0].model
        world.finish(refusing, .defaultOutput(.queueFull))
        let other = refusing == "a" ? "b" : "a"
        #expect(world.asked.map(\.model) == [other])
        #expect(world.answers[query] == nil)
        world.answerAll()
        #expect(world.output(query) == other)
        #expect(world.answers[query]?.combined?.models == ["\(other):1"])
        #expect(world.counters(of: refusing).straggled == 1)
        #expect(world.counters(of: other) == SelectionCounters(chosen: 1, combined: 1))
        #expect(world.selector.load.ensembles == 0)
    }

    @Test("Feedback judges the choice among those that did not turn the query away")
    func probabilities() throws {
        var world = try SelectorWorld("exp3", models: ["a", "b", "c"])
        let query = world.predict()
        let first = world.asked[0].model
        world.finish(first, Self.refusal)
        let second = world.asked[0].model
        world.answerAll()
        let known = try judged(query, &world)
        #expect(known.candidates == ["a", "b", "c"].filter { $0 != first })
        #expect(known.members.map(\.model) == [first, second])
        #expect(known.members.map(\.probability) == [nil, 0.5])
        // A reward or a label for the one that answered says nothing of the other.
        let weight = world.weight(of: first)
        world.update(.query(query, .label(.text("wrong"))))
        #expect(abs(world.weight(of: first) - weight) < 1e-9)
        world.update(.query(query, .reward(0.25)))
        #expect(world.counters(of: first).lossCount == 0)
        #expect(world.counters(of: second).lossSum == 1.75)
    }

    @Test("Where all turn a query away, it is as if it had not been passed on", arguments: bandits)
    func comesBack(policy: String) throws {
        var world = try SelectorWorld(policy, models: ["a", "b", "c"])
        let query = world.predict()
        let first = world.asked[0].model
        while let next = world.asked.first { world.finish(next.model, Self.refusal) }
        #expect(world.reason(query) == .predictedLate)
        for model in ["a", "b", "c"] { #expect(world.counters(of: model).straggled == 1) }
        let known = try judged(query, &world)
        #expect(known.candidates == ["a", "b", "c"])
        #expect(known.members.filter { $0.probability != nil }.map(\.model) == [first])
        #expect(known.failedAlone)
        #expect(world.results[world.update(.query(query, .label(.text("yes"))))] == .counted)
        #expect(world.counters(of: first).meanLoss == 1)
    }

    @Test("A model that mostly has too much to do keeps no query from one that has not", arguments: bandits)
    func idleModelServes(policy: String) throws {
        var world = try SelectorWorld(policy)
        for number in 0..<400 {
            let query = world.predict()
            while let next = world.asked.first {
                if next.model == "a", number % 10 != 0 {
                    world.finish("a", Self.refusal)
                } else {
                    world.answer(next.model, "yes")
                }
            }
            // Nobody can judge what was turned away.
            if world.output(query) != nil { world.update(.query(query, .label(.text("yes")))) }
            #expect(world.output(query) == "yes")
        }
    }

    @Test("Feedback on an input is passed on as queries are")
    func feedback() throws {
        var world = try SelectorWorld("exp3")
        let feedback = world.update(.input(SelectorWorld.payload(1), .text("yes")))
        let first = world.asked[0].model
        world.finish(first, Self.refusal)
        world.answerAll { _ in "yes" }
        #expect(world.results[feedback] == .counted)
        #expect(world.counters(of: first).lossCount == 0)
        #expect(world.selector.load.isIdle)
    }

    @Test("A policy that learns nothing means what it chooses; an ensemble goes on with its other members")
    func staysWithTheChosen() throws {
        var fixed = try SelectorWorld("weighted", ["a": .number(100), "b": .number(0)])
        let query = fixed.predict()
        fixed.finish("a", Self.refusal)
        #expect(fixed.reason(query) == .predictedLate)
        var ensemble = try SelectorWorld("exp4", models: ["a", "b", "c"])
        let vote = ensemble.predict()
        ensemble.finish("a", Self.refusal)
        ensemble.answerAll { _ in "yes" }
        #expect(ensemble.answers[vote]?.combined?.models == ["b:1", "c:1"])
        var shadowed = try SelectorWorld("DefaultOutputSelectionPolicy", models: ["a", "b", "s"], shadows: ["s"])
        let plain = shadowed.predict()
        shadowed.finish("a", Self.refusal)
        #expect(shadowed.reason(plain) == .predictedLate)
    }

    @Test("A query is passed on a few times at most, and not after its deadline")
    func bounds() throws {
        var world = try SelectorWorld("thompson", models: (0..<40).map { "m\($0)" })
        world.predict()
        var asked = 0
        while let next = world.asked.first {
            asked += 1
            world.finish(next.model, Self.refusal)
        }
        #expect(asked == 9)
        let late = world.predict()
        world.wait(.milliseconds(200))
        world.finish(world.asked[0].model, Self.refusal)
        #expect(world.asked.isEmpty)
        #expect(world.reason(late) == .predictedLate)
    }

    @Test("A shadow's answer is compared with that of whoever the query was passed on to")
    func shadows() throws {
        var world = try SelectorWorld("exp3", models: ["a", "b", "s"], shadows: ["s"])
        let query = world.predict()
        world.finish(world.asked.first { $0.model != "s" }?.model ?? "", Self.refusal)
        world.answer(world.asked.first { $0.model != "s" }?.model ?? "", "yes")
        #expect(world.output(query) == "yes")
        world.answer("s", "yes")
        #expect(world.counters(of: "s").shadowAgreed == 1)
        // Its answer came after the query's, and can be judged all the same.
        world.update(.query(query, .label(.text("no"))))
        #expect(world.counters(of: "s").meanLoss == 1)
    }
}
