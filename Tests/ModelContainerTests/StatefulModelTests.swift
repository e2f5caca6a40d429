import ModelContainer
import Synchronization
import Testing

/// A model as a framework may bring it: a class that is not `Sendable`.
private final class Counter {
    private var count = 0

    func next(_ input: [Double]) -> Int {
        count += input.count
        return count
    }
}

/// An actor around it, for a closure that is asynchronous.
private actor CountingActor {
    private let counter = Counter()

    func next(_ batch: InputBatch<Double>) -> [Int] { batch.map { counter.next(Array($0)) } }
}

/// A lock around it, for a closure that blocks.
private final class LockedCounter: Sendable {
    private let counter = Mutex(Counter())

    func next(_ input: [Double]) -> Int { counter.withLock { $0.next(input) } }
}

/// The examples of docs/containers.md; that they compile is the point.
@Suite("Models with a state")
struct StatefulModelTests {
    @Test("An actor is called from an asynchronous closure")
    func actorModel() async throws {
        let model = CountingActor()
        let container = ModelContainer { (batch: InputBatch<Double>) async in await model.next(batch) }
        #expect(try await container.predict([[1.0], [1, 2]]) == ["1", "3"])
    }

    @Test("A lock is taken in a closure that blocks")
    func lockedModel() async throws {
        let model = LockedCounter()
        let container = ModelContainer { (input: [Double]) in model.next(input) }
        #expect(try await container.predict([[1.0], [1, 2]]) == ["1", "3"])
    }
}
