/// How a replica does, as the scheduler sees it.
package struct ReplicaLoad: Hashable, Sendable {
    /// What it is given.
    package enum State: String, Sendable, CaseIterable {
        /// It takes what comes.
        case active
        /// Its batch is far beyond what was predicted: until it answers it gets at most a query to try it with.
        case stuck
        /// It gets nothing new.
        case draining
        /// It serves another input type than its model is registered with, or a model that nobody has registered.
        case unsuitable
    }

    package var state: State
    package var batchesInFlight: Int
    package var queriesInFlight: Int
    /// The learned latency of a batch of n: a + b·n; `nil` before the first answer.
    package var intercept: Duration?
    package var slope: Duration?
    /// What a batch may hold, for queries such as those of its last batch when they come.
    package var batchLimit: Int

    init(_ replica: Replica) {
        if !replica.isSuitable {
            state = .unsuitable
        } else if replica.isDraining || replica.isLeaving {
            state = .draining
        } else {
            state = replica.stuckSince == nil ? .active : .stuck
        }
        batchesInFlight = replica.batches.count
        queriesInFlight = replica.batches.reduce(0) { $0 + $1.size }
        if replica.latency.isKnown {
            intercept = replica.latency.intercept
            slope = replica.latency.slope
        }
        batchLimit = replica.limit.limit(budget: replica.allowance, model: replica.latency)
    }
}
