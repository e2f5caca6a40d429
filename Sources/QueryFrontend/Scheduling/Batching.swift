/// How batches for a model are formed.
public struct Batching: Sendable, Hashable {
    /// How many queries a batch may hold, decided for each replica anew whenever one is formed.
    public enum Limit: Sendable, Hashable {
        /// The most whose predicted latency fits what is left of the SLO; the default.
        case deadline
        /// Additive increase of a full batch that was in time, multiplicative decrease by `backoff` (such as 0.9) after
        /// one that was late (Clipper, NSDI 2017, section 4.3.1).
        case aimd(increase: Int, backoff: Double)
        /// That many, whatever the latencies.
        case fixed(Int)
    }

    /// The most queries that any batch may hold unless a model says otherwise.
    public static let defaultMaxBatch = 4096

    /// How many queries a batch may hold.
    public var limit: Limit
    /// How long a replica with nothing to do may wait for company for a query that has come, where the deadline and the
    /// rate at which queries come make that pay; zero sends at once.
    public var maxDelay: Duration
    /// What no limit exceeds, in queries.
    public var maxBatch: Int

    /// A batching of these parts; without any, Clipper's adaptive one.
    public init(limit: Limit = .deadline, maxDelay: Duration = .zero, maxBatch: Int = Self.defaultMaxBatch) {
        self.limit = limit
        self.maxDelay = maxDelay
        self.maxBatch = maxBatch
    }
}
