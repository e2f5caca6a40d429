import ContainerRPC

/// What becomes due: deadlines, hedges, and replicas that are late beyond all that was predicted.
extension ModelScheduler {
    /// Where replicas could not be judged, it is tried again after so long.
    private static let judgementPause = Duration.milliseconds(5)
    /// Batches that a replica may miss before it is asked to register anew at once.
    private static let mostMissing = 8

    mutating func tick(
        judgesReplicas: Bool, now: MonotonicTime, hedges: inout HedgeBudgets, _ effects: inout SchedulerEffects
    ) {
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
            noteMissing(index, now: now, &effects)
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
                replicas[index].noteExpired(batch)
                expire(replicas[index].batches[batch].queries[expired], now: now, &effects)
            }
        }
    }

    private mutating func noteStuck(_ index: Int, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        guard let stuckAt = replicas[index].stuckAt, stuckAt <= now, let batch = replicas[index].current else { return }
        replicas[index].stuckSince = now
        counters.stuck += 1
        doors.removeAll(keepingCapacity: true)
        for stuck in replicas[index].batches { release(stuck) }
        effects.notices.append(.stuck(replicas[index].id, handle, batchAge: now - batch.sent))
    }

    /// A replica answers what was sent later, and not this: it is not stuck, and has lost a batch, as far as is known.
    private mutating func noteMissing(_ index: Int, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        guard let missingAt = replicas[index].missingAt, missingAt <= now else { return }
        for place in 0..<replicas[index].overtakenCount {
            guard replicas[index].becomesMissing(place, now: now) else { continue }
            replicas[index].noteMissing(place, now: now)
            counters.missing += 1
            let batch = replicas[index].batches[place]
            release(batch)
            effects.notices.append(.missing(replicas[index].id, handle, batch: batch.id, batchAge: now - batch.sent))
        }
        doors.removeAll(keepingCapacity: true)
    }

    /// Who asks the same from now on is not to wait for this batch: another replica can compute it.
    private mutating func release(_ batch: Batch) {
        for reference in batch.queries where table.contains(reference) { release(reference) }
    }

    /// A replica that is stuck gets nothing while another is well, or nobody asks: one that has forgotten its batch would get
    /// nothing any more. What is missing takes the place of another.
    private mutating func noteSilent(_ index: Int, now: MonotonicTime, _ effects: inout SchedulerEffects) {
        guard let due = silentAt(replicas[index]), now >= due else { return }
        let isStuck = replicas[index].stuckSince != nil
        for batch in replicas[index].batches where isStuck || batch.isMissing {
            if batch.queries.contains(where: { isAwaited($0, on: index) }) { return }
        }
        replicas[index].isGivenUp = true
        if isStuck, !replicas[index].isDraining { hasGivenUp = true }
        effects.givenUp.append(replicas[index].id)
    }

    /// Whether somebody waits for what only this replica has.
    private func isAwaited(_ reference: QueryTable.Reference, on index: Int) -> Bool {
        guard table.contains(reference), !table[reference].isAnswered else { return false }
        return table[reference].copies == 1 || table[reference].sent?.replica == replicas[index].id
    }

    /// Whether a replica has something that is expected of it, or that somebody waits for. Of one that is stuck nothing is
    /// expected, and what another has as well is waited for, too: that one may fail.
    func isAtWork(_ index: Int) -> Bool {
        guard replicas[index].stuckSince != nil else {
            return !replicas[index].isIdle
                || replicas[index].batches.contains { $0.queries.contains { isAwaited($0, on: index) } }
        }
        return replicas[index].batches.contains { batch in
            batch.queries.contains { table.contains($0) && !table[$0].isAnswered }
        }
    }

    /// When a replica that is stuck, or misses batches, may be called lost: also one that drains, as somebody may wait for its
    /// end. One that leaves ends by itself.
    func silentAt(_ replica: Replica) -> MonotonicTime? {
        guard !replica.isGivenUp, replica.isSuitable, !replica.isLeaving else { return nil }
        // Where it is all that there is, it may take as long as it likes for its first batch.
        // But not where the one before it was given up: then its model did answer once.
        guard
            replica.latency.isKnown || replica.isDraining || hasGivenUp
                || replicas.contains(where: { $0.isActive && $0.isWell })
        else { return nil }
        if replica.missingCount >= Self.mostMissing { return .distantPast }
        let missing = replica.missingCount == 0 ? nil : replica.batches.lazy.compactMap(\.missingSince).min()
        guard let since = replica.stuckSince.map({ min($0, missing ?? $0) }) ?? missing else { return nil }
        // Of a first batch nobody knows how long it takes: a model may load for minutes.
        return since + bounds.patience * (replica.latency.isKnown ? 1 : 8)
    }

    private func nextDue(judgesReplicas: Bool, now: MonotonicTime) -> MonotonicTime {
        // What was due and has not been done, because nobody is to be judged yet, is soon due again.
        let soonest = judgesReplicas ? .distantPast : now + Self.judgementPause
        var next = queue.first?.deadline ?? .distantFuture
        if let first = joined.first { next = min(next, first.deadline) }
        for replica in replicas {
            if let stuckAt = replica.stuckAt { next = min(next, max(stuckAt, soonest)) }
            if let missingAt = replica.missingAt { next = min(next, max(missingAt, soonest)) }
            // Once it is over, the deadline of the last one who waits for it is looked at in any case.
            if let due = silentAt(replica), due > now || !judgesReplicas { next = min(next, max(due, soonest)) }
            for batch in replica.batches {
                if let due = batch.nextDeadline { next = min(next, due) }
                next = min(next, max(batch.hedgeAt, soonest))
            }
        }
        return next
    }
}
