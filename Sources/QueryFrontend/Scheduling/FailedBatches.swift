import ContainerRPC

/// Containers of RPC 4 say when they fail for a batch, or for one of its queries.
extension ModelScheduler {
    /// A whole batch has failed, or was not computed. One that was too large is sent again in smaller ones.
    mutating func failBatch(
        _ id: UInt32, on replica: ReplicaID, _ code: FailureCode, _ reason: String, now: MonotonicTime,
        _ effects: inout SchedulerEffects
    ) {
        guard let (index, place) = find(id, on: replica) else { return }
        hasGivenUp = false
        let isDivisible = code == .tooLarge && replicas[index].batches[place].size > 1
        var completion = isDivisible ? Replica.Completion.passed : .init([code])
        if code == .tooLate, isRash(replicas[index].batches[place], on: replica, now: now) { completion = .failed }
        let batch = finishBatch(place, of: index, completion, now: now, &effects)
        if code == .tooLarge { replicas[index].limit.refused(size: batch.size) }
        for reference in batch.queries {
            if isDivisible {
                askAgain(reference, now: now, &effects)
            } else {
                failQuery(reference, code, reason, on: replica, batch, now: now, &effects)
            }
        }
        doors.removeAll(keepingCapacity: true)
        isTouched = true
    }

    /// Whether a batch is refused as too late though most of its time is left, and another replica is there: this one may be too
    /// slow for what is asked of it, or wrong, and refuses faster than others answer.
    private func isRash(_ batch: Batch, on replica: ReplicaID, now: MonotonicTime) -> Bool {
        guard batch.expires - now > (batch.expires - batch.sent) / 2 else { return false }
        return replicas.contains {
            $0.id != replica && $0.isActive && $0.stuckSince == nil && $0.latency.isKnown
        }
    }

    /// A query was not computed because of the others in its batch.
    private mutating func askAgain(
        _ reference: QueryTable.Reference, now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        table[reference].copies -= 1
        hedgeAgain(reference, now: now)
        guard !table[reference].isAnswered, table[reference].copies == 0 else { return endIfDone(reference) }
        // As a hedge it waits already, and is no hedge any more.
        giveBackHedge(reference)
        table[reference].avoided = nil
        if settings == nil {
            if table[reference].isQueued { unqueue(reference) }
            answerAll(reference, .defaultOutput(.modelDeleted), &effects)
        } else if !table[reference].isQueued {
            enqueue(reference)
        }
    }

    /// A replica has failed for a query. Another that still works on it may answer; where none does, the one who waits
    /// first hears of it, unless it was the replica's fault alone.
    ///
    /// - Parameter batch: the one that it was in.
    mutating func failQuery(
        _ reference: QueryTable.Reference, _ code: FailureCode, _ text: String, on replica: ReplicaID, _ batch: Batch,
        now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        let isRefused = code == .tooLate && table[reference].copies == 1 && isRash(batch, on: replica, now: now)
        if code == .unavailable || isRefused {
            lose(reference, sent: batch.sent, refusedBy: replica, now: now, &effects)
            return hedgeAgain(reference, now: now)
        }
        table[reference].copies -= 1
        guard !table[reference].isAnswered, table[reference].copies == 0 else { return endIfDone(reference) }
        if table[reference].isQueued { unqueue(reference) }
        giveBackHedge(reference)
        table[reference].avoided = nil
        switch code {
        // It asked for the same after the batch was sent, and has more time than the replica was told.
        case .tooLate where table[reference].query.waiter.deadline > batch.expires && settings != nil:
            enqueue(reference)
        case .tooLate: failFirst(reference, .deadline, now: now, &effects)
        default:
            failFirst(
                reference, code == .invalidInput ? .invalidInput : .modelError, message: PeerText.beginning(of: text),
                sent: batch.sent, now: now, &effects)
        }
    }
}

extension Replica.Completion {
    /// What has become of a batch with these outputs. Where there is none, nothing was computed: that takes another time.
    init(_ outputs: Outputs) {
        let isEmpty = outputs.count > 0 && outputs.errors.count == outputs.count
        self = isEmpty ? Self(outputs.errors.map(\.code)) : .computed
    }

    /// What has become of one for which there were only errors. Where an input or the time was to blame, that says nothing
    /// of the replica; else the next batch may fare as badly there.
    init(_ codes: [FailureCode]) {
        self = codes.contains { $0 == .invalidInput || $0 == .tooLate } ? .passed : .failed
    }
}
