package import ContainerRPC

/// What follows from the scheduler's events, until the one who drives it has carried it out.
package struct SchedulerEffects: Sendable {
    /// A batch that is to be sent.
    package struct Dispatch: Sendable {
        package var batch: UInt32
        package var replica: ReplicaID
        package var model: ModelHandle
        package var inputType: InputType
        package var inputs: [Payload]
        /// When no answer to it is of use any more.
        package var expires: MonotonicTime
        /// That of its first query that has one.
        package var trace: QueryTrace?
        /// When each of its queries arrived that is not a hedge.
        package var arrivals: [MonotonicTime]
    }

    /// A query's outcome that is to be delivered.
    package struct Answer: Sendable {
        package var waiter: Waiter
        package var outcome: Outcome
    }

    /// An output that may be kept.
    package struct Computed: Sendable {
        package var key: CacheKey
        package var output: ArraySlice<UInt8>
    }

    /// What an operator may want to know.
    package enum Notice: Hashable, Sendable {
        /// A replica's batch is far beyond what was predicted; until it answers it gets at most a query to try it with.
        case stuck(ReplicaID, ModelHandle, batchAge: Duration)
        /// A replica has not answered a batch, and others that were sent after it.
        case missing(ReplicaID, ModelHandle, batch: UInt32, batchAge: Duration)
        /// A replica that was stuck has answered.
        case recovered(ReplicaID, ModelHandle)
    }

    package internal(set) var dispatches: [Dispatch] = []
    package internal(set) var answers: [Answer] = []
    package internal(set) var computed: [Computed] = []
    package internal(set) var notices: [Notice] = []
    /// Replicas that have not answered a batch for long after anybody waited for it: it may be lost there.
    package internal(set) var givenUp: [ReplicaID] = []

    mutating func answer(_ waiter: Waiter, _ outcome: Outcome) {
        answers.append(Answer(waiter: waiter, outcome: outcome))
    }

    mutating func clear() {
        dispatches.removeAll(keepingCapacity: true)
        answers.removeAll(keepingCapacity: true)
        computed.removeAll(keepingCapacity: true)
        notices.removeAll(keepingCapacity: true)
        givenUp.removeAll(keepingCapacity: true)
    }
}

/// What the scheduler has counted for one model version since it was registered.
package struct SchedulingCounters: Hashable, Sendable {
    /// Queries sent again because their replica was lost or stuck, or had not computed them.
    package var retries = 0
    /// Queries sent to a second replica because the first was late.
    package var hedges = 0
    /// Those of them that the second replica answered first.
    package var hedgesWon = 0
    /// Queries turned away because the queue was full.
    package var queueFull = 0
    /// Queries turned away, or given up, because no replica could have answered them in time.
    package var predictedLate = 0
    /// Queries that joined an equal one that was under way.
    package var shared = 0
    /// How often a replica was found stuck.
    package var stuck = 0
    /// Batches that replicas did not answer, though they answered others that were sent later.
    package var missing = 0

    package init() {}
}
