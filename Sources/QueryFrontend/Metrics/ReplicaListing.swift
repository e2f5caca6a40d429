package import ContainerRPC

/// A connected replica as it is listed.
package struct ReplicaListing: Hashable, Sendable {
    package var id: ReplicaID
    package var model: ModelVersion
    /// Counts up from 0 for each model version; of one that somebody has registered, it is not used again.
    package var number: Int
    package var inputType: InputType
    package var rpcVersion: RPCVersion
    package var details: RegistrationDetails
    package var batchesInFlight: Int
    /// Batches that it had when its model was deleted, and may still be busy with; nobody waits for them.
    package var voidBatches = 0
    package var lastReceived: MonotonicTime
    /// Its model was deleted while it was connected, and is not registered again.
    package var isDismissed = false
}
