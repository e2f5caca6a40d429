import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Reports on selections")
struct SelectionReportTests {
    @Test("A model that cannot be asked has no share of the weight, and the others have all of it")
    func weighsThoseThatCanBeAsked() throws {
        var world = try SelectorWorld("ucb1")
        world.unserved = ["b"]
        let query = world.predict()
        world.answerAll()
        world.update(.query(query, .label(.text("a"))))
        #expect(world.weight(of: "a") == 1)
        #expect(world.weight(of: "b") == 0)
        // One that can is to be tried.
        world.unserved = []
        #expect(world.weight(of: "b") == 0.5)
        // Where none can, all are weighed.
        world.unserved = ["a", "b"]
        #expect(world.weight(of: "b") == 0.5)
    }

    /// Says whether it was asked for weights.
    private struct Weighing: SelectionPolicy {
        let times: Locked<Int>

        func initialState() -> Int { 0 }
        func observe(_ feedback: SelectionFeedback, state: inout Int) { state += 1 }
        func select(_ query: SelectionQuery, state: Int, using random: inout SelectionRandom) -> Selection {
            Selection(0)
        }
        func weights(of models: [String], state: Int) -> [Double] {
            times.withLock { $0 += 1 }
            return models.map { _ in Double(state) }
        }
    }

    @Test("Weights are found by whoever wants to know them, of the state as it was")
    func weighsLater() throws {
        let times = Locked(0)
        var states = Weighing(times: times).states(usersInMemory: 10)
        let weigh = states.weighing(for: nil)
        states.observe(SelectionFeedback([], models: ["a"]), for: nil)
        #expect(times.withLock { $0 } == 0)
        #expect(weigh(["a"]) == [0])
        #expect(states.weighing(for: nil)(["a"]) == [1])
        #expect(times.withLock { $0 } == 2)
    }

    @Test("A shadow is compared with what the application was answered, also where that was the default output")
    func comparesWithDefault() throws {
        var world = try SelectorWorld(
            "majority", models: ["a", "b", "s"], minConfidence: 0.9, shadows: ["s"], defaultOutput: "-1")
        for output in ["a", "-1"] {
            world.predict()
            world.answerAll { $0 == "s" ? output : $0 }
        }
        #expect(world.counters(of: "s") == SelectionCounters(shadowAgreed: 1, shadowDisagreed: 1))
    }
}
