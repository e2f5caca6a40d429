import ContainerRPC

/// Decides which queries go to which replica in which batch, and which get the default output instead.
///
/// A value without I/O: events and a time go in; what is to be sent and answered gathers in `dispatches` and `answers`
/// until the one who drives it takes it. One queue per model version, ordered by deadline, is shared by its replicas.
/// It is work-conserving: a replica with a free slot gets what is queued, up to the model's limit, the least loaded
/// replica first.
struct Scheduler: Sendable {
    /// A batch that is to be sent.
    struct Dispatch: Sendable {
        var batch: UInt32
        var replica: ReplicaID
        var inputType: InputType
        var inputs: [Payload]
        /// When the query arrived that has waited longest.
        var oldestArrival: MonotonicTime
    }

    /// A query's outcome that is to be delivered.
    struct Answer: Sendable {
        var ticket: Ticket
        var application: ApplicationHandle
        var arrived: MonotonicTime
        var outcome: Outcome
    }

    /// Batches that one replica may have in flight: the second hides the round trip.
    private let slotsPerReplica: Int
    private var models: [ModelHandle: ModelQueue] = [:]
    private var replicas: [ReplicaID: Replica] = [:]
    private var batches: [UInt32: BatchInFlight] = [:]
    private var nextBatch: UInt32
    /// Models to which something has happened since `dispatch` looked at them.
    private var touched: Set<ModelHandle> = []
    /// A lower bound of all deadlines; found anew when it is reached.
    private var earliestDeadline = MonotonicTime.distantFuture

    private(set) var dispatches: [Dispatch] = []
    private(set) var answers: [Answer] = []

    /// - Parameter firstBatch: where ids begin; a random one keeps late answers to an earlier frontend from being
    ///   taken for answers to this one.
    init(slotsPerReplica: Int = 2, firstBatch: UInt32 = 0) {
        self.slotsPerReplica = slotsPerReplica
        nextBatch = firstBatch
    }

    /// When `tick` has something to do at the latest.
    var deadline: MonotonicTime? {
        earliestDeadline == .distantFuture ? nil : earliestDeadline
    }

    /// Queries that wait and queries in flight that nobody has been told of yet.
    var pendingCount: Int {
        models.values.reduce(0) { $0 + $1.queue.count } + batches.values.reduce(0) { $0 + $1.pending.count }
    }

    /// Queries that wait for a model.
    func queuedCount(of model: ModelHandle) -> Int {
        models[model]?.queue.count ?? 0
    }

    /// Queries in flight on a replica.
    func inFlightCount(on replica: ReplicaID) -> Int {
        replicas[replica].map { $0.batches.reduce(0) { $0 + (batches[$1]?.queries.count ?? 0) } } ?? 0
    }

    /// Forgets what was taken from `dispatches` and `answers`.
    mutating func clearEffects() {
        dispatches.removeAll(keepingCapacity: true)
        answers.removeAll(keepingCapacity: true)
    }

    // MARK: Models and replicas

    /// A model version is registered, or its settings have changed.
    mutating func setModel(_ model: ModelHandle, inputType: InputType, limit: BatchLimit) {
        models[model, default: ModelQueue()].settings = ModelQueue.Settings(inputType: inputType, limit: limit)
        touched.insert(model)
    }

    /// A model version is no longer registered: what waits for it gets the default.
    mutating func removeModel(_ model: ModelHandle) {
        models[model]?.settings = nil
        while let query = models[model]?.queue.popFirst() { answer(query, .defaultOutput(.modelDeleted)) }
    }

    /// A container has registered. It is given work once its model version is registered with the same input type.
    mutating func addReplica(_ id: ReplicaID, of model: ModelHandle, inputType: InputType) {
        replicas[id] = Replica(model: model, inputType: inputType)
        models[model, default: ModelQueue()].replicas.append(id)
        touched.insert(model)
    }

    /// A replica is lost: its queries go back to the front of their queue, once, while their deadlines allow.
    ///
    /// - Returns: how many went back.
    @discardableResult
    mutating func removeReplica(_ id: ReplicaID, now: MonotonicTime) -> Int {
        guard let replica = replicas.removeValue(forKey: id) else { return 0 }
        var retried = 0
        models[replica.model]?.replicas.removeAll { $0 == id }
        defer {
            // Containers can name any model: one that is not registered leaves nothing behind.
            if models[replica.model]?.isVoid == true { models[replica.model] = nil }
        }
        for batch in replica.batches {
            guard let batch = batches.removeValue(forKey: batch) else { continue }
            for var query in batch.pending {
                query.losses += 1
                if query.losses > 1 {
                    answer(query, .defaultOutput(.lostTwice))
                } else {
                    enqueue(query, now: now)
                    retried += 1
                }
            }
        }
        return retried
    }

    // MARK: Queries

    /// A query has come. It is sent by the next `dispatch`, so that those that come together travel together.
    mutating func submit(_ query: Query, now: MonotonicTime) {
        guard canServe(query.model) else { return answer(query, .defaultOutput(.noReplica)) }
        enqueue(query, now: now)
    }

    /// A function of its own: a copy of the model's state must not live while its queue changes.
    private func canServe(_ model: ModelHandle) -> Bool {
        guard let state = models[model], state.settings != nil else { return false }
        return state.replicas.contains { isSuitable($0, state) }
    }

    private mutating func enqueue(_ query: Query, now: MonotonicTime) {
        guard models[query.model]?.settings != nil else { return answer(query, .defaultOutput(.modelDeleted)) }
        guard query.deadline > now else { return answer(query, .defaultOutput(.deadline)) }
        models[query.model]?.queue.insert(query)
        touched.insert(query.model)
        earliestDeadline = min(earliestDeadline, query.deadline)
    }

    /// A replica has answered a batch, with an output for each query.
    ///
    /// - Returns: the model, and how long the batch took; `nil` for a batch that is not in flight on this replica.
    @discardableResult
    mutating func complete(
        batch id: UInt32, on replica: ReplicaID, _ outputs: Outputs, now: MonotonicTime
    ) -> CompletedBatch? {
        guard let batch = batches[id], batch.replica == replica, outputs.count == batch.queries.count else {
            return nil
        }
        batches[id] = nil
        replicas[replica]?.batches.removeAll { $0 == id }
        touched.insert(batch.model)
        for index in batch.firstPending..<batch.queries.count {
            answer(batch.queries[index], .output(outputs[index]))
        }
        return CompletedBatch(model: batch.model, size: batch.queries.count, duration: now - batch.sent)
    }

    /// Time has passed: queries whose deadline has come get the default. Those in flight keep their replica's slot.
    mutating func tick(now: MonotonicTime) {
        guard now >= earliestDeadline else { return }
        earliestDeadline = .distantFuture
        // Arrays of the keys: a view of the dictionary would keep it alive and make the first change copy all queues.
        for model in Array(models.keys) {
            while let first = models[model]?.queue.firstDeadline, first <= now {
                guard let query = models[model]?.queue.popFirst() else { break }
                answer(query, .defaultOutput(.deadline))
            }
            if let first = models[model]?.queue.firstDeadline { earliestDeadline = min(earliestDeadline, first) }
        }
        for id in Array(batches.keys) {
            while let query = batches[id]?.pending.first, query.deadline <= now {
                batches[id]?.firstPending += 1
                answer(query, .defaultOutput(.deadline))
            }
            if let query = batches[id]?.pending.first { earliestDeadline = min(earliestDeadline, query.deadline) }
        }
    }

    /// Everything that waits or is in flight gets the default: the frontend ends.
    mutating func abandonAll(_ reason: DefaultReason) {
        for model in Array(models.keys) {
            while let query = models[model]?.queue.popFirst() { answer(query, .defaultOutput(reason)) }
        }
        for id in Array(batches.keys) {
            while let query = batches[id]?.pending.first {
                batches[id]?.firstPending += 1
                answer(query, .defaultOutput(reason))
            }
        }
    }

    private mutating func answer(_ query: Query, _ outcome: Outcome) {
        answers.append(
            Answer(
                ticket: query.ticket, application: query.application, arrived: query.arrived, outcome: outcome))
    }

    // MARK: Dispatch

    /// Gives replicas with free slots what is queued. Call it after the events of one turn, and after `tick`.
    mutating func dispatch(now: MonotonicTime) {
        guard !touched.isEmpty else { return }
        for model in touched {
            guard let limit = models[model]?.settings?.limit.current else { continue }
            while models[model]?.queue.isEmpty == false, let replica = leastLoadedReplica(of: model) {
                send(upTo: limit, of: model, to: replica, now: now)
            }
        }
        touched.removeAll(keepingCapacity: true)
    }

    private mutating func send(upTo limit: Int, of model: ModelHandle, to replica: ReplicaID, now: MonotonicTime) {
        guard let inputType = replicas[replica]?.inputType else { return }
        var queries: [Query] = []
        queries.reserveCapacity(min(limit, models[model]?.queue.count ?? 0))
        var oldestArrival = now
        while queries.count < limit, let query = models[model]?.queue.popFirst() {
            oldestArrival = min(oldestArrival, query.arrived)
            queries.append(query)
        }
        let id = nextBatchID()
        dispatches.append(
            Dispatch(
                batch: id, replica: replica, inputType: inputType, inputs: queries.map(\.input),
                oldestArrival: oldestArrival))
        batches[id] = BatchInFlight(replica: replica, model: model, sent: now, queries: queries)
        replicas[replica]?.batches.append(id)
    }

    /// The replica with the fewest batches in flight and a free slot; equal ones take turns.
    private mutating func leastLoadedReplica(of model: ModelHandle) -> ReplicaID? {
        guard let queue = models[model], !queue.replicas.isEmpty else { return nil }
        var best: (id: ReplicaID, load: Int, index: Int)?
        for offset in queue.replicas.indices {
            let index = (queue.turn + offset) % queue.replicas.count
            let id = queue.replicas[index]
            guard isSuitable(id, queue), let load = replicas[id]?.batches.count, load < slotsPerReplica else {
                continue
            }
            if load < best?.load ?? .max { best = (id, load, index) }
            if load == 0 { break }
        }
        if let best { models[model]?.turn = best.index + 1 }
        return best?.id
    }

    private func isSuitable(_ replica: ReplicaID, _ model: ModelQueue) -> Bool {
        replicas[replica]?.inputType == model.settings?.inputType
    }

    /// Ids go around after 2³² batches; one that is still in flight is passed over.
    private mutating func nextBatchID() -> UInt32 {
        repeat { nextBatch &+= 1 } while batches[nextBatch] != nil
        return nextBatch
    }
}

/// What the frontend learns from an answered batch.
struct CompletedBatch: Hashable, Sendable {
    var model: ModelHandle
    var size: Int
    /// From the batch's sending to its answer.
    var duration: Duration
}

/// The queue of one model version, and who serves it.
private struct ModelQueue: Sendable {
    struct Settings: Sendable {
        var inputType: InputType
        var limit: BatchLimit
    }

    /// `nil` while the version is not registered.
    var settings: Settings?
    var queue = DeadlineQueue()
    var replicas: [ReplicaID] = []
    /// Where the search for a replica begins, so that equal ones take turns.
    var turn = 0

    var isVoid: Bool { settings == nil && replicas.isEmpty && queue.isEmpty }
}

/// A live container as the scheduler sees it.
private struct Replica: Sendable {
    var model: ModelHandle
    var inputType: InputType
    var batches: [UInt32] = []
}

/// Queries that a replica is working on, the earliest deadline first.
private struct BatchInFlight: Sendable {
    var replica: ReplicaID
    var model: ModelHandle
    var sent: MonotonicTime
    var queries: [Query]
    /// Those before it have had the default.
    var firstPending = 0

    var pending: ArraySlice<Query> { queries[firstPending...] }
}
