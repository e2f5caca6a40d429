/// What can be changed of a version of a model after its registration; what is `nil` stays as it is.
public struct ModelOptions: Sendable, Equatable {
    /// How many queries a batch may hold, for the batches that are formed from then on.
    public var limit: Batching.Limit?
    /// How long a replica with nothing to do may wait for company.
    public var maxDelay: Duration?
    /// The most queries in any batch. Left out beside another limit it becomes that one's default, where it was a default.
    public var maxBatch: Int?
    /// Whether its outputs may be kept for equal inputs. What was kept before is dropped.
    public var cachesPredictions: Bool?
    /// Free labels, all of them.
    public var labels: [String]?

    /// Options of these parts.
    public init(
        limit: Batching.Limit? = nil, maxDelay: Duration? = nil, maxBatch: Int? = nil, cachesPredictions: Bool? = nil,
        labels: [String]? = nil
    ) {
        self.limit = limit
        self.maxDelay = maxDelay
        self.maxBatch = maxBatch
        self.cachesPredictions = cachesPredictions
        self.labels = labels
    }
}
