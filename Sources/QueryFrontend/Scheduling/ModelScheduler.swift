package import ContainerRPC

/// What the scheduler needs to know of a registered model version.
package struct ModelSettings: Hashable, Sendable {
    package var inputType: InputType
    package var batching: Batching

    package init(inputType: InputType, batching: Batching = Batching()) {
        self.inputType = inputType
        self.batching = batching
    }
}

/// Schedules the queries of one model version: one queue, ordered by deadline, for all its replicas.
///
/// A part of `Scheduler`, which hands it what models share: batch ids, hedge budgets and the list of effects.
struct ModelScheduler: Sendable {
    let handle: ModelHandle
    let bounds: Scheduler.Bounds
    /// `nil` while the version is not registered.
    var settings: ModelSettings?
    var table = QueryTable()
    var queue = DeadlineQueue()
    /// The deadlines of those who joined a query that was under way; the first who waits is watched by queue or batch.
    var joined = DeadlineQueue()
    /// Queries under way that an equal one can join: their slots in the table.
    var running = SlotIndex()
    var replicas: [Replica] = []
    var activeCount = 0
    var queuedCount = 0
    var queuedBytes = 0
    /// Those who wait for an outcome.
    var waitingCount = 0
    /// Those of them who wait for what another asked for first.
    var sharingCount = 0
    /// Applications whose hedges were paid for and not sent, once for each.
    var unspentHedges: [ApplicationHandle] = []
    var turn: UInt64 = 0
    /// Where the search for a replica begins, so that equal ones take turns.
    var rotation = 0
    /// When `tick` has something to do: a lower bound, found anew when it is reached.
    var nextEvent = MonotonicTime.distantFuture
    /// Whether something has happened since `dispatch` looked.
    var isTouched = false
    /// When a replica is expected to take a batch; in the past where a query needs none to be answered. As of the last
    /// `dispatch`.
    var opening = MonotonicTime.distantPast
    /// What `isInUse` was when `Scheduler` looked last.
    var isNotedInUse = false
    var arrivals = ArrivalGap()
    /// The most time that was left for a query when it came, of those that wait or have waited since nothing did.
    var longestAllowance = Duration.zero
    /// Whether a replica that takes what comes answers, as far as is known; as of the last `dispatch`.
    var isAnyWell = false
    /// Whether not one of those that take what comes has answered for long; as of then, too.
    var isSilent = false
    /// Whether one was called lost for that, and none has answered since: a new one may be as silent.
    var hasGivenUp = false
    /// Whether one of those can have a query in time; as of then, too.
    var isAnySuited = false
    /// Those of the last few allowances, for applications with different SLOs.
    var doors: [DoorEstimate] = []
    var counters = SchedulingCounters()

    init(handle: ModelHandle, bounds: Scheduler.Bounds) {
        self.handle = handle
        self.bounds = bounds
    }

    // MARK: Settings and replicas

    mutating func set(_ new: ModelSettings) {
        // Registered anew, it is another model, of which nothing has been counted.
        if settings == nil {
            counters = SchedulingCounters()
            hasGivenUp = false
        }
        settings = new
        for index in replicas.indices { replicas[index].limit.adopt(new.batching) }
        noteReplicasChanged()
    }

    /// The version is no longer registered: what waits for it gets the default.
    mutating func close(_ effects: inout SchedulerEffects) {
        settings = nil
        noteReplicasChanged()
        while let reference = popQueued() {
            giveBackHedge(reference)
            answerAll(reference, .defaultOutput(.modelDeleted), &effects)
        }
        forgetIfGone()
    }

    /// Of a version that is deleted, and has nothing under way any more, no memory is kept that its load once took.
    private mutating func forgetIfGone() {
        guard settings == nil, table.count == 0 else { return }
        table = QueryTable()
        queue = DeadlineQueue()
        joined = DeadlineQueue()
        running = SlotIndex()
        doors = []
    }

    mutating func add(_ id: ReplicaID, inputType: InputType, capacity: ReplicaCapacity, now: MonotonicTime) {
        let batching = settings?.batching ?? Batching()
        replicas.append(
            Replica(
                id: id, inputType: inputType, capacity: capacity, batching: batching, patience: bounds.patience,
                now: now))
        noteReplicasChanged()
    }

    /// A replica is lost: its queries go back to the front of their queue while their deadlines allow, once.
    ///
    /// - Returns: how many went back.
    mutating func remove(_ id: ReplicaID, now: MonotonicTime, _ effects: inout SchedulerEffects) -> Int {
        guard let index = replicas.firstIndex(where: { $0.id == id }) else { return 0 }
        let lost = replicas.remove(at: index)
        noteReplicasChanged()
        var wentBack = 0
        // What it was asked once more is on it twice, and one replica is lost with it.
        var counted: Set<QueryTable.Reference> = []
        for batch in lost.batches {
            for reference in batch.queries {
                if lost.missingCount > 0, !counted.insert(reference).inserted, table[reference].losses > 0 {
                    table[reference].losses -= 1
                }
                lose(reference, sent: batch.sent, now: now, &effects)
                hedgeAgain(reference, now: now)
                if table.contains(reference), table[reference].isQueued, table[reference].copies == 0 { wentBack += 1 }
            }
        }
        forgetIfGone()
        return wentBack
    }

    /// A replica that had a query is lost, or has refused it.
    ///
    /// - Parameter sent: when it was sent there.
    mutating func lose(
        _ reference: QueryTable.Reference, sent: MonotonicTime, refusedBy replica: ReplicaID? = nil,
        now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        table[reference].copies -= 1
        table[reference].losses = min(2, table[reference].losses + 1)
        // Answered already, or under way on another replica: nothing is to be done.
        guard !table[reference].isAnswered, table[reference].copies == 0 else { return endIfDone(reference) }
        table[reference].avoided = replica
        // What waits as a hedge is the only copy now.
        giveBackHedge(reference)
        expire(reference, now: now, &effects)
        guard table.contains(reference) else { return }
        if table[reference].losses >= 2 {
            if table[reference].isQueued { unqueue(reference) }
            failFirst(reference, .lostTwice, sent: sent, now: now, &effects)
        } else if settings == nil {
            if table[reference].isQueued { unqueue(reference) }
            answerAll(reference, .defaultOutput(.modelDeleted), &effects)
        } else if !table[reference].isQueued {
            enqueue(reference)
        }
    }

    mutating func setDraining(_ isDraining: Bool, _ id: ReplicaID) {
        guard let index = replicas.firstIndex(where: { $0.id == id }) else { return }
        replicas[index].isDraining = isDraining
        noteReplicasChanged()
        // One that may take as long as it likes while it is all that there is may be due now.
        if let due = silentAt(replicas[index]) { nextEvent = min(nextEvent, max(due, replicas[index].lastAnswer)) }
    }

    mutating func setLeaving(_ id: ReplicaID) {
        guard let index = replicas.firstIndex(where: { $0.id == id }) else { return }
        replicas[index].isLeaving = true
        noteReplicasChanged()
    }

    private mutating func noteReplicasChanged() {
        for index in replicas.indices {
            replicas[index].isSuitable = settings != nil && replicas[index].inputType == settings?.inputType
        }
        activeCount = replicas.count { $0.isActive }
        doors.removeAll(keepingCapacity: true)
        isTouched = true
    }

    /// Whether no query waits and no batch is in flight, not even one that is not waited for.
    var isAtRest: Bool { table.count == 0 && replicas.allSatisfy { $0.batches.isEmpty } }

    /// Whether it is registered, or has anything.
    var isInUse: Bool { settings != nil || !replicas.isEmpty || table.count > 0 }

    // MARK: Queries

    /// Whether there is a replica for what comes.
    var takesQueries: Bool { settings != nil && activeCount > 0 }

    /// What can be expected of its replicas.
    var serving: Serving { takesQueries ? isSilent ? .silent : .answering : .none }

    mutating func submit(
        _ query: Query, now: MonotonicTime, hedges: inout HedgeBudgets, _ effects: inout SchedulerEffects
    ) {
        guard takesQueries else {
            return effects.answer(query.waiter, .defaultOutput(.noReplica))
        }
        guard query.waiter.deadline > now else { return effects.answer(query.waiter, .defaultOutput(.deadline)) }
        let running = query.keyHash.flatMap { runningQuery(with: query.input, hash: $0) }
        if let running {
            guard !isFull else { return refuse(query.waiter, &effects) }
            guard isOvertakable(running, by: query, now: now) else { return join(running, query.waiter, &hedges) }
        }
        if let delay = settings?.batching.maxDelay, delay > .zero {
            // It may have gathered with others since; what waited longer waited for something else.
            arrivals.note(now: max(query.waiter.arrived, now - ArrivalGap.resolution))
        }
        guard query.input.byteCount <= min(bounds.queuedBytes, WireBounds.frameBytes) else {
            return effects.answer(query.waiter, .defaultOutput(.inputTooLarge))
        }
        guard !isFull, queuedBytes + query.input.byteCount <= bounds.queuedBytes else {
            return refuse(query.waiter, &effects)
        }
        guard admits(query.waiter, now: now) else {
            counters.predictedLate += 1
            return effects.answer(query.waiter, .defaultOutput(.predictedLate))
        }
        waitingCount += 1
        if let running { release(running) }
        let reference = table.insert(query)
        if let hash = query.keyHash {
            self.running.insert(Int32(reference.slot), hash: hash)
            table[reference].isJoinable = true
        }
        if hedges.quantile(of: query.waiter.application) != nil { table[reference].hedger = query.waiter.application }
        enqueue(reference)
    }

    /// Whether no query more may wait. Those who share hold no input, but a place each.
    var isFull: Bool { queuedCount + sharingCount >= bounds.queuedQueries }

    private mutating func refuse(_ waiter: Waiter, _ effects: inout SchedulerEffects) {
        counters.queueFull += 1
        effects.answer(waiter, .defaultOutput(.queueFull))
    }

    mutating func enqueue(_ reference: QueryTable.Reference) {
        table[reference].isQueued = true
        queuedCount += 1
        queuedBytes += table[reference].query.input.byteCount
        place(reference)
    }

    /// Gives a query that waits its place in the queue; one that it had counts no more.
    mutating func place(_ reference: QueryTable.Reference) {
        turn += 1
        table[reference].turn = turn
        let (arrived, deadline) = (table[reference].query.waiter.arrived, table[reference].query.waiter.deadline)
        longestAllowance = max(queuedCount > 1 ? longestAllowance : .zero, deadline - arrived)
        queue.insert(DeadlineQueue.Entry(deadline: deadline, turn: turn, slot: reference.slot))
        nextEvent = min(nextEvent, deadline)
        isTouched = true
    }

    mutating func unqueue(_ reference: QueryTable.Reference) {
        table[reference].isQueued = false
        queuedCount -= 1
        queuedBytes -= table[reference].query.input.byteCount
    }

    /// The query that waits and is due first; it stays in the queue.
    mutating func firstQueued() -> QueryTable.Reference? {
        while let entry = queue.first {
            if let reference = table.reference(slot: entry.slot), table[reference].isQueued,
                table[reference].turn == entry.turn
            {
                return reference
            }
            _ = queue.popFirst()
        }
        return nil
    }

    /// Takes the query that waits and is due first.
    mutating func popQueued() -> QueryTable.Reference? {
        guard let reference = firstQueued() else { return nil }
        _ = queue.popFirst()
        unqueue(reference)
        return reference
    }

    // MARK: The end

    /// Everything that waits or is in flight gets the default: the frontend ends.
    mutating func abandon(_ reason: DefaultReason, _ effects: inout SchedulerEffects) {
        while let reference = popQueued() { answerAll(reference, .defaultOutput(reason), &effects) }
        for reference in table.references { answerAll(reference, .defaultOutput(reason), &effects) }
    }
}

/// What the frontend learns from an answered batch.
package struct CompletedBatch: Hashable, Sendable {
    package var model: ModelHandle
    package var size: Int
    /// From the batch's sending to its answer.
    package var duration: Duration
}
