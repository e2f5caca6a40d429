import ContainerRPC

/// What has happened in a frontend since its start, by application and by model version.
///
/// A value; the dispatch thread owns it and hands out copies. What is recorded of something that is not registered, or not any
/// more, is dropped.
struct FrontendMetrics: Sendable {
    /// Counts over many models.
    struct Totals: Sendable {
        var queries = 0
        var cacheLookups = 0
        var cacheHits = 0

        fileprivate mutating func add(_ model: ModelMetrics) {
            queries += model.queries
            cacheLookups += model.cacheLookups
            cacheHits += model.cacheHits
        }
    }

    let started: MonotonicTime
    var applications = HandleTable<ApplicationHandle, ApplicationMetrics>()
    var models = HandleTable<ModelHandle, ModelMetrics>()
    /// Of models that are deleted.
    private var forgotten = Totals()
    /// Queries that replicas answered.
    var aggregateThroughput: Meter
    /// For each batch, from the arrival of the query that has waited longest to the sending.
    var queueingDelay = Distribution.microseconds
    /// Messages that were of no use, by kind.
    var badMessages: [String: Int] = [:]
    /// Registrations that were not taken, by reason.
    var refusedRegistrations: [String: Int] = [:]
    /// Connections to the RPC port that were cut, because they were too many.
    var cutConnections = 0
    /// Requests and connections that the query port has answered with an error, by the status.
    var httpErrors: [Int: Int] = [:]
    /// Replicas that are gone, by reason.
    var replicasLost: [String: Int] = [:]

    init(now: MonotonicTime) {
        started = now
        aggregateThroughput = Meter(now: now)
    }

    /// An application exists: it is listed before its first query.
    mutating func noteApplication(_ application: ApplicationHandle, _ name: String, now: MonotonicTime) {
        if applications[application] == nil {
            applications[application] = ApplicationMetrics(name: name, now: now)
        }
    }

    /// How many requests of each application the query server has refused since the start.
    mutating func noteRejected(_ totals: [ApplicationHandle: Int]) {
        for (application, total) in totals { applications[application]?.rejected = total }
    }

    /// A model version exists: it is listed before its first query.
    mutating func noteModel(_ model: ModelHandle, _ id: ModelVersion, now: MonotonicTime) {
        if models[model] == nil { models[model] = ModelMetrics(id: id, now: now) }
    }

    /// A model version is deleted. What happened to its queries still counts for the frontend.
    mutating func forgetModel(_ model: ModelHandle) {
        if let gone = models[model] { forgotten.add(gone) }
        models[model] = nil
    }

    /// What happened to the queries of all models since the start, deleted ones too.
    var totals: Totals {
        models.values.reduce(into: forgotten) { totals, model in totals.add(model) }
    }

    /// A replica has failed for a batch, or for some of its inputs.
    mutating func noteFailure(of model: ModelHandle) {
        models[model]?.failedBatches += 1
    }

    /// A query was looked up in the cache.
    mutating func noteLookup(of model: ModelHandle) {
        models[model]?.cacheLookups += 1
    }

    /// The output of a query that was looked up was there.
    mutating func noteHit(of model: ModelHandle) {
        models[model]?.cacheHits += 1
    }

    /// A batch was sent whose queries had arrived at these times.
    mutating func sent(arrivals: [MonotonicTime], of model: ModelHandle, now: MonotonicTime) {
        models[model]?.sent(arrivals: arrivals, now: now)
        if let first = arrivals.min() { queueingDelay.record(from: first, to: now) }
    }

    /// A replica has answered a batch.
    mutating func completed(_ size: Int, of model: ModelHandle, in duration: Duration, now: MonotonicTime) {
        models[model]?.completed(size, in: duration, now: now)
        aggregateThroughput.mark(size, now: now)
    }
}
