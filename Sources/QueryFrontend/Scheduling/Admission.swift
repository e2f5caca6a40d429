import ContainerRPC

/// What a model's replicas can still answer in time, for queries that the same time is left for.
///
/// It holds until a batch is sent or answered.
struct DoorEstimate: Sendable {
    /// What was left for the queries that it is for, when they came.
    let allowance: Duration
    /// Queries that all replicas take with one batch each, the largest that can be in time at all.
    let perRound: Int
    /// How long such a round takes.
    let period: Duration
    /// When each replica is done with what it has, the first one first.
    let frees: [MonotonicTime]
    /// The quickest replica.
    let quickest: Int

    /// When a query's batch begins that so many queries come before, and how many are in it up to this one.
    func start(position: Int, now: MonotonicTime) -> (MonotonicTime, size: Int) {
        let perBatch = max(1, perRound / frees.count)
        let rest = position % perRound
        let free = max(now, frees[min(rest / perBatch, frees.count - 1)])
        let size = min(perBatch, rest % perBatch + 1)
        return position < perRound ? (free, size) : (free + period * (position / perRound), size)
    }
}

/// The door: a query that provably cannot be answered in time is turned away at once.
extension ModelScheduler {
    /// Batches that a replica has answered before its latency proves anything.
    private static let provenBatches = 16
    /// Estimates that are kept, each for one allowance.
    private static let mostDoors = 4

    /// Whether a query that has just come can be answered in time, as far as is known.
    mutating func admits(_ waiter: Waiter, now: MonotonicTime) -> Bool {
        // One that nothing waits before is tried in any case if a replica has nothing to do: so it is noticed when a
        // model becomes quicker.
        if queuedCount == 0, replicas.contains(where: { $0.isActive && $0.batches.isEmpty }) { return true }
        let allowance = waiter.deadline - waiter.arrived
        // The way back is taken off to the nanosecond; so fine a difference changes nothing here.
        let tolerance = Duration(wholeNanoseconds: allowance.wholeNanoseconds / 32)
        var place = doors.firstIndex { abs($0.allowance - allowance) <= tolerance }
        if place == nil {
            guard let new = estimate(for: allowance, now: now) else { return true }
            if doors.count == Self.mostDoors { doors.removeFirst() }
            doors.append(new)
            place = doors.count - 1
        }
        guard let place else { return true }
        if completion(doors[place], position: queuedCount, now: now) <= waiter.deadline { return true }
        // Others wait, but those that are due later are behind it.
        let before = queue.count(before: waiter.deadline)
        return before < queuedCount && completion(doors[place], position: before, now: now) <= waiter.deadline
    }

    private func abs(_ duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }

    /// When a query is answered that so many come before, if all goes as expected.
    private func completion(_ door: DoorEstimate, position: Int, now: MonotonicTime) -> MonotonicTime {
        let (start, size) = door.start(position: position, now: now)
        return start + replicas[door.quickest].latency.expected(size)
    }

    /// `nil` where nothing can be proven: a replica is new, or its batches can still grow beyond what was seen.
    private func estimate(for allowance: Duration, now: MonotonicTime) -> DoorEstimate? {
        var perRound = 0
        var periods = Duration.zero
        var frees: [MonotonicTime] = []
        var quickest: Int?
        for index in replicas.indices where replicas[index].isActive && replicas[index].stuckSince == nil {
            // What a new one is worth shows with its first answer; till then the others are what there is.
            if replicas[index].isUnproven { continue }
            guard replicas[index].completedBatches >= Self.provenBatches else { return nil }
            let size = replicas[index].limit.largestInTime(of: allowance, model: replicas[index].latency)
            guard size <= max(1, replicas[index].latency.largestSeen * 2) else { return nil }
            perRound += size
            periods += replicas[index].latency.expected(size)
            frees.append(replicas[index].free(now: now))
            if let known = quickest, replicas[known].latency.expected(1) <= replicas[index].latency.expected(1) {
                continue
            }
            quickest = index
        }
        guard let quickest else { return nil }
        frees.sort()
        return DoorEstimate(
            allowance: allowance, perRound: perRound, period: periods / frees.count, frees: frees,
            quickest: quickest)
    }
}
