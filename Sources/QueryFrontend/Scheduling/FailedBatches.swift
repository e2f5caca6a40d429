import ContainerRPC

/// Containers of RPC 4 say when they fail for a batch, or for one of its queries.
extension ModelScheduler {
    /// A whole batch has failed, or was not computed.
    mutating func fail(
        _ id: UInt32, on replica: ReplicaID, _ code: FailureCode, _ reason: String, now: MonotonicTime,
        _ effects: inout SchedulerEffects
    ) {
        guard let (index, place) = find(id, on: replica) else { return }
        let batch = finishBatch(place, of: index, code.isReplicas ? .failed : .passed, now: now, &effects)
        for reference in batch.queries {
            fail(reference, code, reason, on: replica, expires: batch.expires, now: now, &effects)
        }
        doors.removeAll(keepingCapacity: true)
        isTouched = true
    }

    /// A replica has failed for a query. Another that still works on it may answer; where none does, the one who waits
    /// first hears of it, unless it was the replica's fault alone.
    ///
    /// - Parameter expires: when no answer to its batch was of use any more.
    mutating func fail(
        _ reference: QueryTable.Reference, _ code: FailureCode, _ text: String, on replica: ReplicaID,
        expires: MonotonicTime, now: MonotonicTime, _ effects: inout SchedulerEffects
    ) {
        if code == .unavailable {
            lose(reference, refusedBy: replica, now: now, &effects)
            return hedgeAgain(reference, now: now)
        }
        table[reference].copies -= 1
        guard !table[reference].isAnswered, table[reference].copies == 0 else { return endIfDone(reference) }
        if table[reference].isQueued { unqueue(reference) }
        giveBackHedge(reference)
        table[reference].avoided = nil
        switch code {
        // It asked for the same after the batch was sent, and has more time than the replica was told.
        case .tooLate where table[reference].query.waiter.deadline > expires && settings != nil: enqueue(reference)
        case .tooLate: fail(reference, .deadline, now: now, &effects)
        case .invalidInput: fail(reference, .invalidInput, message: text, now: now, &effects)
        default: fail(reference, .modelError, message: text, now: now, &effects)
        }
    }
}

extension FailureCode {
    /// Whether the replica may be to blame, and not the input or the time: the next batch may fare as badly there.
    var isReplicas: Bool { self != .invalidInput && self != .tooLate }
}
