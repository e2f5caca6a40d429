import ContainerRPC

/// What has happened to an application's queries since the frontend's start.
struct ApplicationMetrics: Sendable {
    let name: String
    /// From a query's arrival to its outcome.
    var latency: RecentDistribution
    var throughput: Meter
    /// Queries that got no model's output, by reason. That a request was refused for it is not known here.
    var defaults = Counts<DefaultReason>()
    /// Requests that were refused with 503: those all of whose inputs were too many.
    var rejected = 0

    init(name: String, now: MonotonicTime) {
        self.name = name
        latency = RecentDistribution(now: now)
        throughput = Meter(now: now)
    }

    /// A query has its outcome.
    mutating func record(_ outcome: Outcome, after duration: Duration, now: MonotonicTime) {
        if let reason = outcome.defaultReason { defaults.add(to: reason) }
        latency.record(duration, now: now)
        throughput.mark(now: now)
    }

    /// Queries that have an outcome, whatever it is.
    var queries: Int { throughput.count }
    /// Those of them that got no model's output.
    var defaultCount: Int { defaults.total }
}
