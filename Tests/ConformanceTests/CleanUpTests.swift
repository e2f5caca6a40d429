import ContainerRPC
import Dispatch
import Testing

@testable import ContainerConformance

@Suite struct CleanUpTests {
    @Test func `an interrupted kit undoes what has begun and is not done with, and begins nothing more`() throws {
        let cleanUps = CleanUps()
        let undone = Locked<Set<String>>([])
        func begin(_ name: String) throws -> Int {
            try cleanUps.add { ((), undo: { undone.withLock { _ = $0.insert(name) } }) }.number
        }
        _ = try begin("a process")
        let done = try begin("another")
        _ = try begin("a name")
        cleanUps.remove(done)
        #expect(!cleanUps.isOver)
        cleanUps.run(within: .seconds(60))
        #expect(cleanUps.isOver)
        #expect(undone.withLock { $0 } == ["a process", "a name"])
        #expect(throws: CancellationError.self) { try begin("a late one") }
    }

    @Test func `a clean-up that does not end holds the kit up for a bounded time`() throws {
        let cleanUps = CleanUps()
        let isReleased = DispatchSemaphore(value: 0)
        _ = try cleanUps.add { ((), undo: { isReleased.wait() }) }
        cleanUps.run(within: .milliseconds(10))
        isReleased.signal()
    }

    @Test func `names are deleted once, the application first, and nothing is registered after that`() throws {
        let names = RegisteredNames(suffix: "x")
        var asked: [String] = []
        func delete() { names.delete { operation, _ in asked.append(operation) } }
        try names.register(.model) {}
        // It may be registered all the same.
        #expect(throws: HTTPFailure.self) {
            try names.register(.application) { throw HTTPFailure(description: "no answer") }
        }
        delete()
        #expect(asked == ["delete_app", "delete_versioned_model"])
        #expect(throws: CancellationError.self) { try names.register(.application) {} }
        delete()
        #expect(asked.count == 2)
    }
}
