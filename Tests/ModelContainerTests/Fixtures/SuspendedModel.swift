import ContainerRPC
import ModelContainer
import TestSupport

/// An asynchronous model of doubles that answers each input with its first number, once it is let go on or its task is
/// cancelled.
final class SuspendedModel: Sendable {
    private struct Seen {
        var hasBegun = false
        var wasCancelled = false
    }

    private let seen = Locked(Seen())
    /// Ends when the model may go on, or for a task that is cancelled.
    private let pause: AsyncStream<Void>
    private let pauseEnd: AsyncStream<Void>.Continuation

    init() {
        (pause, pauseEnd) = AsyncStream<Void>.makeStream()
    }

    var container: ModelContainer {
        ModelContainer { [self] (batch: InputBatch<Double>) async -> [Double] in
            seen.withLock { $0.hasBegun = true }
            for await _ in pause {}
            seen.withLock { $0.wasCancelled = Task.isCancelled }
            return batch.map { $0.first ?? -1 }
        }
    }

    /// Whether its task was cancelled before it answered.
    var wasCancelled: Bool { seen.withLock { $0.wasCancelled } }

    /// Waits until the model is busy with a batch.
    func waitForBatch() async throws {
        try await eventually("the model begins a batch") { seen.withLock { $0.hasBegun } }
    }

    /// Lets it answer.
    func goOn() { pauseEnd.finish() }
}

/// Runs this in a task that is cancelled already.
func inCancelledTask<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value.self) { tasks in
        tasks.cancelAll()
        tasks.addTask { try await body() }
        return try await tasks.next()
    }
}
