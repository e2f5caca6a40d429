import ContainerRPC

/// What has happened in a frontend since its start, by application and by model version.
///
/// A value; the dispatch thread owns it and hands out copies.
struct FrontendMetrics: Sendable {
    /// One application.
    struct ApplicationMetrics: Sendable {
        let name: String
        var latency = Distribution.microseconds
        var throughput: Meter
        var defaults: [DefaultReason: Int] = [:]

        mutating func record(_ outcome: Outcome, after duration: Duration, now: MonotonicTime) {
            latency.record(duration)
            throughput.mark(now: now)
            if case .defaultOutput(let reason) = outcome { defaults[reason, default: 0] += 1 }
        }

        /// Queries answered.
        var queries: Int { throughput.count }
        /// Those of them that got the default output.
        var defaultCount: Int { defaults.values.reduce(0, +) }
    }

    /// One model version.
    struct ModelMetrics: Sendable {
        var latency = Distribution.microseconds
        var batchSizes = Distribution.sizes
        var throughput: Meter
        /// Queries sent again because their replica was lost.
        var retries = 0

        mutating func record(_ size: Int, in duration: Duration, now: MonotonicTime) {
            latency.record(duration)
            batchSizes.record(size)
            throughput.mark(size, now: now)
        }

        /// Queries answered by replicas.
        var queries: Int { throughput.count }
    }

    let started: MonotonicTime
    var applications: [ApplicationHandle: ApplicationMetrics] = [:]
    var models: [ModelVersion: ModelMetrics] = [:]
    /// Queries that replicas answered.
    var aggregateThroughput: Meter
    /// For each batch, from the arrival of the query that has waited longest to the sending.
    var queueingDelay = Distribution.microseconds
    /// Messages that were of no use, by kind.
    var badMessages: [String: Int] = [:]
    /// Replicas that are gone, by reason.
    var replicasLost: [String: Int] = [:]

    init(now: MonotonicTime) {
        started = now
        aggregateThroughput = Meter(now: now)
    }

    /// A replica has answered a batch.
    mutating func completed(_ size: Int, of model: ModelVersion, in duration: Duration, now: MonotonicTime) {
        models[model, default: ModelMetrics(throughput: Meter(now: now))].record(size, in: duration, now: now)
        aggregateThroughput.mark(size, now: now)
    }

    /// A model version exists: it is listed before its first query.
    mutating func noteModel(_ model: ModelVersion, now: MonotonicTime) {
        if models[model] == nil { models[model] = ModelMetrics(throughput: Meter(now: now)) }
    }

    /// An application exists: it is listed before its first query.
    mutating func noteApplication(_ handle: ApplicationHandle, _ name: String, now: MonotonicTime) {
        if applications[handle] == nil {
            applications[handle] = ApplicationMetrics(name: name, throughput: Meter(now: now))
        }
    }
}
