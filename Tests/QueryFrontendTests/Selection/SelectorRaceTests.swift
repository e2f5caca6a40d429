import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

/// What happens while the store is asked, as the simulator has found it.
@Suite struct SelectorRaceTests {
    private static let input = SelectorWorld.payload(1)

    /// A label comes, and all models answer.
    @discardableResult
    private func teach(_ world: inout SelectorWorld, user: String? = nil, id: String? = nil) -> UInt64 {
        let feedback = world.update(.input(Self.input, .text("a")), user: user, id: id)
        world.answerAll()
        return feedback
    }

    @Test("What the very first feedback taught is forgotten where it could not be kept")
    func firstCommitFails() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreFull = true
        #expect(world.results[teach(&world)] == .notDurable("the disk is full"))
        #expect(world.weight(of: "a") == 0.5)
    }

    @Test("A reset also resets what is just being read")
    func resetWhileReading() throws {
        var world = try SelectorWorld("exp4", bounds: Selector.Bounds(usersInMemory: 1))
        for _ in 0..<5 { teach(&world, user: "anna") }
        try world.restart()
        world.isStoreSlow = true
        try world.link(world.models)
        // The store has read before it forgets, and what it has read comes after the reset.
        world.selector.reset(SelectorWorld.application, named: "app", user: nil) { _ in }
        world.with { _, _, _ in }
        world.runStore()
        #expect(world.weight(of: "a") == 0.5)
    }

    @Test("A reset user is not taken for what was read of them before, even when others had the memory meanwhile")
    func resetUserWhileReading() throws {
        var world = try SelectorWorld("exp4", bounds: Selector.Bounds(usersInMemory: 1))
        for _ in 0..<20 { world.update(.input(Self.input, .text("b")), user: "anna") }
        world.answerAll()
        teach(&world, user: "ben")
        world.isStoreSlow = true
        let query = world.predict(user: "anna")
        let read = world.requests
        world.requests = []
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: "anna") { _ in } }
        let afterwards = world.requests
        world.requests = []
        // Ben's state comes, and takes the only place.
        world.with { selector, _, _ in
            selector.submit(
                SelectedFeedback(
                    waiter: Waiter(
                        ticket: Ticket(sink: 0, request: 900, item: 0), application: SelectorWorld.application,
                        arrived: MonotonicTime(nanoseconds: 0), deadline: .distantFuture),
                    subject: .input(Self.input, .text("a")), user: "ben"), now: MonotonicTime(nanoseconds: 0)
            ) { _ in .answering }
        }
        let others = world.requests
        world.requests = read
        let isKept = world.kept[StateKey(application: "app", user: "anna")] != nil
        #expect(isKept)
        // What was read of anna before the reset comes after ben.
        world.requests = []
        let before = world.kept
        world.requests = others
        world.runStore()
        world.kept = before
        world.requests = read
        world.runStore()
        world.requests = afterwards
        world.runStore()
        world.answerAll()
        #expect(world.answers[query] != nil)
        #expect(world.weight(of: "b", for: "anna") == world.weight(of: "b"))
    }

    @Test("What a user has learned after a reset stays, also where a state was being read then and evicted since")
    func learnsAfterResetWhileReading() throws {
        var world = try SelectorWorld("exp4", bounds: Selector.Bounds(usersInMemory: 1))
        teach(&world, user: "anna")
        teach(&world, user: "ben")
        world.isStoreSlow = true
        world.predict(user: "anna")
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: "anna") { _ in } }
        let feedback = world.update(.input(Self.input, .text("b")), user: "anna")
        world.answerAll()
        // Ben takes the only place without being read.
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: "ben") { _ in } }
        for _ in 0..<4 {
            world.runStore()
            world.answerAll()
        }
        #expect(world.results[feedback] == .counted)
        world.isStoreSlow = false
        // Nobody else has the memory, and what is kept of her is read.
        #expect(world.report(user: "anna")?.isOwn == true)
    }

    @Test("Nothing waits for a state that another policy has no need of")
    func otherPolicyWhileReading() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreSlow = true
        let feedback = world.update(.input(Self.input, .text("a")), user: "anna")
        let query = world.predict(user: "anna")
        try world.set(SelectionSettings(policy: PolicyDescription("majority")))
        world.runStore()
        world.answerAll()
        world.runStore()
        #expect(world.results[feedback] == .counted)
        #expect(world.answers[query] != nil)
    }

    @Test("Feedback that comes while its application has no policy does not let its twin count twice")
    func twinsWithoutPolicy() throws {
        var world = try SelectorWorld("exp4")
        let first = world.update(.input(Self.input, .text("a")), id: "f")
        world.with { selector, now, _ in selector.removeApplication(SelectorWorld.application, now: now) }
        let second = world.update(.input(Self.input, .text("a")), id: "f")
        try world.link(world.models)
        let third = world.update(.input(Self.input, .text("a")), id: "f")
        world.answerAll()
        #expect([first, second, third].map { world.results[$0] } == [.counted, .notLearning, .duplicate])
    }

    @Test("Feedback that waited for another under the same id hears that it has not counted, where that has not")
    func joinedFeedbackFailsToo() throws {
        var world = try SelectorWorld("exp4")
        world.isStoreSlow = true
        let first = world.update(.input(SelectorWorld.payload(1), .text("a")), id: "one")
        let second = world.update(.input(SelectorWorld.payload(1), .text("a")), id: "one")
        world.runStore()
        world.answerAll()
        world.isStoreFull = true
        world.runStore()
        #expect(world.results[first] == .notDurable("the disk is full"))
        #expect(world.results[second] == .notDurable("the disk is full"))
    }

    @Test("A new user learns the first feedback once, not also with what the application has learned of it")
    func newUserLearnsOnce() throws {
        var world = try SelectorWorld("exp4")
        world.update(.input(SelectorWorld.payload(1), .text("a")), user: "anna")
        world.answerAll()
        #expect(world.weight(of: "a") > 0.5)
        #expect(abs(world.weight(of: "a", for: "anna") - world.weight(of: "a")) < 1e-9)
    }

    @Test("What was read before a reset is not taken for what is, however often the policy was lost meanwhile")
    func readTwiceBeforeReset() throws {
        var world = try SelectorWorld("exp4")
        for _ in 0..<5 {
            world.update(.input(SelectorWorld.payload(1), .text("a")))
            world.answerAll()
        }
        world.isStoreSlow = true
        try world.restart()
        for _ in 0..<2 {
            world.with { selector, now, _ in selector.removeApplication(SelectorWorld.application, now: now) }
            try world.link(world.models)
        }
        world.with { selector, now, _ in selector.removeApplication(SelectorWorld.application, now: now) }
        world.with { selector, _, _ in selector.reset(SelectorWorld.application, named: "app", user: nil) { _ in } }
        try world.link(world.models)
        world.runStore()
        #expect(world.weight(of: "a") == 0.5)
    }
}
