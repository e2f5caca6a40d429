import ContainerRPC

/// Which replicas can be counted on, and which of them gets the next batch.
extension ModelScheduler {
    /// Notes when a replica is expected to take a batch.
    mutating func noteOpening(now: MonotonicTime) {
        opening = takesQueries ? .distantFuture : .distantPast
        for index in replicas.indices where takesQueries && replicas[index].isActive && !isOutdone(index) {
            let next = replicas[index].opening(slots: bounds.slotsPerReplica, now: now) ?? replicas[index].nextAnswer
            opening = min(opening, next)
        }
    }

    /// The replica with room that would have one query done first; equal ones take turns.
    mutating func bestReplica(now: MonotonicTime, except: [ReplicaID]) -> Int? {
        var best: (index: Int, completion: MonotonicTime)?
        for offset in replicas.indices {
            let index = (rotation + offset) % replicas.count
            // What waits is still served by those that drain, when no other is there.
            guard replicas[index].isSuitable, !replicas[index].isLeaving, !replicas[index].isGivenUp,
                !replicas[index].isDraining || activeCount == 0, !except.contains(replicas[index].id),
                let opening = replicas[index].opening(slots: bounds.slotsPerReplica, now: now) ?? trialTime(on: index)
            else { continue }
            guard opening <= now else {
                nextEvent = min(nextEvent, opening)
                continue
            }
            if isTooSlow(index, now: now) { continue }
            if isOutdone(index) {
                // Behind a first batch, of which nothing is known, nothing waits; after a failure it is tried now and then.
                if replicas[index].isUnproven { continue }
                if replicas[index].restsUntil > now {
                    nextEvent = min(nextEvent, replicas[index].restsUntil)
                    continue
                }
            }
            let completion =
                replicas[index].isUnproven || replicas[index].isFailing
                ? .distantFuture : replicas[index].completion(now: now)
            if let best, best.completion <= completion { continue }
            best = (index, completion)
        }
        if let best { rotation = best.index + 1 }
        return best?.index
    }

    /// When a stuck replica is tried with one query, where no other is well.
    private func trialTime(on index: Int) -> MonotonicTime? {
        isAnyWell ? nil : replicas[index].trialTime(slots: bounds.slotsPerReplica)
    }

    /// Whether nothing can be counted on of a replica, while another one is well: then it is no room that others share.
    func isOutdone(_ index: Int) -> Bool {
        isAnyWell && (replicas[index].isFailing || replicas[index].isUnproven)
    }

    /// Whether not one of the queries that wait can be in time on a replica, and another is there that is quicker. It is
    /// tried all the same once nothing has been heard of it for long.
    private func isTooSlow(_ index: Int, now: MonotonicTime) -> Bool {
        isOutpaced(index) && !replicas[index].isOutdated(now: now)
    }

    /// Whether it can have none of them in time, and another can.
    private func isOutpaced(_ index: Int) -> Bool { isAnySuited && isUnsuited(index) }

    func isUnsuited(_ index: Int) -> Bool {
        replicas[index].latency.isKnown && replicas[index].latency.fast(1) > longestAllowance
    }

    /// Whether a query is to go to another replica than this one, which is late with it, or has refused it; the latter only
    /// where another takes it now and can be in time, or this one is to be trusted less than another. Else each would leave
    /// it to the other.
    func avoids(_ reference: QueryTable.Reference, _ index: Int, now: MonotonicTime) -> Bool {
        guard table[reference].avoided == replicas[index].id else { return false }
        guard table[reference].copies == 0 else { return true }
        if isOutdone(index) { return true }
        let deadline = table[reference].query.waiter.deadline
        return replicas.indices.contains { other in
            other != index && hasRoom(other, now: now) && canBeInTime(other, by: deadline, now: now)
        }
    }

    /// Whether a replica that can be counted on takes a batch now.
    func hasRoom(_ index: Int, now: MonotonicTime) -> Bool {
        // One that is too slow for all that waits may be tried again, and has no room for a share of it.
        guard replicas[index].isActive, !replicas[index].isGivenUp, !isOutdone(index), !isOutpaced(index),
            let opening = replicas[index].opening(slots: bounds.slotsPerReplica, now: now)
        else { return false }
        return opening <= now
    }

    /// Whether another replica has nothing to do.
    func isAnotherIdle(than index: Int) -> Bool {
        replicas.indices.contains { $0 != index && replicas[$0].isActive && replicas[$0].isIdle }
    }

    /// Whether another replica can have one query more done by then.
    func canAnswer(by deadline: MonotonicTime, except index: Int, now: MonotonicTime) -> Bool {
        replicas.indices.contains { other in
            other != index && isReliable(other) && canBeInTime(other, by: deadline, now: now)
        }
    }

    /// Looks whether all replicas are stuck, or at a first batch like that of one that was called lost.
    mutating func noteSilence() {
        isSilent =
            activeCount > 0
            && replicas.allSatisfy { !$0.isActive || $0.stuckSince != nil || (hasGivenUp && $0.isUnproven) }
    }

    /// Whether a replica takes what comes, and answers, as far as is known, or is no worse than the others.
    func isReliable(_ index: Int) -> Bool {
        replicas[index].isActive && replicas[index].stuckSince == nil && !replicas[index].isUnproven
            && !isOutdone(index)
    }

    /// Whether a replica can have one query more done by then, if it is quick.
    func canBeInTime(_ index: Int, by deadline: MonotonicTime, now: MonotonicTime) -> Bool {
        replicas[index].free(now: now) + replicas[index].latency.fast(1) <= deadline
    }
}
