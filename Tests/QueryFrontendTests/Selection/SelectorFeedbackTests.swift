import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Selector: feedback")
struct SelectorFeedbackTests {
    private static let input = SelectorWorld.payload(1)

    /// Feedback on inputs, of which model a is always right.
    private func teach(_ world: inout SelectorWorld, _ times: Int, user: String? = nil) {
        for _ in 0..<times {
            world.update(.input(Self.input, .text("a")), user: user)
            world.answerAll()
        }
    }

    @Test("A label moves weight to the models that are right")
    func learns() throws {
        var world = try SelectorWorld("exp3")
        #expect(abs(world.weight(of: "a") - 0.5) < 1e-9)
        teach(&world, 50)
        #expect(world.weight(of: "a") > 0.9)
        #expect(world.counters(of: "a").meanLoss == 0)
        #expect(world.counters(of: "b").meanLoss == 1)
        #expect(world.report()?.feedback.counted == 50)
    }

    @Test("Feedback names a query by its id, with a label or a reward")
    func byQuery() throws {
        for judgement in [SelectedFeedback.Judgement.label(.text("a")), .reward(1)] {
            var world = try SelectorWorld("exp4", models: ["a", "b"])
            let query = world.predict()
            world.answerAll()
            #expect(world.output(query) == "a")
            let before = world.weight(of: "a")
            let bad = SelectedFeedback.Judgement.reward(0)
            for _ in 0..<5 { world.update(.query(query, judgement == .reward(1) ? bad : judgement)) }
            let moved = world.weight(of: "a") - before
            #expect(judgement == .reward(1) ? moved < -0.02 : moved > 0.02)
        }
    }

    @Test("A reward judges who gave the answer and, where answers are right or wrong, the others the other way round")
    func rewards() throws {
        for (loss, others) in [(Loss.zeroOne, 0.75), (.absolute, nil)] {
            var world = try SelectorWorld("majority", models: ["a", "b", "c"], loss: loss)
            let query = world.predict()
            world.answerAll { $0 == "c" ? "2" : "1" }
            world.update(.query(query, .reward(0.75)))
            #expect(world.counters(of: "a").meanLoss == 0.25)
            #expect(world.counters(of: "b").meanLoss == 0.25)
            #expect(world.counters(of: "c").meanLoss == others)
        }
    }

    @Test("A reward cannot judge a default output, a label can")
    func defaultOutput() throws {
        var world = try SelectorWorld("majority", models: ["a", "b"], minConfidence: 0.9)
        let query = world.predict()
        world.answerAll()
        #expect(world.reason(query) == .lowConfidence)
        #expect(world.results[world.update(.query(query, .reward(1)))] == .noOutput)
        #expect(world.results[world.update(.query(query, .label(.text("a"))))] == .counted)
    }

    @Test(
        "A bandit leaves a model that never answers in time: the default output is what it costs",
        arguments: [
            "exp3", "epsilonGreedy", "ucb1", "thompson",
        ])
    func silentModel(policy: String) throws {
        var world = try SelectorWorld(policy)
        var silent = 0
        for number in 0..<400 {
            let query = world.predict()
            if world.asked[0].model == "a" {
                world.finish("a", .defaultOutput(.deadline))
                if number >= 300 { silent += 1 }
            } else {
                world.answer("b", "yes")
            }
            #expect(world.results[world.update(.query(query, .label(.text("yes"))))] == .counted)
        }
        #expect(silent <= 25)
    }

    @Test("What a query asked without a user got can be judged by one")
    func judgedByUser() throws {
        var world = try SelectorWorld("exp3")
        let query = world.predict()
        world.answerAll()
        #expect(world.results[world.update(.query(query, .reward(0)), user: "anna")] == .counted)
        #expect(world.report(user: "anna")?.isOwn == true)
    }

    @Test("A model that has no replica meanwhile gains nothing by it")
    func absentModel() throws {
        var world = try SelectorWorld("exp3")
        func judge() {
            let query = world.predict()
            world.answerAll()
            world.update(.query(query, .label(.text("a"))))
        }
        for _ in 0..<200 { judge() }
        let weight = world.weight(of: "b")
        world.unserved = ["b"]
        for _ in 0..<500 {
            let query = world.predict()
            world.answer("a", "wrong")
            world.update(.query(query, .label(.text("a"))))
        }
        world.unserved = []
        #expect(abs(world.weight(of: "b") - weight) < 0.001)
    }

    @Test("Models are asked for a few inputs of feedback at a time, the others wait their turn")
    func turns() throws {
        var world = try SelectorWorld("exp3", models: ["a"], bounds: Selector.Bounds(feedbackInputs: 2))
        let feedback = (0..<5).map { _ in world.update(.input(Self.input, .text("a"))) }
        #expect(world.asked.count == 2)
        world.wait(.seconds(4))
        world.answer("a", "a")
        #expect(world.asked.count == 2)
        // Its time begins with its turn.
        #expect(world.asked.last?.query.waiter.deadline == world.now + .seconds(5))
        world.finish("a", .defaultOutput(.deadline))
        world.unserved = ["a"]
        world.finish("a", .defaultOutput(.noReplica))
        world.unserved = []
        world.answerAll()
        #expect(feedback.map { world.results[$0] } == [.counted, .counted, .noAnswer, .counted, .noAnswer])
    }

    @Test("When the last replica goes, all feedback that waits for its turn is told at once")
    func turnsWithoutReplica() throws {
        var world = try SelectorWorld("exp3", models: ["a"], bounds: Selector.Bounds(feedbackInputs: 2))
        let feedback = (0..<5_000).map { _ in world.update(.input(Self.input, .text("a"))) }
        world.unserved = ["a"]
        world.finish("a", .defaultOutput(.noReplica))
        world.finish("a", .defaultOutput(.noReplica))
        #expect(feedback.allSatisfy { world.results[$0] == .noAnswer })
        #expect(world.selector.load.isIdle)
    }

    @Test("A policy that changes while states are read leaves nobody waiting")
    func changesWhileReading() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreSlow = true
        let query = world.predict(user: "ida", slo: .seconds(60))
        let feedback = world.update(.input(Self.input, .text("a")), user: "ida")
        try world.set(SelectionSettings(policy: PolicyDescription("majority")))
        world.runStore()
        world.answerAll { _ in "a" }
        world.runStore()
        #expect(world.output(query) == "a")
        #expect(world.results[feedback] == .counted)
        try world.set(SelectionSettings(policy: PolicyDescription("exp4")))
        world.isStoreSlow = false
        world.runStore()
        let later = world.update(.input(Self.input, .text("a")), user: "ida")
        world.answerAll { _ in "a" }
        #expect(world.results[later] == .counted)
    }

    @Test("What cannot be read is not learned on top of, and queries go by what is known")
    func unreadable() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreSlow = true
        let query = world.predict(user: "ida")
        let feedback = world.update(.input(Self.input, .text("a")), user: "ida")
        let identified = world.update(.input(Self.input, .text("a")), id: "f")
        world.requests = []
        world.receive(.unreadable(StateKey(application: "app", user: "ida"), "the disk is broken"))
        world.receive(.uncheckable(feedback: "f", application: "app", "the disk is broken"))
        #expect(world.results[feedback] == .notDurable("the disk is broken"))
        #expect(world.results[identified] == .notDurable("the disk is broken"))
        world.answerAll { _ in "a" }
        #expect(world.output(query) == "a")
        #expect(world.kept.isEmpty)
        // It is asked again when it is needed again.
        world.predict(user: "ida")
        #expect(world.requests.count == 1)
    }

    @Test("A state that cannot be written costs its own feedback, and what is kept counts")
    func rejected() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 5)
        let weight = world.weight(of: "a")
        world.isStoreSlow = true
        let feedback = world.update(.input(Self.input, .text("a")))
        world.answerAll()
        world.requests = []
        world.receive(.rejected([5], states: [StateKey(application: "app", user: nil)], "it holds NaN"))
        #expect(world.results[feedback] == .notDurable("it holds NaN"))
        world.runStore()
        #expect(world.weight(of: "a") == weight)
        #expect(world.counters(of: "b").lossCount == 5)
    }

    @Test("It is answered when what it taught is kept, not before")
    func durable() throws {
        var world = try SelectorWorld("exp3", models: ["a"])
        world.isStoreSlow = true
        let feedback = world.update(.input(Self.input, .text("a")))
        world.answerAll()
        #expect(world.results[feedback] == nil)
        world.runStore()
        #expect(world.results[feedback] == .counted)
        #expect(world.kept[StateKey(application: "app", user: nil)]?.policy == "exp3 zero-one")
    }

    @Test("Under one id it counts once: at once, while it is under way, and after a restart")
    func once() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreSlow = true
        let twins = (0..<2).map { _ in world.update(.input(Self.input, .text("a")), id: "f") }
        world.runStore()
        #expect(world.asked.map(\.model) == ["a", "b"])
        world.answerAll()
        world.runStore()
        #expect(twins.map { world.results[$0] } == [.counted, .duplicate])
        world.isStoreSlow = false
        let weight = world.weight(of: "a")
        let late = world.update(.input(Self.input, .text("a")), id: "f")
        #expect(world.results[late] == .duplicate)
        try world.restart()
        let afterwards = world.update(.input(Self.input, .text("a")), id: "f")
        #expect(world.results[afterwards] == .duplicate)
        #expect(world.weight(of: "a") == weight)
        #expect(world.asked.isEmpty)
        let other = world.update(.input(Self.input, .text("a")), id: "g")
        world.answerAll()
        #expect(world.results[other] == .counted)
        #expect(world.weight(of: "a") > weight)
    }

    @Test("Feedback that nothing came of may be sent again under its id")
    func again() throws {
        var world = try SelectorWorld("exp4")
        let failed = world.update(.input(Self.input, .text("a")), id: "f")
        world.finish("a", .defaultOutput(.deadline))
        world.finish("b", .defaultOutput(.deadline))
        #expect(world.results[failed] == .noAnswer)
        let again = world.update(.input(Self.input, .text("a")), id: "f")
        world.answerAll()
        #expect(world.results[again] == .counted)
    }

    @Test("A query that is unknown, of another application or too old is said to be")
    func unknownQueries() throws {
        var world = try SelectorWorld(
            "exp3", models: ["a"],
            bounds: Selector.Bounds(feedbackQueries: 2, feedbackAge: .seconds(60)))
        #expect(world.results[world.update(.query(99, .reward(1)))] == .unknownQuery)
        let queries = (0..<3).map { _ in world.predict() }
        world.answerAll()
        #expect(world.results[world.update(.query(queries[0], .reward(1)))] == .unknownQuery)
        #expect(world.results[world.update(.query(queries[1], .reward(1)))] == .counted)
        world.wait(.seconds(61))
        #expect(world.results[world.update(.query(queries[2], .reward(1)))] == .unknownQuery)
        #expect(world.report()?.feedback.unknownQuery == 3)
    }

    @Test("A label that the answers cannot be compared with teaches nothing")
    func incomparable() throws {
        var world = try SelectorWorld("exp3", models: ["a"], loss: .absolute)
        let feedback = world.update(.input(Self.input, .text("a text")))
        world.answer("a", "3")
        #expect(world.results[feedback] == .incomparable)
        #expect(world.kept.isEmpty)
    }

    @Test("A new user begins with what the application knows, and then learns alone")
    func users() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 20)
        let known = world.weight(of: "a")
        #expect(world.report(user: "anna")?.isOwn == false)
        #expect(world.weight(of: "a", for: "anna") == known)
        for _ in 0..<40 {
            world.update(.input(Self.input, .text("b")), user: "anna")
            world.answerAll()
        }
        #expect(world.report(user: "anna")?.isOwn == true)
        #expect(world.weight(of: "b", for: "anna") > 0.7)
        #expect(world.weight(of: "b", for: "otto") == world.weight(of: "b"))
    }

    @Test("What users teach, the application learns too")
    func shared() throws {
        var world = try SelectorWorld("exp4")
        for user in 0..<30 { teach(&world, 1, user: "\(user)") }
        #expect(world.weight(of: "a") > 0.7)
        #expect(world.weight(of: "a", for: "a new one") == world.weight(of: "a"))
    }

    @Test("All states come back after a restart, users' when they are needed")
    func restart() throws {
        var world = try SelectorWorld("exp3")
        teach(&world, 30)
        teach(&world, 30, user: "anna")
        let (own, shared) = (world.weight(of: "a", for: "anna"), world.weight(of: "a"))
        try world.restart()
        #expect(world.weight(of: "a") == shared)
        world.predict(user: "anna")
        #expect(world.weight(of: "a", for: "anna") == own)
    }

    @Test("Users that were not seen lately make room, and come back as they were")
    func recentUsers() throws {
        var world = try SelectorWorld("exp4", bounds: Selector.Bounds(usersInMemory: 2))
        teach(&world, 30, user: "anna")
        let weight = world.weight(of: "a", for: "anna")
        for user in ["otto", "ida"] {
            world.predict(user: user)
            world.answerAll()
        }
        #expect(world.report(user: "anna")?.isOwn == false)
        world.predict(user: "anna")
        #expect(world.weight(of: "a", for: "anna") == weight)
    }

    @Test("A user whose state has left memory while models were asked loses nothing")
    func evictedMeanwhile() throws {
        var world = try SelectorWorld("exp4", bounds: Selector.Bounds(usersInMemory: 1))
        teach(&world, 30, user: "anna")
        let weight = world.weight(of: "a", for: "anna")
        let feedback = world.update(.input(Self.input, .text("a")), user: "anna")
        world.predict(user: "otto")
        world.answerAll()
        #expect(world.results[feedback] == .counted)
        #expect(world.weight(of: "a", for: "anna") >= weight)
    }

    @Test("What could not be kept has not counted, and what is kept goes on counting")
    func storeFails() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 5)
        let weight = world.weight(of: "a")
        world.isStoreFull = true
        let feedback = world.update(.input(Self.input, .text("a")), id: "f")
        world.answerAll()
        #expect(world.results[feedback] == .notDurable("the disk is full"))
        #expect(world.weight(of: "a") == weight)
        world.isStoreFull = false
        let again = world.update(.input(Self.input, .text("a")), id: "f")
        world.answerAll()
        #expect(world.results[again] == .counted)
        #expect(world.weight(of: "a") > weight)
    }

    @Test("A reset lets a user, or everybody, begin anew, also after a restart")
    func reset() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 10)
        for _ in 0..<30 {
            world.update(.input(Self.input, .text("b")), user: "anna")
            world.answerAll()
        }
        let shared = world.weight(of: "b")
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: "anna") { _ in } }
        #expect(world.weight(of: "b", for: "anna") == shared)
        #expect(world.kept[StateKey(application: "app", user: "anna")] == nil)
        teach(&world, 10, user: "ida")
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: nil) { _ in } }
        #expect(world.weight(of: "b") == 0.5)
        #expect(world.weight(of: "b", for: "ida") == 0.5)
        #expect(world.report(user: "ida")?.isOwn == false)
        try world.restart()
        #expect(world.weight(of: "b") == 0.5)
        #expect(world.kept.isEmpty)
    }

    @Test("Another policy begins anew, and what an earlier one has kept is not taken for its own")
    func otherPolicy() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 10)
        try world.set(SelectionSettings(policy: PolicyDescription("ucb1")))
        #expect(world.report()?.feedback.counted == 10)
        teach(&world, 2)
        try world.set(SelectionSettings(policy: PolicyDescription("exp4")))
        #expect(world.weight(of: "a") == 0.5)
    }

    @Test("Another loss begins anew as well, and back to the former all is as it was")
    func otherLoss() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 10)
        let weight = world.weight(of: "a")
        try world.set(SelectionSettings(policy: PolicyDescription("exp4"), loss: .squared))
        #expect(world.weight(of: "a") == 0.5)
        try world.set(SelectionSettings(policy: PolicyDescription("exp4")))
        #expect(world.weight(of: "a") == weight)
    }

    @Test("Other parameters and another confidence keep what was learned")
    func otherSettings() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 10)
        let weight = world.weight(of: "a")
        try world.set(SelectionSettings(policy: PolicyDescription("exp4", ["share": .number(0.05)])))
        #expect(world.weight(of: "a") == weight)
        try world.set(SelectionSettings(policy: PolicyDescription("exp4"), minConfidence: 0.9))
        #expect(world.weight(of: "a") == weight)
    }

    @Test("A new version keeps its model's place; a linked model gains one, an unlinked one comes back to its own")
    func links() throws {
        var world = try SelectorWorld("exp4")
        teach(&world, 10)
        let weight = world.weight(of: "a")
        try world.link(["a", "b"], version: 2)
        #expect(world.weight(of: "a") == weight)
        try world.link(["a", "b", "c"])
        #expect(world.report()?.models.map(\.name) == ["a", "b", "c"])
        #expect(world.weight(of: "c") > 0)
        try world.link(["a"])
        #expect(world.weight(of: "a") == 1)
        try world.link(["a", "b"])
        #expect(abs(world.weight(of: "a") - weight) < 1e-9)
    }

    @Test("Shadows are judged by labels, too, are waited for by nobody, and teach the policy nothing")
    func shadows() throws {
        var world = try SelectorWorld("exp4", models: ["a", "shadow"], shadows: ["shadow"])
        let feedback = world.update(.input(Self.input, .text("a")))
        world.answer("a", "a")
        #expect(world.results[feedback] == .counted)
        #expect(world.counters(of: "shadow").meanLoss == nil)
        world.answer("shadow", "b")
        #expect(world.counters(of: "shadow").meanLoss == 1)
        world.update(.input(Self.input, .text("a")))
        world.answer("shadow", "a")
        world.answer("a", "a")
        #expect(world.counters(of: "shadow").meanLoss == 0.5)
        #expect(world.weight(of: "a") == 1)
    }
}
