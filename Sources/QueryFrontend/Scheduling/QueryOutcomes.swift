import ContainerRPC
import DequeModule

/// How queries end: answered by a replica, late, or failed, once for each who waits.
extension ModelScheduler {
    mutating func answerAll(
        _ reference: QueryTable.Reference, _ outcome: Outcome, _ effects: inout SchedulerEffects
    ) {
        guard !table[reference].isAnswered else { return endIfDone(reference) }
        waitingCount -= 1 + table[reference].others.count
        sharingCount -= table[reference].others.count
        effects.answer(table[reference].query.waiter, outcome)
        for waiter in table[reference].others { effects.answer(waiter, outcome) }
        table[reference].others = []
        table[reference].isAnswered = true
        endIfDone(reference)
    }

    /// The computation has failed for the one who waits first. Others who wait for the same get one more; where that
    /// fails as well, all hear of it who had come before it was sent.
    ///
    /// - Parameters:
    ///   - message: the model's words, if it has failed.
    ///   - sent: when it was asked.
    mutating func failFirst(
        _ reference: QueryTable.Reference, _ reason: DefaultReason, message: String? = nil,
        sent: MonotonicTime = .distantPast, now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        let outcome = message.map { Outcome.failed(reason, $0) } ?? .defaultOutput(reason)
        // What two replicas were lost with may have ended them: it costs no more of them than an error would.
        let isFailure = message != nil || reason == .lostTwice
        waitingCount -= 1
        effects.answer(table[reference].query.waiter, outcome)
        if isFailure, table[reference].hasFailed {
            for waiter in table[reference].others where waiter.arrived <= sent {
                waitingCount -= 1
                sharingCount -= 1
                effects.answer(waiter, outcome)
            }
            table[reference].others.removeAll { $0.arrived <= sent }
        }
        if isFailure { table[reference].hasFailed = true }
        promote(reference)
        guard !table[reference].isAnswered, settings != nil else {
            return answerAll(reference, .defaultOutput(.modelDeleted), &effects)
        }
        table[reference].losses = 0
        if !table[reference].isQueued { enqueue(reference) }
    }

    /// Those who wait for a query and whose deadline has come get the default.
    mutating func expire(
        _ reference: QueryTable.Reference, now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        while !table[reference].isAnswered, table[reference].query.waiter.deadline <= now {
            waitingCount -= 1
            effects.answer(table[reference].query.waiter, .defaultOutput(.deadline))
            promote(reference)
        }
        if table[reference].isQueued {
            if table[reference].isAnswered {
                unqueue(reference)
                giveBackHedge(reference)
            } else {
                place(reference)
            }
        }
        endIfDone(reference)
    }

    /// The one of the others who is due next is the first who waits.
    private mutating func promote(_ reference: QueryTable.Reference) {
        guard let next = table[reference].others.popFirst() else {
            table[reference].isAnswered = true
            return
        }
        sharingCount -= 1
        table[reference].query.waiter = next
    }

    /// Whether nobody waits for a query any more, and it waits for nothing and is on no replica.
    private func isDone(_ reference: QueryTable.Reference) -> Bool {
        table[reference].isAnswered && table[reference].copies == 0 && !table[reference].isQueued
    }

    mutating func endIfDone(_ reference: QueryTable.Reference) {
        guard isDone(reference) else { return }
        release(reference)
        table.remove(reference)
    }

    /// No equal query joins it any more.
    ///
    /// - Returns: whether one could have.
    @discardableResult
    mutating func release(_ reference: QueryTable.Reference) -> Bool {
        guard table[reference].isJoinable, let hash = table[reference].query.keyHash else { return false }
        running.remove(Int32(reference.slot), hash: hash)
        table[reference].isJoinable = false
        return true
    }

    /// A replica has answered a batch.
    ///
    /// - Returns: the batch's size and how long it took from its sending to its answer; `nil` for one that is not in flight
    ///   there.
    mutating func complete(
        _ id: UInt32, on replica: ReplicaID, _ outputs: Outputs, computeTime: Duration?, now: MonotonicTime,
        _ effects: inout SchedulerEffects
    ) -> CompletedBatch? {
        guard let (index, place) = find(id, on: replica), replicas[index].batches[place].size == outputs.count
        else { return nil }
        hasGivenUp = false
        let batch = finishBatch(
            place, of: index, .init(outputs), computeTime: computeTime, now: now, &effects)
        prefetchIndex(of: batch)
        var errors = outputs.errors[...]
        for (item, reference) in batch.queries.enumerated() {
            if let error = errors.first, error.index == item {
                errors.removeFirst()
                failQuery(reference, error.code, error.text, on: replica, batch, now: now, &effects)
            } else {
                finish(reference, outputs[item], on: replica, &effects)
            }
        }
        doors.removeAll(keepingCapacity: true)
        isTouched = true
        return CompletedBatch(model: handle, size: batch.size, duration: now - batch.sent)
    }

    /// Where those of a batch that can be joined stand in the index is memory far away: of all of them it comes in the
    /// time of one.
    private func prefetchIndex(of batch: Batch) {
        for reference in batch.queries where table.contains(reference) && table[reference].isJoinable {
            if let hash = table[reference].query.keyHash { running.prefetch(hash: hash) }
        }
    }

    func find(_ id: UInt32, on replica: ReplicaID) -> (index: Int, place: Int)? {
        guard let index = replicas.firstIndex(where: { $0.id == replica }),
            let place = replicas[index].batches.firstIndex(where: { $0.id == id })
        else { return nil }
        return (index, place)
    }

    mutating func finishBatch(
        _ place: Int, of index: Int, _ completion: Replica.Completion, computeTime: Duration? = nil,
        now: MonotonicTime, _ effects: inout SchedulerEffects
    ) -> Batch {
        let batch = replicas[index].finish(place, completion, computeTime: computeTime, now: now)
        if let since = replicas[index].stuckSince {
            replicas[index].stuckSince = nil
            if let stuckAt = replicas[index].stuckAt, stuckAt <= now {
                // It has answered, and not what it is stuck with.
                replicas[index].stuckSince = since
            } else {
                effects.notices.append(.recovered(replicas[index].id, handle))
            }
        }
        // The next one begins now, and may be due to be hedged, or called stuck, before this one was.
        if let next = replicas[index].current { nextEvent = min(nextEvent, next.hedgeAt) }
        if let stuckAt = replicas[index].stuckAt { nextEvent = min(nextEvent, stuckAt) }
        if let missingAt = replicas[index].missingAt { nextEvent = min(nextEvent, missingAt) }
        return batch
    }

    private mutating func finish(
        _ reference: QueryTable.Reference, _ output: ArraySlice<UInt8>, on replica: ReplicaID,
        _ effects: inout SchedulerEffects
    ) {
        table[reference].copies -= 1
        // One that nobody may join any more, and that is answered, has been computed before, or is long out of date.
        let isFirst = release(reference) || !table[reference].isAnswered
        if isFirst, let key = table[reference].query.key {
            effects.computed.append(SchedulerEffects.Computed(key: key, output: output))
        }
        if !table[reference].isAnswered, let late = table[reference].avoided, late != replica {
            counters.hedgesWon += 1
        }
        if table[reference].isQueued {
            // The first replica was quicker than the second was found.
            unqueue(reference)
            giveBackHedge(reference)
        }
        answerAll(reference, .output(output), &effects)
    }
}
