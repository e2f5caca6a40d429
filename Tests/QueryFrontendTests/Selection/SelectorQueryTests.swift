import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Selector: queries")
struct SelectorQueryTests {
    @Test("A query goes to the models that its policy chooses, and their answers become one")
    func ensemble() throws {
        var world = try SelectorWorld("majority", models: ["a", "b", "c"])
        let query = world.predict()
        #expect(world.asked.map(\.model) == ["a", "b", "c"])
        world.answer("a", "1")
        world.answer("b", "2")
        #expect(world.answers[query] == nil)
        world.answer("c", "2")
        #expect(world.output(query) == "2")
        #expect(world.answers[query]?.combined?.models == ["a:1", "b:1", "c:1"])
        #expect(world.answers[query]?.combined?.confidence == 2.0 / 3)
    }

    @Test("Of a policy that draws one model, that model alone is asked")
    func oneModel() throws {
        var world = try SelectorWorld("exp3")
        let query = world.predict()
        #expect(world.asked.count == 1)
        let model = try #require(world.asked.first?.model)
        world.answerAll()
        #expect(world.output(query) == model)
        #expect(world.answers[query]?.combined == Combined(models: ["\(model):1"], confidence: 1))
    }

    @Test("The answers that have come by the deadline are combined, and who came late is counted")
    func stragglers() throws {
        var world = try SelectorWorld("majority", models: ["a", "b", "c"])
        let query = world.predict()
        world.answer("a", "1")
        world.finish("b", .defaultOutput(.deadline))
        world.finish("c", .defaultOutput(.deadline))
        #expect(world.output(query) == "1")
        #expect(world.answers[query]?.combined?.models == ["a:1"])
        #expect(world.answers[query]?.combined?.confidence == 1.0 / 3)
        #expect(world.counters(of: "a").straggled == 0)
        #expect(world.counters(of: "b").straggled == 1)
        #expect(world.counters(of: "a").combined == 1)
        #expect(world.counters(of: "b").combined == 0)
        #expect(world.counters(of: "b").chosen == 1)
    }

    @Test("Where no answer has come by the deadline the default output is given, with the reason")
    func nobody() throws {
        var world = try SelectorWorld("majority", models: ["a", "b"])
        let query = world.predict()
        world.finish("a", .failed(.modelError, "division by zero"))
        world.finish("b", .defaultOutput(.deadline))
        #expect(world.reason(query) == .deadline)
        #expect(world.answers[query]?.combined == Combined(models: [], confidence: 0))
    }

    @Test("What the only model that was asked says of its failure is passed on")
    func failure() throws {
        var world = try SelectorWorld("exp3", models: ["a"])
        let query = world.predict()
        world.finish("a", .failed(.modelError, "division by zero"))
        #expect(world.answers[query]?.outcome.explanation == "The model failed: division by zero")
    }

    @Test("A model without a live replica is left out, and one alone answers for all")
    func unserved() throws {
        var world = try SelectorWorld("majority", models: ["a", "b", "c"])
        world.unserved = ["a", "c"]
        let query = world.predict()
        #expect(world.asked.map(\.model) == ["b"])
        world.answerAll()
        #expect(world.output(query) == "b")
        #expect(world.answers[query]?.combined?.confidence == 1)
    }

    @Test("Models whose replicas have not answered for long are asked where nobody else is there")
    func silent() throws {
        var world = try SelectorWorld("majority", models: ["a", "b", "c"])
        world.silent = ["a", "c"]
        _ = world.predict()
        #expect(world.asked.map(\.model) == ["b"])
        world.answerAll()
        world.unserved = ["b"]
        _ = world.predict()
        #expect(Set(world.asked.map(\.model)) == ["a", "c"])
    }

    @Test("Without any replica the default output is given at once")
    func allUnserved() throws {
        var world = try SelectorWorld("majority")
        world.unserved = ["a", "b"]
        let query = world.predict()
        #expect(world.reason(query) == .noReplica)
    }

    @Test("Below the application's confidence the default output is given")
    func minConfidence() throws {
        var world = try SelectorWorld("majority", models: ["a", "b", "c"], minConfidence: 0.6)
        let sure = world.predict()
        world.answerAll { $0 == "c" ? "2" : "1" }
        #expect(world.output(sure) == "1")
        let unsure = world.predict()
        world.answerAll()
        #expect(world.reason(unsure) == .lowConfidence)
        #expect(world.answers[unsure]?.combined?.models == ["a:1", "b:1", "c:1"])
        #expect(world.answers[unsure]?.combined?.confidence == 1.0 / 3)
        var divided = try SelectorWorld("majority", minConfidence: 0.5)
        let just = divided.predict()
        divided.answerAll()
        #expect(divided.output(just) == "a")
    }

    @Test("A shadow gets each query, is compared, and is neither waited for nor returned")
    func shadow() throws {
        var world = try SelectorWorld(
            PolicyDescription.standard.name, models: ["a", "shadow"], shadows: ["shadow"])
        let first = world.predict()
        #expect(world.asked.map(\.model) == ["a", "shadow"])
        world.answer("a", "1")
        #expect(world.output(first) == "1")
        // Clipper's own policy answers as it does without a shadow.
        #expect(world.answers[first]?.combined == nil)
        world.answer("shadow", "1.0")
        #expect(world.counters(of: "shadow").shadowAgreed == 1)
        let second = world.predict()
        world.answer("shadow", "2")
        #expect(world.answers[second] == nil)
        world.answer("a", "1")
        #expect(world.output(second) == "1")
        #expect(world.counters(of: "shadow").shadowDisagreed == 1)
        #expect(world.counters(of: "shadow").chosen == 0)
    }

    @Test("The models are named in the versions that were asked")
    func versions() throws {
        var world = try SelectorWorld("exp3", models: ["a"])
        world.predict()
        try world.link(["a"], version: 2)
        world.answerAll()
        #expect(world.answers[0]?.combined?.models == ["a:1"])
        world.predict()
        world.answerAll()
        #expect(world.answers[1]?.combined?.models == ["a:2"])
    }

    @Test("Where very many states are waited for, nobody waits for another one")
    func lateDisk() throws {
        var world = try SelectorWorld("exp3")
        world.isStoreSlow = true
        for user in 0..<Selector.mostLoads { world.predict(user: "\(user)") }
        #expect(world.asked.isEmpty)
        world.predict(user: "one more")
        #expect(world.asked.count == 1)
        world.predict(user: "0")
        #expect(world.asked.count == 1)
    }

    @Test("However much feedback waits to hear whether it has counted, queries wait for their users' states")
    func manyChecks() throws {
        var world = try SelectorWorld("exp3")
        world.isStoreSlow = true
        for id in 0..<Selector.mostLoads { world.update(.input(SelectorWorld.payload(1), .text("a")), id: "\(id)") }
        world.predict(user: "anna")
        #expect(world.asked.isEmpty)
        world.runStore()
        #expect(world.asked.contains { $0.query.waiter.ticket.request > 0 })
    }

    @Test("An application without a policy learns from nothing, and takes no place of those that do")
    func withoutPolicy() throws {
        var world = try SelectorWorld(
            PolicyDescription.standard.name, bounds: Selector.Bounds(usersInMemory: 1, feedbackQueries: 10))
        let query = world.predict()
        world.answerAll()
        #expect(world.output(query) == "a")
        #expect(world.selector.load.answeredQueries == 0)
        let ofQuery = world.update(.query(query, .label(.text("a"))))
        let ofInput = world.update(.input(SelectorWorld.payload(1), .text("a")), id: "f")
        #expect(world.results[ofQuery] == .notLearning)
        #expect(world.results[ofInput] == .notLearning)
        #expect(world.asked.isEmpty)
    }

    @Test("A query waits for its user's state for half of its time, and then goes by the application's")
    func slowStore() throws {
        var world = try SelectorWorld("exp3")
        world.isStoreSlow = true
        let query = world.predict(user: "anna", slo: .milliseconds(20))
        #expect(world.asked.isEmpty)
        #expect(world.selector.deadline == world.now + .milliseconds(10))
        world.wait(.milliseconds(9))
        #expect(world.asked.isEmpty)
        world.wait(.milliseconds(1))
        #expect(world.asked.count == 1)
        world.answerAll()
        #expect(world.output(query) != nil)
        // The state that comes late is not for this query any more.
        world.runStore()
        #expect(world.asked.isEmpty)
        #expect(world.selector.deadline == nil)
    }

    @Test("Queries of one user that wait for the same state ask the store once")
    func loadsOnce() throws {
        var world = try SelectorWorld("exp3")
        world.isStoreSlow = true
        for _ in 0..<3 { world.predict(user: "anna") }
        #expect(world.requests.count == 1)
        world.runStore()
        #expect(world.asked.count == 3)
        world.answerAll()
        world.predict(user: "anna")
        #expect(world.requests.isEmpty)
    }

    @Test("Where an application loses its policy, what waits for a state goes to the first linked model that is served")
    func removed() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreSlow = true
        let waiting = world.predict(user: "anna")
        world.unserved = ["a"]
        world.with { selector, now, serving in
            selector.removeApplication(SelectorWorld.application, now: now, serving: serving)
        }
        #expect(world.asked.map(\.model) == ["b"])
        #expect(world.asked[0].query.waiter.ticket.request == waiting)
    }

    @Test("When an application is gone, what waited gets the default output, and what is under way its answer")
    func gone() throws {
        var world = try SelectorWorld("exp4")
        let underWay = world.predict()
        world.isStoreSlow = true
        let waiting = world.predict(user: "anna")
        let feedback = world.update(.input(SelectorWorld.payload(1), .number(1)), user: "anna")
        world.with { selector, now, _ in selector.removeApplication(SelectorWorld.application, now: now) }
        #expect(world.reason(waiting) == .noReplica)
        #expect(world.results[feedback] == .notLearning)
        world.answerAll { _ in "1" }
        #expect(world.output(underWay) == "1")
    }

    @Test("When the frontend ends, what waits for the store is answered")
    func abandoned() throws {
        var world = try SelectorWorld("exp3")
        world.isStoreSlow = true
        let query = world.predict(user: "anna")
        let feedback = world.update(.input(SelectorWorld.payload(1), .number(1)), user: "anna")
        world.with { selector, _, _ in selector.abandonAll() }
        #expect(world.reason(query) == .stopping)
        #expect(world.results[feedback] == .stopping)
    }
}
