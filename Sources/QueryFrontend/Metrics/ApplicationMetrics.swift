import ContainerRPC

/// What has happened to an application's queries since the frontend's start.
struct ApplicationMetrics: Sendable {
    let name: String
    /// Whether queries that are too many are refused with 503 instead of given the default output.
    var rejectsOverload: Bool
    /// From a query's arrival to its outcome; refused ones are not in it.
    var latency: RecentDistribution
    var throughput: Meter
    /// Default outputs, by reason.
    var defaults = Counts<DefaultReason>()
    /// Queries that were refused.
    var rejected = 0

    init(name: String, rejectsOverload: Bool, now: MonotonicTime) {
        self.name = name
        self.rejectsOverload = rejectsOverload
        latency = RecentDistribution(now: now)
        throughput = Meter(now: now)
    }

    /// A query has its outcome.
    mutating func record(_ outcome: Outcome, after duration: Duration, now: MonotonicTime) {
        if let reason = outcome.defaultReason {
            guard !rejectsOverload || !reason.isOverload else {
                rejected += 1
                return
            }
            defaults.add(to: reason)
        }
        latency.record(duration, now: now)
        throughput.mark(now: now)
    }

    /// Queries answered, with whatever output; refused ones are not among them.
    var queries: Int { throughput.count }
    /// Those of them that got the default output.
    var defaultCount: Int { defaults.total }
}
