import ContainerRPC

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
    /// Where replicas could not be judged, it is tried again after so long.
    private static let judgementPause = Duration.milliseconds(5)

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
    var arrivals = ArrivalGap()
    /// The most time that was left for a query when it came, of those that wait or have waited since nothing did.
    var longestAllowance = Duration.zero
    /// Whether a replica that takes what comes answers, as far as is known; as of the last `dispatch`.
    var isAnyWell = false
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
        if settings == nil { counters = SchedulingCounters() }
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
        for batch in lost.batches {
            for reference in batch.queries {
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

    // MARK: Queries

    /// Whether there is a replica for what comes.
    var takesQueries: Bool { settings != nil && activeCount > 0 }

    mutating func submit(_ query: Query, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        guard takesQueries else {
            return effects.answer(query.waiter, .defaultOutput(.noReplica))
        }
        guard query.waiter.deadline > now else { return effects.answer(query.waiter, .defaultOutput(.deadline)) }
        if let hash = query.keyHash, let reference = runningQuery(with: query.input, hash: hash) {
            guard !isFull else { return refuse(query.waiter, &effects) }
            return join(reference, query.waiter)
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
        let reference = table.insert(query)
        if let hash = query.keyHash {
            running.insert(Int32(reference.slot), hash: hash)
            table[reference].isJoinable = true
        }
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

    // MARK: Time

    mutating func tick(
        judgesReplicas: Bool, now: MonotonicTime, hedges: inout HedgeBudgets, _ effects: inout SchedulerEffects
    ) {
        guard now >= nextEvent else { return }
        while let entry = queue.first, entry.deadline <= now {
            guard let reference = firstQueued() else { break }
            guard table[reference].query.waiter.deadline <= now else { break }
            _ = queue.popFirst()
            expire(reference, now: now, &effects)
        }
        while let entry = joined.first, entry.deadline <= now {
            _ = joined.popFirst()
            guard let reference = table.reference(slot: entry.slot), UInt64(reference.generation) == entry.turn,
                !table[reference].isAnswered
            else { continue }
            if table[reference].query.waiter.deadline <= now { expire(reference, now: now, &effects) }
        }
        for index in replicas.indices {
            expireBatches(on: index, now: now, &effects)
            guard judgesReplicas else { continue }
            noteStuck(index, now: now, &effects)
            noteSilent(index, now: now, &effects)
            hedge(index, now: now, &hedges)
        }
        // What waits may have a replica by now, or a reason to wait no longer.
        isTouched = true
        nextEvent = nextDue(judgesReplicas: judgesReplicas, now: now)
    }

    private mutating func expireBatches(on index: Int, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        for batch in replicas[index].batches.indices {
            while let due = replicas[index].batches[batch].nextDeadline, due <= now {
                let expired = replicas[index].batches[batch].expired
                replicas[index].batches[batch].expired += 1
                expire(replicas[index].batches[batch].queries[expired], now: now, &effects)
            }
        }
    }

    private mutating func noteStuck(_ index: Int, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        guard let stuckAt = replicas[index].stuckAt, stuckAt <= now, let batch = replicas[index].batches.first else {
            return
        }
        replicas[index].stuckSince = now
        counters.stuck += 1
        doors.removeAll(keepingCapacity: true)
        // Who asks the same from now on is not to wait for this one: another replica can compute it.
        for stuck in replicas[index].batches {
            for reference in stuck.queries where table.contains(reference) { release(reference) }
        }
        effects.notices.append(.stuck(replicas[index].id, handle, batchAge: now - batch.sent))
    }

    /// A replica that is stuck gets nothing until it answers: one that has forgotten its batch would get nothing any more.
    private mutating func noteSilent(_ index: Int, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        guard let due = silentAt(replicas[index]), now >= due,
            !replicas[index].batches.contains(where: { $0.queries.contains(where: isAwaited) })
        else { return }
        replicas[index].isGivenUp = true
        effects.notices.append(.neverAnswers(replicas[index].id, handle))
    }

    /// Whether somebody waits for what only one replica has.
    private func isAwaited(_ reference: QueryTable.Reference) -> Bool {
        table.contains(reference) && !table[reference].isAnswered && table[reference].copies == 1
    }

    /// When a stuck replica may be called lost. One that gets nothing in any case is left alone, and of a first batch nobody
    /// knows how long it takes.
    private func silentAt(_ replica: Replica) -> MonotonicTime? {
        guard let since = replica.stuckSince, !replica.isGivenUp, replica.isActive, replica.latency.isKnown else {
            return nil
        }
        return since + bounds.patience
    }

    private func nextDue(judgesReplicas: Bool, now: MonotonicTime) -> MonotonicTime {
        // What was due and has not been done, because nobody is to be judged yet, is soon due again.
        let soonest = judgesReplicas ? .distantPast : now + Self.judgementPause
        var next = queue.first?.deadline ?? .distantFuture
        if let first = joined.first { next = min(next, first.deadline) }
        for replica in replicas {
            if let stuckAt = replica.stuckAt { next = min(next, max(stuckAt, soonest)) }
            // Once it is over, the deadline of the last one who waits for it is looked at in any case.
            if let due = silentAt(replica), due > now || !judgesReplicas { next = min(next, max(due, soonest)) }
            for batch in replica.batches {
                if let due = batch.nextDeadline { next = min(next, due) }
                next = min(next, max(batch.hedgeAt, soonest))
            }
        }
        return next
    }

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
