import ContainerRPC

/// A live container as the scheduler sees it.
struct Replica: Sendable {
    /// What a batch is beyond its prediction by accident.
    private static let lateGrace = Duration.microseconds(500)
    /// What batches that take their usual time exceed by accident.
    private static let stuckGrace = Duration.milliseconds(20)
    /// How long it rests after its first failure; twice as long after each further one, up to the longest.
    private static let firstRest = Duration.milliseconds(2)
    private static let longestRest = Duration.seconds(1)
    /// So long after its last answer, what is known of one that is too slow is tried anew with one query; twice as long after
    /// each such trial that was too slow again, up to the longest.
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(16)
    /// One that is stuck, and is all that there is, is tried behind its batch after so long.
    private static let trialPause = Duration.milliseconds(100)

    let id: ReplicaID
    let inputType: InputType
    private let capacity: ReplicaCapacity
    /// How long its first batch may take, of which nothing is known: a model may load at its first query.
    private let patience: Duration
    /// Whether it serves the model as it is registered.
    var isSuitable = false
    /// It gets nothing new.
    var isDraining = false
    /// It has said goodbye: it gets nothing more, even where no other replica is there.
    var isLeaving = false
    /// Since when its batch is far beyond what was predicted.
    var stuckSince: MonotonicTime?
    /// It was stuck, or missed batches, for so long that it has been called lost.
    var isGivenUp = false
    private(set) var batches: [Batch] = []
    /// How many of them, from the first on, were sent before one that has been answered: they run beside the others, or are
    /// lost there, and say nothing of how the replica does.
    private(set) var overtakenCount = 0
    /// How many of those are missing.
    private(set) var missingCount = 0
    var latency = LatencyModel()
    var limit: BatchLimit
    private var lead = Lead()
    /// When it last answered.
    var lastAnswer: MonotonicTime
    /// When it last answered the batch that it worked on: the next one began then.
    private var lastInTurn: MonotonicTime
    var completedBatches = 0
    /// Batches in a row that it has failed for, or not computed.
    private var failures = 0
    /// Until when it gets nothing for that, while another replica is well.
    private(set) var restsUntil = MonotonicTime.distantPast
    private var pause = Self.firstPause
    /// The time that was left for the first query of its last batch when that query came.
    var allowance = Duration.zero

    init(
        id: ReplicaID, inputType: InputType, capacity: ReplicaCapacity = ReplicaCapacity(), batching: Batching,
        patience: Duration, now: MonotonicTime
    ) {
        self.patience = patience
        self.id = id
        self.inputType = inputType
        self.capacity = capacity
        limit = BatchLimit(batching, largest: capacity.largestBatch)
        lastAnswer = now
        lastInTurn = now
    }

    /// Whether it takes what comes.
    var isActive: Bool { isSuitable && !isDraining && !isLeaving }

    /// Whether it has nothing to do, as far as is known.
    var isIdle: Bool { batches.count == missingCount }

    /// The place of the batch that it works on.
    private var currentPlace: Int? { overtakenCount < batches.count ? overtakenCount : nil }

    /// The batch that it works on.
    var current: Batch? { currentPlace.map { batches[$0] } }

    /// Whether it has its first batch: of how long that takes nothing is known, and nothing may count on it.
    var isUnproven: Bool { !latency.isKnown && !batches.isEmpty }

    /// Whether it has failed for its last batch: where another is well it is tried after that one, and with one query.
    var isFailing: Bool { failures > 0 }

    /// Whether it answers, as far as is known.
    var isWell: Bool { latency.isKnown && stuckSince == nil && !isFailing }

    /// When all that it has is expected to be done; not before now.
    func free(now: MonotonicTime) -> MonotonicTime {
        guard !isIdle else { return now }
        var end = now
        var previous = MonotonicTime.distantPast
        for batch in batches where !batch.isMissing {
            previous = max(previous, batch.starts) + latency.expected(batch.size)
            end = max(end, previous)
        }
        return end
    }

    /// When it is expected to be done with one query more. A batch that should have been answered is expected to take as long
    /// again.
    func completion(now: MonotonicTime) -> MonotonicTime {
        var end = free(now: now) + latency.expected(1)
        if let current, nextAnswer < now { end += latency.expected(current.size) }
        return end
    }

    /// When a batch that is late even for the slowest that was seen, or a first one beyond all patience, may be called stuck.
    var stuckAt: MonotonicTime? {
        guard stuckSince == nil else { return nil }
        return currentPlace.map(overdue)
    }

    /// When the next of those that were overtaken is missing.
    var missingAt: MonotonicTime? {
        guard overtakenCount > missingCount else { return nil }
        return batches[..<overtakenCount].indices.lazy.filter { !batches[$0].isMissing }.map(overdue).min()
    }

    /// Whether one of those is to be called missing now.
    func becomesMissing(_ place: Int, now: MonotonicTime) -> Bool { !batches[place].isMissing && overdue(place) <= now }

    private func overdue(_ place: Int) -> MonotonicTime {
        let batch = batches[place]
        guard latency.isKnown else { return batch.starts + max(patience, batch.allowance * 2) }
        return batch.starts + latency.slow(batch.size) * 4 + Self.stuckGrace
    }

    /// Whether the batch that it works on is beyond what was predicted: nothing should wait behind that.
    func isLate(now: MonotonicTime) -> Bool {
        guard latency.isKnown, let place = currentPlace else { return false }
        return now > batches[place].starts + latency.slow(batches[place].size) * 2 + Self.lateGrace
    }

    /// When it can take another batch: now, later, or not before something happens (`nil`).
    func opening(slots: Int, now: MonotonicTime) -> MonotonicTime? {
        if batches.isEmpty { return now }
        guard batches.count - missingCount < slots, batches.count < capacity.batchesInFlight, stuckSince == nil else {
            return nil
        }
        if isIdle { return now }
        guard latency.isKnown else { return now }
        if isLate(now: now) { return nil }
        let last = batches.last.map { latency.expected($0.size) } ?? .zero
        return max(now, free(now: now) - lead.time(of: last))
    }

    /// When one that is stuck can be tried with one query more, lest a batch that it has lost keeps it from all others for long;
    /// `nil` while it has no room.
    func trialTime(slots: Int) -> MonotonicTime? {
        guard let stuckSince, latency.isKnown, let last = batches.last?.sent, batches.count - missingCount < slots,
            batches.count < capacity.batchesInFlight
        else { return nil }
        // One that refuses what it is tried with has not answered what it is stuck with, and is as stuck as before.
        return max(stuckSince, last, lastAnswer) + max(Self.trialPause, latency.slow(1) * 4)
    }

    /// Whether what is known of it may have changed since it last answered.
    func isOutdated(now: MonotonicTime) -> Bool { now - lastAnswer > pause }

    /// When the batch that it works on is expected to be done; nothing tells where it has none, or is new.
    var nextAnswer: MonotonicTime {
        guard latency.isKnown, let place = currentPlace else { return .distantPast }
        return batches[place].starts + latency.expected(batches[place].size)
    }

    /// What has become of a batch.
    enum Completion {
        /// It was computed.
        case computed
        /// It was not, and that says nothing of the replica.
        case passed
        /// The replica has failed for it.
        case failed
    }

    mutating func begin(_ batch: Batch) {
        batches.append(batch)
        limit.begin(size: batch.size)
    }

    /// A batch is to be hedged at another time.
    mutating func setHedge(_ place: Int, at time: MonotonicTime) { batches[place].hedgeAt = time }

    /// The deadline of the first query of a batch that is still to come has come.
    mutating func noteExpired(_ place: Int) { batches[place].expired += 1 }

    /// Nothing is expected any more of a batch that was overtaken.
    mutating func noteMissing(_ place: Int, now: MonotonicTime) {
        batches[place].missingSince = now
        missingCount += 1
    }

    /// A batch has been answered, and the next one begins. If it was computed, what it took is learned.
    ///
    /// - Parameter computeTime: what the container says that its model took.
    mutating func finish(
        _ place: Int, _ completion: Completion = .computed, computeTime: Duration? = nil, now: MonotonicTime
    ) -> Batch {
        let batch = batches.remove(at: place)
        if batch.isMissing { missingCount -= 1 }
        let wasOvertaken = place < overtakenCount
        let wasCurrent = place == overtakenCount
        if wasOvertaken {
            overtakenCount -= 1
        } else if case .computed = completion {
            // A refusal says nothing of those before it: it may have come from who only reads.
            overtakenCount = place
        }
        // Else the one that it works on is still there, and the others wait for that as before.
        let isInTurn = wasCurrent || (!wasOvertaken && overtakenCount == place)
        switch completion {
        case .passed:
            break
        case .failed:
            failures += 1
            restsUntil = now + min(Self.longestRest, Self.firstRest * (1 << min(failures - 1, 16)))
        case .computed:
            failures = 0
            restsUntil = .distantPast
            // One that was overtaken did not wait for the answer before its own.
            let duration = now - (wasOvertaken ? batch.sent : max(batch.sent, lastInTurn))
            if let computeTime, !wasOvertaken {
                lead.note(
                    duration, ahead: max(.zero, lastInTurn - batch.sent), waited: lastInTurn - batch.sendable,
                    computeTime: computeTime)
            }
            // The unluckiest query waits for one batch and rides in the next. One that has less time than most, and is the
            // first for that, does not rule the others' batches.
            limit.completed(
                size: batch.size, duration: duration, computeTime: computeTime,
                wasInTime: duration * 2 <= batch.usualAllowance)
            // What they take tells nothing of the batches that it gets.
            if !limit.isBeyond(batch.size) || !latency.isKnown { latency.record(size: batch.size, duration: duration) }
            allowance = batch.allowance
            if latency.fast(1) <= allowance {
                pause = Self.firstPause
            } else if batch.sent - lastAnswer > pause {
                pause = min(Self.longestPause, pause * 2)
            }
            completedBatches += 1
        }
        lastAnswer = now
        guard isInTurn else { return batch }
        lastInTurn = now
        if let next = currentPlace {
            let start = max(batches[next].sent, now)
            // It is late by its own start, not by the one that was expected.
            if batches[next].hedgeAt != .distantFuture { batches[next].hedgeAt += start - batches[next].starts }
            batches[next].starts = start
        }
        return batch
    }
}
