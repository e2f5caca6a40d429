import ContainerRPC

/// Queries of a batch that is late, missing, or on a stuck replica, go to a second replica as well; the first answer counts.
extension ModelScheduler {
    /// Where a hedge was not possible, it is tried again after so long.
    private static let retryInterval = Duration.milliseconds(5)

    /// Puts the queries of the replica's batches that are older than their applications allow back into the queue, for
    /// another replica. There they are among the first, because they are among the oldest.
    mutating func hedge(_ index: Int, now: MonotonicTime, _ hedges: inout HedgeBudgets) {
        for place in replicas[index].batches.indices where replicas[index].batches[place].hedgeAt <= now {
            let batch = replicas[index].batches[place]
            var again = MonotonicTime.distantFuture
            guard batch.queries.contains(where: canBeHedged) else {
                replicas[index].setHedge(place, at: again)
                continue
            }
            guard replicas.contains(where: { $0.id != replicas[index].id && $0.isActive && $0.stuckSince == nil })
            else {
                replicas[index].setHedge(place, at: now + Self.retryInterval)
                continue
            }
            for reference in batch.queries where canBeHedged(reference) {
                guard let application = table[reference].hedger, let quantile = hedges.quantile(of: application)
                else { continue }
                let time = replicas[index].hedgeTime(of: batch, quantile: quantile)
                guard time <= now else {
                    again = min(again, time)
                    continue
                }
                guard hedges.take(application) else {
                    again = min(again, now + Self.retryInterval)
                    continue
                }
                table[reference].avoided = replicas[index].id
                table[reference].hedgePaidBy = application
                enqueue(reference)
            }
            replicas[index].setHedge(place, at: again)
        }
    }

    /// Somebody whose application hedges has joined a query that is in flight: its batch may be due to be hedged by now.
    mutating func bringHedgeForward(of reference: QueryTable.Reference, _ quantile: Double) {
        guard canBeHedged(reference), let sent = table[reference].sent,
            let (index, place) = find(sent.batch, on: sent.replica)
        else { return }
        let batch = replicas[index].batches[place]
        let time = min(batch.hedgeAt, replicas[index].hedgeTime(of: batch, quantile: quantile))
        replicas[index].setHedge(place, at: time)
        nextEvent = min(nextEvent, time)
    }

    /// What a stuck replica has, and what is missing on one that answers others, goes to another one that is well, as if it
    /// were lost; should it be answered first, that counts. Where none is well, or the other one is lost too, it is tried
    /// again when that has changed.
    mutating func sendAgain(now: MonotonicTime) {
        let troubled = replicas.indices.filter { replicas[$0].stuckSince != nil || replicas[$0].missingCount > 0 }
        guard !troubled.isEmpty else { return }
        let well = replicas.indices.filter { isReliable($0) && replicas[$0].isWell }
        for index in troubled { sendAgain(from: index, to: well, now: now) }
    }

    private mutating func sendAgain(from index: Int, to well: [Int], now: MonotonicTime) {
        let isStuck = replicas[index].stuckSince != nil
        // One that answers others is asked once more itself where there is nobody else.
        let isLast = !isStuck && well == [index]
        guard isLast || well.contains(where: { $0 != index }) else { return }
        for batch in replicas[index].batches where isStuck || batch.isMissing {
            for reference in batch.queries where isLast && table.contains(reference) && table[reference].isQueued {
                // It waited for another, which is gone.
                if table[reference].hedgePaidBy == nil, table[reference].avoided == replicas[index].id {
                    table[reference].avoided = nil
                }
            }
            for reference in batch.queries where canBeHedged(reference) {
                let deadline = table[reference].query.waiter.deadline
                let isInTime = well.contains { other in
                    (isLast || other != index) && canBeInTime(other, by: deadline, now: now)
                }
                guard isInTime else { continue }
                table[reference].avoided = isLast ? nil : replicas[index].id
                enqueue(reference)
            }
        }
    }

    /// A second copy is lost, and the first is as late as before: another replica may be asked.
    mutating func hedgeAgain(_ reference: QueryTable.Reference, now: MonotonicTime) {
        guard table.contains(reference), canBeHedged(reference), let late = table[reference].avoided,
            let index = replicas.firstIndex(where: { $0.id == late })
        else { return }
        for place in replicas[index].batches.indices { replicas[index].setHedge(place, at: now) }
        nextEvent = min(nextEvent, now)
    }

    /// What was paid for a hedge that is not sent can be spent on another.
    mutating func giveBackHedge(_ reference: QueryTable.Reference) {
        guard let application = table[reference].hedgePaidBy else { return }
        table[reference].hedgePaidBy = nil
        unspentHedges.append(application)
    }

    private func canBeHedged(_ reference: QueryTable.Reference) -> Bool {
        table.contains(reference) && !table[reference].isAnswered && !table[reference].isQueued
            && table[reference].copies == 1 && table[reference].losses < 2
    }
}

extension Replica {
    /// Batches that a replica has answered before a quantile of its latency means anything.
    private static let provenBatches = 20

    /// When a batch is older than this quantile of what batches of its size take here.
    func hedgeTime(of batch: Batch, quantile: Double) -> MonotonicTime {
        guard completedBatches >= Self.provenBatches else { return .distantFuture }
        return batch.starts + latency.quantile(quantile, batch.size)
    }
}
