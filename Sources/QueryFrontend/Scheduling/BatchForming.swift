import ContainerRPC
import DequeModule

/// Gives replicas with room what waits.
extension ModelScheduler {
    /// Queries that one batch passes over at most, because they suit another replica.
    private static let mostPassedOver = 1024
    /// Queries that are brought near the processor at most before a batch is made of them.
    private static let mostPrefetched = 64
    /// Bytes of a batch of more than one query at most: RPC 4 sends them in one frame, and containers bound its length.
    private static let mostBytes = 128 << 20

    mutating func dispatch(
        now: MonotonicTime, ids: inout BatchIDs, hedges: inout HedgeBudgets, _ effects: inout SchedulerEffects
    ) {
        // At the end: what is passed over comes back into the queue on the way.
        defer {
            isTouched = false
            noteSilence()
            noteOpening(now: now)
        }
        guard settings != nil else { return }
        isAnyWell = replicas.contains { $0.isActive && $0.isWell }
        isAnySuited = replicas.indices.contains { replicas[$0].isActive && replicas[$0].isWell && !isUnsuited($0) }
        sendAgain(now: now)
        var unsuited: [ReplicaID] = []
        var hasSent = false
        while queuedCount > 0 {
            guard let index = bestReplica(now: now, except: unsuited) else {
                // What was left to others, because they had room, may find that they have none any more.
                guard hasSent, !unsuited.isEmpty else { break }
                unsuited.removeAll()
                hasSent = false
                continue
            }
            if let end = delayEnd(on: index, now: now) {
                nextEvent = min(nextEvent, end)
                break
            }
            if send(to: index, now: now, ids: &ids, hedges: &hedges, &effects) {
                hasSent = true
            } else {
                unsuited.append(replicas[index].id)
            }
        }
    }

    /// Until when a replica with nothing to do waits for company (delayed batching, NSDI 2017, section 4.3.2), where
    /// that pays: the next query is expected sooner than what sharing a batch saves, and all can still be in time.
    private mutating func delayEnd(on index: Int, now: MonotonicTime) -> MonotonicTime? {
        guard let batching = settings?.batching, batching.maxDelay > .zero, replicas[index].isIdle,
            !replicas[index].isDraining,
            let hopeEnd = arrivals.hopeEnd(within: replicas[index].latency.intercept, now: now),
            let head = firstQueued()
        else { return nil }
        let first = table[head].query.waiter
        let limit = replicas[index].limit.limit(budget: first.deadline - now, model: replicas[index].latency)
        guard queuedCount < limit else { return nil }
        // Half of the time that the model leaves: the rest is for what else can come between.
        let spare = first.deadline - first.arrived - replicas[index].latency.slow(queuedCount + 1)
        let end = min(hopeEnd, first.arrived + min(batching.maxDelay, spare / 2))
        return end > now ? end : nil
    }

    // MARK: One batch

    /// A batch while it is put together.
    private struct Draft {
        var queries: [QueryTable.Reference] = []
        var deadlines: [MonotonicTime] = []
        /// Those before it were given up again.
        var first = 0
        /// Bytes of all its inputs, also of those that were given up again.
        var byteCount = 0
        var count: Int { queries.count - first }
    }

    /// Sends one batch. False when nothing that waits suits the replica.
    private mutating func send(
        to index: Int, now: MonotonicTime, ids: inout BatchIDs, hedges: inout HedgeBudgets,
        _ effects: inout SchedulerEffects
    ) -> Bool {
        let start = replicas[index].free(now: now)
        // Replicas with room share what waits.
        let open = replicas.indices.count { $0 == index || hasRoom($0, now: now) }
        let share = (queuedCount + open - 1) / open
        // One that has failed is tried with one query, where another is there for the rest; so is one that is stuck.
        var isTrial = replicas[index].isFailing && isOutdone(index) || replicas[index].stuckSince != nil
        var draft = Draft()
        var passedOver: [QueryTable.Reference] = []
        while true {
            if draft.count == 0 {
                guard let head = nextSuited(to: index, start: start, now: now, &passedOver, &effects) else { break }
                // And one that has done nothing for long, and may be quicker by now than it was.
                if replicas[index].latency.isKnown,
                    !canBeInTime(index, by: table[head].query.waiter.deadline, now: now)
                {
                    isTrial = true
                }
                draft.queries.append(head)
                draft.byteCount += table[head].query.input.byteCount
                draft.deadlines.append(table[head].query.waiter.deadline)
            }
            let budget = draft.deadlines[draft.first] - start
            let limit =
                isTrial
                ? 1
                : replicas[index].limit.limit(
                    budget: budget, model: replicas[index].latency, waiting: max(1, share))
            if draft.count == 1 { prefetchQueries(min(limit, share) - 1) }
            while draft.count < min(limit, max(1, share)), let next = firstQueued(), !avoids(next, index, now: now),
                draft.byteCount + table[next].query.input.byteCount <= Self.mostBytes,
                // One that was just given up for who waited first is due before the others, and goes with the next batch.
                table[next].query.waiter.deadline >= draft.deadlines[draft.deadlines.count - 1]
            {
                _ = popQueued()
                draft.queries.append(next)
                draft.byteCount += table[next].query.input.byteCount
                draft.deadlines.append(table[next].query.waiter.deadline)
            }
            guard draft.count == limit, !isTrial, costsOthers(draft, on: index, start: start, now: now) else { break }
            let victim = draft.queries[draft.first]
            draft.first += 1
            giveUp(victim, now: now, &effects)
        }
        keepSafe(&draft, on: index, start: start)
        for reference in passedOver { enqueue(reference) }
        guard draft.count > 0 else { return false }
        commit(draft, to: index, start: start, now: now, ids: &ids, hedges: &hedges, &effects)
        return true
    }

    /// A batch that is in time as expected, though not if it is slow, is worth its few queries that are late then, because
    /// it does more. Where many of them are due at once, as those of one request are, it is made as small as to be in time.
    private mutating func keepSafe(_ draft: inout Draft, on index: Int, start: MonotonicTime) {
        guard draft.count > 1 else { return }
        let safe = replicas[index].limit.limit(
            budget: draft.deadlines[draft.first] - start, model: replicas[index].latency, waiting: 0)
        let beyond = draft.count - safe
        guard beyond > 0 else { return }
        let slowEnd = start + replicas[index].latency.slow(draft.count)
        let endangered = draft.deadlines[draft.first...].boundary { $0 < slowEnd } - draft.first
        // At the limit it is as likely to be late as not.
        guard endangered > 2 * beyond else { return }
        for _ in 0..<beyond {
            draft.deadlines.removeLast()
            enqueue(draft.queries.removeLast())
        }
    }

    /// Queries that wait are memory far away: of several it comes in the time of one.
    private func prefetchQueries(_ count: Int) {
        queue.forEachUpcoming(min(count, Self.mostPrefetched)) { table.prefetch(slot: $0) }
    }

    /// Takes the next query that the replica can answer in time.
    private mutating func nextSuited(
        to index: Int, start: MonotonicTime, now: MonotonicTime, _ passedOver: inout [QueryTable.Reference],
        _ effects: inout SchedulerEffects
    ) -> QueryTable.Reference? {
        while passedOver.count < Self.mostPassedOver, let head = popQueued() {
            if avoids(head, index, now: now) {
                passedOver.append(head)
                continue
            }
            let deadline = table[head].query.waiter.deadline
            let isIdle = replicas[index].isIdle
            if !replicas[index].latency.isKnown || start + replicas[index].latency.fast(1) <= deadline { return head }
            if isIdle, replicas[index].isOutdated(now: now) { return head }
            let isLast = queuedCount == 0 && passedOver.isEmpty
            if canAnswer(by: deadline, except: index, now: now) || (isLast && !isIdle && isAnotherIdle(than: index)) {
                passedOver.append(head)
                continue
            }
            // The last one is tried all the same where there is nothing else to do: an idle replica loses nothing.
            if isLast, isIdle { return head }
            giveUp(head, now: now, &effects)
        }
        return nil
    }

    /// Whether the draft's first query should make room, where more wait than the draft holds: because it would be late
    /// in a batch of that size, or because its deadline keeps the batch so small that the next one's first query would
    /// have less time left than it has now.
    ///
    /// Without this, earliest deadline first collapses under overload: it serves the oldest in batches of a few, and all
    /// others grow as old meanwhile.
    private mutating func costsOthers(_ draft: Draft, on index: Int, start: MonotonicTime, now: MonotonicTime) -> Bool {
        guard let next = firstQueued() else { return false }
        let head = table[draft.queries[draft.first]].query.waiter
        if start + replicas[index].latency.fast(draft.count) > head.deadline { return true }
        let limit = replicas[index].limit.limit(
            budget: head.deadline - head.arrived, model: replicas[index].latency, waiting: .max)
        guard draft.count < limit else { return false }
        var nextStart = start + replicas[index].latency.expected(draft.count)
        let nextDeadline = table[next].query.waiter.deadline
        // One that is too slow for it takes nothing off this one, however idle it is.
        for other in replicas.indices
        where other != index && isReliable(other) && canBeInTime(other, by: nextDeadline, now: now) {
            nextStart = min(nextStart, replicas[other].free(now: now))
        }
        return nextDeadline - nextStart < head.deadline - start
    }

    /// A query that was taken from the queue is not sent any more. A hedge leaves its first copy to answer.
    private mutating func giveUp(
        _ reference: QueryTable.Reference, now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        guard table[reference].copies == 0 else { return giveBackHedge(reference) }
        counters.predictedLate += 1
        failFirst(reference, .predictedLate, now: now, &effects)
    }

    private mutating func commit(
        _ draft: Draft, to index: Int, start: MonotonicTime, now: MonotonicTime, ids: inout BatchIDs,
        hedges: inout HedgeBudgets, _ effects: inout SchedulerEffects
    ) {
        let queries = draft.first == 0 ? draft.queries : Array(draft.queries[draft.first...])
        let first = table[queries[0]].query.waiter
        let usual = table[queries[(queries.count - 1) / 2]].query.waiter
        // What comes back from another replica, or goes to a second one, could not be sent to this one before, and what
        // waited for company should not have been.
        let isNew = !table[queries[0]].wasSent
        let isDelayed = settings?.batching.maxDelay ?? .zero > .zero && replicas[index].isIdle
        // Nobody knows how long a first batch takes: who asks the same meanwhile has another replica.
        let isAlone = isAnyWell && !replicas[index].latency.isKnown
        var batch = Batch(
            id: ids.next(except: replicas[index].batches), queries: queries, sent: now, starts: start,
            deadlines: draft.first == 0 ? draft.deadlines : Array(draft.deadlines[draft.first...]),
            allowance: first.deadline - first.arrived, usualAllowance: usual.deadline - usual.arrived,
            sendable: isNew && !isDelayed ? first.arrived : now)
        var inputs: [Payload] = []
        var arrivals: [MonotonicTime] = []
        inputs.reserveCapacity(queries.count)
        arrivals.reserveCapacity(queries.count)
        var quantile: Double?
        var expires = now
        var trace: QueryTrace?
        for reference in queries {
            if trace == nil { trace = table[reference].query.trace }
            expires = max(expires, table[reference].query.waiter.deadline)
            if let last = table[reference].others.last { expires = max(expires, last.deadline) }
            inputs.append(table[reference].query.input)
            if table[reference].hedgePaidBy != nil {
                counters.hedges += 1
                table[reference].hedgePaidBy = nil
            } else if table[reference].copies > 0 {
                // Its replica is stuck, or misses it.
                counters.retries += 1
                table[reference].avoided = nil
            } else {
                // What was lost, or has failed, has waited for other things than its turn since it came, and was paid for.
                let isFirst = !table[reference].wasSent
                if isFirst { arrivals.append(table[reference].query.waiter.arrived) } else { counters.retries += 1 }
                table[reference].avoided = nil
                if let hedger = table[reference].hedger, let wanted = hedges.quantile(of: hedger) {
                    if isFirst { hedges.earn(hedger) }
                    quantile = min(quantile ?? 1, wanted)
                }
            }
            table[reference].copies += 1
            table[reference].wasSent = true
            table[reference].sent = (replicas[index].id, batch.id)
            if isAlone { release(reference) }
        }
        batch.expires = expires
        if let quantile { batch.hedgeAt = replicas[index].hedgeTime(of: batch, quantile: quantile) }
        nextEvent = min(nextEvent, batch.nextDeadline ?? .distantFuture, batch.hedgeAt)
        effects.dispatches.append(
            SchedulerEffects.Dispatch(
                batch: batch.id, replica: replicas[index].id, model: handle, inputType: replicas[index].inputType,
                inputs: inputs, expires: expires, trace: trace, arrivals: arrivals))
        replicas[index].begin(batch)
        if let stuckAt = replicas[index].stuckAt { nextEvent = min(nextEvent, stuckAt) }
        doors.removeAll(keepingCapacity: true)
    }
}
