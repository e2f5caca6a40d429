import ContainerRPC

/// What has happened to a model version's queries since the frontend's start; the scheduler counts the rest.
struct ModelMetrics: Sendable {
    let id: ModelVersion
    /// From a batch's sending to its answer.
    var latency: RecentDistribution
    var batchSizes = Distribution.sizes
    var throughput: Meter
    /// For each query, from its arrival to its sending.
    var queueTime = Distribution.microseconds
    /// Batches that a replica has failed for, wholly or in part.
    var failedBatches = 0
    /// Queries that were looked up in the cache.
    var cacheLookups = 0
    /// Those of them whose output was there.
    var cacheHits = 0

    init(id: ModelVersion, now: MonotonicTime) {
        self.id = id
        latency = RecentDistribution(now: now)
        throughput = Meter(now: now)
    }

    /// A batch was sent whose queries had arrived at these times.
    mutating func sent(arrivals: [MonotonicTime], now: MonotonicTime) {
        for arrival in arrivals { queueTime.record(from: arrival, to: now) }
    }

    /// A replica has answered a batch.
    mutating func completed(_ size: Int, in duration: Duration, now: MonotonicTime) {
        latency.record(duration, now: now)
        batchSizes.record(size)
        throughput.mark(size, now: now)
    }

    /// Queries answered by replicas.
    var queries: Int { throughput.count }
}

extension HandleTable where Key == ModelHandle, Value == ModelMetrics {
    /// The value of a model version by its name: for what is rare.
    subscript(id: ModelVersion) -> ModelMetrics? {
        get { key { $0.id == id }.flatMap { self[$0] } }
        set { if let handle = key(where: { $0.id == id }) { self[handle] = newValue } }
    }
}
