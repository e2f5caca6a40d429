import ContainerRPC
import ModelContainer
import TestSupport

/// A model of doubles that answers each input with its first number, once it is let go on.
///
/// The number 13 makes it throw.
final class HeldModel: Sendable {
    struct Unlucky: Error {}

    private let gate = Gate()
    private let batches = Locked<[[Double]]>([])

    var container: ModelContainer {
        ModelContainer { [self] (batch: InputBatch<Double>) in
            batches.withLock { $0.append(batch.elements) }
            gate.wait()
            guard !batch.elements.contains(13) else { throw Unlucky() }
            return batch.map { $0.first ?? -1 }
        }
    }

    /// The numbers of all batches that were begun.
    var begunBatches: [[Double]] { batches.withLock { $0 } }

    /// Waits until the model is busy with a batch.
    func waitForBatch() async throws {
        try await eventually("the model begins a batch") { !begunBatches.isEmpty }
    }

    /// Lets it answer.
    func goOn() { gate.open() }
}
