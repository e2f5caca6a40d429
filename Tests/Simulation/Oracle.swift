package import ContainerRPC
import QueryFrontend

/// What did not hold in a run.
package struct Violation: Error, Sendable, CustomStringConvertible {
    /// The invariant, and what broke it.
    package var what: String
    /// When, in simulated time.
    package var time: MonotonicTime

    package var description: String { "after \(Double(time.nanoseconds / 1000) / 1000) ms: \(what)" }
}

/// Watches a run from outside and tells what must not be: it keeps books of its own, from what is sent and delivered alone.
struct Oracle {
    /// A query as its client sees it.
    struct QueryRecord {
        let model: Int
        let application: Int
        let value: Int
        /// Its model's, when the dispatch thread took it.
        var epoch: Int
        var arrived: MonotonicTime
        var deadline: MonotonicTime
        /// The dispatch thread has it.
        var isTaken = false
        /// What it found when the dispatch thread took it.
        var door = Door()
        var isAnswered = false
        /// Its frontend's process has ended: its client knows.
        var isGone = false
        var mustHaveOutput = false
        /// Replicas that were lost with it in flight.
        var losses = 0
        /// Times that a replica found it too late, and another may have been asked for that.
        var lateRefusals = 0
        /// The replica that has it was found stuck, or has lost it: it may go to another one, which is no hedge.
        var isStuck = false
        /// The last replica that has said that it did not compute it.
        var refusedBy: ReplicaID?
        /// Replicas that have it now.
        var replicas: [ReplicaID] = []
    }

    /// What a query finds when it comes to its model.
    struct Door {
        var time = MonotonicTime(nanoseconds: 0)
        /// There was a replica for it.
        var hadReplica = false
        /// So few were under way that there was room for one more.
        var hadRoom = false
        /// A replica had nothing to do, and nothing was under way.
        var hadIdleReplica = false
    }

    struct BatchRecord {
        var id: UInt32
        var queries: [Int]
        /// All its inputs, also those of which nobody can tell for whom they are.
        var values: [Int]
        var sent: MonotonicTime
        var expires: MonotonicTime
        /// Its replica has answered a later one, and nothing is expected of it any more.
        var isMissing = false
        var size: Int { values.count }
    }

    /// An input that a container has said that it has no output for.
    struct FailedInput: Hashable {
        var model: Int
        var value: Int
        /// What its clients are told for that.
        var reason: DefaultReason
    }

    /// A replica as the frontend's effects tell of it.
    struct ReplicaRecord {
        let model: Int
        let inputType: InputType
        var connection: Int
        let version: RPCVersion
        let details: RegistrationDetails
        var isDraining = false
        /// It is to end once it has answered all that it has.
        var isToEnd = false
        /// It has said goodbye.
        var isLeaving = false
        /// It has a batch that should have been answered long ago, and has answered nothing since.
        var stuckSince: MonotonicTime?
        /// Batches in a row that it has failed for.
        var failures = 0
        /// It has refused as too late what was not, and may rest for that.
        var wasRash = false
        /// The most queries of a batch, as far as refusals tell; after some answers more may be tried.
        var largest = Int.max
        /// Batches that it has answered since it last refused one as too large.
        var answeredSinceRefusal = 0
        /// The longest that a batch was under way.
        var slowest = Duration.zero
        var batches: [BatchRecord] = []
        /// When the last of those was sent that it has answered.
        var lastAnsweredSent = MonotonicTime.distantPast

        /// It has nothing to do, as far as is known.
        var isIdle: Bool { batches.allSatisfy(\.isMissing) }
        /// It has, and can take something.
        var isFree: Bool { isIdle && batches.count < details.batchesInFlight ?? .max }
        var takesNew: Bool { !isDraining && !isLeaving }
        var beatsWhileBusy: Bool { details.beatsWhileBusy }
        /// It is at work, and has not said that it can be heard meanwhile.
        var mayBeSilent: Bool { !batches.isEmpty && !beatsWhileBusy }
    }

    let scenario: Scenario
    private(set) var violation: Violation?
    /// Of applications whose policies choose.
    var selection: SelectionBooks
    var queries: [QueryRecord] = []
    /// By number; `nil` for those that are gone.
    var replicas: [ReplicaRecord?] = []
    /// What the catalog says, which outlives the frontend's processes.
    var isRegistered: [Bool]
    var epochs: [Int]
    var batching: [Batching]
    var hedging: [Hedging?]
    var nextMustHaveOutput = false
    /// Queries of each application that were sent for the first time, or again after a loss; and hedges.
    var sent: [Int]
    var hedged: [Int]
    var hedgeShare: [Double]
    var failedInputs: Set<FailedInput> = []
    /// Queries of each model that the dispatch thread has taken and not answered, for all that its clients know.
    var underWay: [Int]
    private var usedNonces: Set<Int> = []
    /// Connections whose end the frontend's sockets know and its sessions may not yet.
    var lostConnections: [Int] = []
    /// Connections whose end the sessions know since the last check.
    var noted: [Int] = []
    private var turnsInVain = 0
    /// The dispatch thread is stopped until then.
    var excusedUntil = MonotonicTime(nanoseconds: -second)
    /// The frontend has been told to end.
    var isStopping = false
    /// Queries have been sent again since the frontend began.
    var hasSentAgain = false
    /// All queries before it are answered, or gone.
    private var firstOpen = 0
    /// Inputs from here on are asked for once.
    static let firstDistinct = 1000

    init(_ scenario: Scenario) {
        self.scenario = scenario
        selection = SelectionBooks(scenario)
        isRegistered = scenario.models.map { _ in true }
        epochs = scenario.models.map { _ in 0 }
        underWay = epochs
        batching = scenario.models.map(\.batching)
        hedging = scenario.applications.map(\.hedging)
        sent = scenario.applications.map { _ in 0 }
        hedged = sent
        hedgeShare = scenario.applications.map { $0.hedging?.maxExtraWork ?? 0 }
    }

    mutating func violate(_ what: String, at time: MonotonicTime) {
        if violation == nil { violation = Violation(what: what, time: time) }
    }

    // MARK: Queries

    var queryCount: Int { queries.count }

    mutating func queryArrived(
        _ value: Int, of model: Int, epoch: Int, _ application: Int, deadline: MonotonicTime, at now: MonotonicTime
    ) -> Int {
        queries.append(
            QueryRecord(
                model: model, application: application, value: value, epoch: epoch, arrived: now, deadline: deadline,
                mustHaveOutput: nextMustHaveOutput))
        return queries.count - 1
    }

    /// The dispatch thread has taken a query from its inbox.
    mutating func taken(_ number: Int, at now: MonotonicTime) {
        let model = queries[number].model
        queries[number].epoch = epochs[model]
        queries[number].isTaken = true
        queries[number].door = door(of: model, at: now)
        underWay[model] += 1
    }

    func door(of model: Int, at now: MonotonicTime) -> Door {
        Door(
            time: now, hadReplica: hasSuitableReplica(model),
            // Bytes are not counted here: where their bound can be reached, it may have been.
            hadRoom: underWay[model] < scenario.mostQueued && scenario.mostQueuedBytes >= Scenario.plentyOfBytes,
            hadIdleReplica: underWay[model] == 0 && hasIdleReplica(model))
    }

    func hasIdleReplica(_ model: Int) -> Bool {
        replicas.contains { isIdle($0, model) }
    }

    /// Whether a replica that did not fail has nothing to do, and was never as slow as to be late.
    func hasIdleReplica(_ model: Int, except other: ReplicaID, within time: Duration) -> Bool {
        replicas.indices.contains { number in
            guard number != other.number, let replica = replicas[number], isIdle(replica, model) else { return false }
            return replica.failures == 0 && !replica.wasRash && replica.slowest <= time
        }
    }

    private func isIdle(_ replica: ReplicaRecord?, _ model: Int) -> Bool {
        isSuitable(replica, model) && replica?.takesNew == true && replica?.isFree == true
    }

    /// Whether a query was turned away with reason; it is not under way any more.
    func isRight(_ reason: DefaultReason, at door: Door, of model: Int, now: MonotonicTime) -> Bool {
        switch reason {
        case .noReplica: !door.hadReplica
        case .queueFull: door.hadReplica && !door.hadRoom
        // A replica that has nothing to do tries whatever comes alone.
        case .predictedLate:
            door.hadReplica
                && !(door.hadIdleReplica && door.time == now && underWay[model] == 0 && hasIdleReplica(model))
        default: false
        }
    }

    /// A query that waits, is due later than a time, or then, and was not refused by a replica beside which there are others.
    mutating func waitingQuery(of model: Int, for replica: ReplicaID, dueAfter time: MonotonicTime) -> Int? {
        let hasOther = hasSuitableReplica(model, except: replica)
        while firstOpen < queries.count, queries[firstOpen].isAnswered || queries[firstOpen].isGone { firstOpen += 1 }
        return queries[firstOpen...].firstIndex { query in
            // Nobody can tell from outside whether one that others ask as well is not under way for them.
            query.model == model && query.isTaken && !query.isAnswered && !query.isGone && query.replicas.isEmpty
                && query.value >= Self.firstDistinct && query.deadline >= time
                && !(hasOther && query.refusedBy == replica)
        }
    }

    /// What a model gives for an input, without the nonce of those that are no functions.
    static func output(of value: Int, model: Int, epoch: Int) -> String {
        guard !SelectionBooks.isSelected(value) else {
            return SelectionBooks.output(of: value, model: model, epoch: epoch)
        }
        return "\(model).\(epoch).\((value &* 31 + model) % 9973)"
    }

    mutating func answered(_ number: Int, _ outcome: Outcome, isCached: Bool, at now: MonotonicTime) {
        let query = queries[number]
        if query.isAnswered { return violate("query \(number) is answered twice", at: now) }
        queries[number].isAnswered = true
        if query.isTaken, !query.isGone { underWay[query.model] -= 1 }
        if query.isGone { return violate("query \(number) is answered by a frontend that never had it", at: now) }
        let due = max(query.deadline, query.arrived, excusedUntil)
        if now.nanoseconds > due.nanoseconds + millisecond {
            violate(
                "query \(number) is answered \((now.nanoseconds - due.nanoseconds) / microsecond) µs too late", at: now)
        }
        switch outcome {
        case .output(let output):
            check(
                output, of: "query \(number)", queries[number].value, queries[number].model, isCached: isCached, at: now
            )
        case .defaultOutput(let reason), .failed(let reason, _):
            check(reason, of: number, at: now)
        }
    }

    private mutating func check(_ reason: DefaultReason, of number: Int, at now: MonotonicTime) {
        let query = queries[number]
        if query.mustHaveOutput {
            violate("query \(number), sent when all is well, gets the default: \(reason)", at: now)
        }
        let isRight: Bool
        switch reason {
        case .deadline: isRight = now >= query.deadline || hasFailed(query, reason)
        case .modelDeleted: isRight = !isRegistered[query.model] || epochs[query.model] != query.epoch
        // Of those that share a computation nobody can tell from outside.
        case .lostTwice:
            isRight = query.losses + query.lateRefusals >= 2 || query.value < Self.firstDistinct
        case .stopping: isRight = isStopping
        case .noReplica, .queueFull, .predictedLate:
            isRight = self.isRight(reason, at: query.door, of: query.model, now: now)
        // Nobody chooses for it, and every input is small.
        case .lowConfidence, .inputTooLarge: isRight = false
        case .modelError, .invalidInput: isRight = hasFailed(query, reason)
        }
        if !isRight { violate("query \(number) gets the default for a reason that is none: \(reason)", at: now) }
    }

    private func hasFailed(_ query: QueryRecord, _ reason: DefaultReason) -> Bool {
        failedInputs.contains(FailedInput(model: query.model, value: query.value, reason: reason))
    }

    mutating func check(
        _ output: ArraySlice<UInt8>, of name: String, _ value: Int, _ model: Int, isCached: Bool, at now: MonotonicTime
    ) {
        guard isRegistered[model] else {
            return violate("\(name) gets an output of a model that is deleted", at: now)
        }
        let expected = Self.output(of: value, model: model, epoch: epochs[model])
        let isFunction = scenario.models[model].isFunction
        if isFunction ? output.elementsEqual(expected.utf8) : output.starts(with: expected.utf8) {
            guard !isFunction else { return }
            let nonce = Int(String(decoding: output.dropFirst(expected.utf8.count + 1), as: UTF8.self)) ?? -1
            if isCached || !usedNonces.insert(nonce).inserted {
                violate("\(name) gets another query's output, though its model is no function", at: now)
            }
            return
        }
        violate(
            """
            \(name) (input \(value)) gets \(isCached ? "the cached output " : "")\
            "\(String(decoding: output, as: UTF8.self))" instead of "\(expected)"
            """, at: now)
    }

    /// The thread wakes when something is due. If that is always now, it never sleeps.
    mutating func checkWakesLater(
        than now: MonotonicTime, _ deadline: MonotonicTime, scheduler: MonotonicTime?, selector: MonotonicTime?
    ) {
        turnsInVain = deadline <= now ? turnsInVain + 1 : 0
        if turnsInVain > 3 {
            let isDue = { (deadline: MonotonicTime?) in deadline.map { $0 <= now } == true }
            let who = isDue(scheduler) ? "scheduler" : isDue(selector) ? "selector" : "sessions"
            violate("the \(who)'s deadline has come and does not go: the frontend spins", at: now)
        }
    }

    // MARK: The frontend's processes

    mutating func frontendStarted() {
        replicas = []
        failedInputs = []
        lostConnections = []
        noted = []
        isStopping = false
        hasSentAgain = false
        sent = sent.map { _ in 0 }
        hedged = hedged.map { _ in 0 }
        hedgeShare = hedging.map { $0?.maxExtraWork ?? 0 }
    }

    /// - Returns: how many queries have no answer and will have none.
    mutating func frontendStopped() -> Int {
        var lost = 0
        underWay = underWay.map { _ in 0 }
        for number in queries.indices where !queries[number].isAnswered && !queries[number].isGone {
            queries[number].isGone = true
            lost += 1
        }
        return lost
    }

    func record(_ id: ReplicaID) -> ReplicaRecord? {
        replicas.indices.contains(id.number) ? replicas[id.number] : nil
    }

    /// Which replica has a batch.
    func replica(of batch: UInt32) -> Int? {
        replicas.firstIndex { $0?.batches.contains { $0.id == batch } ?? false }
    }

    /// A batch that is in flight elsewhere than by some connections.
    func batch(notOf connections: Set<Int>, from random: inout SeededGenerator) -> (UInt32, Int)? {
        let others = replicas.compactMap { $0 }.filter { !connections.contains($0.connection) && !$0.batches.isEmpty }
        guard !others.isEmpty else { return nil }
        let batch = random.pick(random.pick(others).batches)
        return (batch.id, batch.size)
    }

    /// Whether a model can be served.
    /// - Parameter other: where there is one, the replica beside which one is sought that has not failed for its last batch.
    func hasSuitableReplica(_ model: Int, except other: ReplicaID? = nil) -> Bool {
        isRegistered[model]
            && replicas.indices.contains {
                $0 != other?.number && isSuitable(replicas[$0], model) && replicas[$0]?.takesNew == true
                    && (other == nil || replicas[$0]?.failures == 0)
            }
    }

    func isSuitable(_ replica: ReplicaRecord?, _ model: Int) -> Bool {
        replica?.model == model && replica?.inputType == scenario.models[model].inputType
    }
}
