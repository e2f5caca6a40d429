/// What a replica has done since it registered.
struct ReplicaCounts: Hashable, Sendable {
    /// Batches that it has answered, and the queries in them.
    var batches = 0
    var queries = 0
    /// Batches that it has failed for, wholly or in part.
    var failedBatches = 0
}
