package import ContainerRPC

/// What a container has said that it takes at most.
package struct ReplicaCapacity: Hashable, Sendable {
    /// Queries in one batch.
    package var largestBatch: Int
    /// Unanswered batches.
    package var batchesInFlight: Int

    package init(largestBatch: Int = .max, batchesInFlight: Int = .max) {
        self.largestBatch = largestBatch
        self.batchesInFlight = batchesInFlight
    }

    package init(of details: RegistrationDetails) {
        self.init(largestBatch: details.largestBatch ?? .max, batchesInFlight: details.batchesInFlight ?? .max)
    }
}
