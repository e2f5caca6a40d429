import ContainerRPC

/// The door: a query that provably cannot be answered in time is turned away at once.
extension ModelScheduler {
    /// Batches that a replica has answered before its latency proves anything.
    private static let provenBatches = 16
    /// Estimates that are kept, each for one allowance.
    private static let mostDoors = 32

    /// Whether a query that has just come can be answered in time, as far as is known.
    mutating func admits(_ waiter: Waiter, now: MonotonicTime) -> Bool {
        // One that nothing waits before is tried in any case if a replica has nothing to do: so it is noticed when a
        // model becomes quicker.
        if queuedCount == 0, replicas.contains(where: { $0.isActive && $0.isIdle }) { return true }
        guard let place = door(for: waiter.deadline - waiter.arrived, now: now) else { return true }
        if completion(door: place, position: queuedCount, now: now) <= waiter.deadline { return true }
        // Others wait, but those that are due later are behind it, and outdated entries of the queue are nobody.
        let before = max(0, queue.count(before: waiter.deadline) - (queue.count - queuedCount))
        return before < queuedCount && completion(door: place, position: before, now: now) <= waiter.deadline
    }

    /// The place of the estimate for queries that are left so much time; `nil` where nothing can be proven.
    private mutating func door(for allowance: Duration, now: MonotonicTime) -> Int? {
        // The way back is taken off to the nanosecond; so fine a difference changes nothing here.
        let wanted = allowance.wholeNanoseconds
        let tolerance = wanted / 32
        // A closure would copy all of this value.
        for place in doors.indices where (doors[place].nanoseconds - wanted).magnitude <= tolerance.magnitude {
            return place
        }
        guard let new = estimate(for: allowance, now: now) else { return nil }
        if doors.count == Self.mostDoors { doors.removeFirst() }
        doors.append(new)
        return doors.count - 1
    }

    /// When a query is answered that so many come before, if all goes as expected.
    private func completion(door place: Int, position: Int, now: MonotonicTime) -> MonotonicTime {
        let batch = doors[place].batch(position: position, now: now)
        return batch.start + replicas[batch.replica].latency.expected(batch.size)
    }

    /// `nil` where nothing can be proven: a replica is new, or its batches can still grow beyond what was seen.
    private func estimate(for allowance: Duration, now: MonotonicTime) -> DoorEstimate? {
        var servers: [DoorEstimate.Server] = []
        // Where not even the quickest can be in time, it is what there is.
        var quickest: DoorEstimate.Server?
        for index in replicas.indices where replicas[index].isActive && replicas[index].stuckSince == nil {
            // What a new one is worth shows with its first answer, and a failing one's with its next; till then the others
            // are what there is.
            if replicas[index].isUnproven || replicas[index].isFailing { continue }
            guard replicas[index].completedBatches >= Self.provenBatches else { return nil }
            let size = replicas[index].limit.largestInTime(of: allowance, model: replicas[index].latency)
            guard size <= max(1, replicas[index].latency.largestSeen * 2) else { return nil }
            let server = DoorEstimate.Server(
                replica: index, free: replicas[index].free(now: now), size: size,
                period: replicas[index].latency.expected(size))
            if replicas[index].latency.expected(1) <= allowance {
                servers.append(server)
            } else if quickest.map({ server.period < $0.period }) ?? true {
                quickest = server
            }
        }
        if servers.isEmpty, let quickest { servers = [quickest] }
        return DoorEstimate(allowance: allowance, servers: servers)
    }
}
