import ContainerRPC

/// What the dispatch thread knows at one moment, and what others add to it.
struct DispatchReport: Sendable {
    var now: MonotonicTime
    var metrics: FrontendMetrics
    var catalog = Catalog()
    var replicas: [ReplicaListing] = []
    /// How each replica does.
    var loads: [ReplicaID: ReplicaLoad] = [:]
    /// Answered batches and queries of each replica.
    var completed: [ReplicaID: ReplicaCounts] = [:]
    /// Queries that wait for each model version.
    var queued: [ModelVersion: Int] = [:]
    /// Bytes of inputs that wait for each model version.
    var queuedBytes: [ModelVersion: Int] = [:]
    /// What the scheduler has counted for each model version.
    var counters: [ModelVersion: SchedulingCounters] = [:]
    /// Connections to the RPC port.
    var rpcConnections = 0
    /// What the query port has open and holds.
    var http = HTTPLoad()
    /// What the system says of the process, where that was asked for.
    var process: ProcessFigures?
    /// What the prediction cache holds.
    var cache: CacheStatistics?
    /// How the applications do whose policies choose, where that was asked for.
    var selections: [SelectionReport] = []

    init(now: MonotonicTime) {
        self.now = now
        metrics = FrontendMetrics(now: now)
    }
}

/// What the query port has open and holds at one moment.
struct HTTPLoad: Hashable, Sendable {
    var connections = 0
    /// Bytes of the bodies of requests under way and of long answers.
    var heldBytes = 0
}
