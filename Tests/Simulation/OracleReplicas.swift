import ContainerRPC
import QueryFrontend

/// What must hold of replicas and of the batches that go to them.
extension Oracle {
    // MARK: Coming and going

    mutating func added(
        _ id: ReplicaID, of model: Int, _ registration: Registration, connection: Int, at now: MonotonicTime
    ) {
        while replicas.count <= id.number { replicas.append(nil) }
        if replicas[id.number] != nil { return violate("replica \(id.number) is added twice", at: now) }
        if connection >= 0, replicas.contains(where: { $0?.connection == connection }) {
            violate("connection \(connection) has two replicas", at: now)
        }
        replicas[id.number] = ReplicaRecord(
            model: model, inputType: registration.inputType, connection: connection, version: registration.rpcVersion,
            details: registration.details)
    }

    /// A container that has registered, or is taken back, becomes a replica.
    mutating func checkMayRegister(
        _ registration: Registration, _ model: Int, by connection: Connection, anew: Bool, at now: MonotonicTime
    ) {
        let name = "container \(connection.container)"
        if registration.rpcVersion == .four, !connection.peer.offersVersion4 {
            violate("\(name) is a replica in RPC 4, which it has not offered", at: now)
        }
        if connection.wasRefused, connection.isBeyondDoubt {
            violate("\(name) is a replica in the session in which it was refused", at: now)
        }
        // While its model was not registered nobody knew better.
        if anew, registration.rpcVersion == .four, model < isRegistered.count, isRegistered[model],
            registration.inputType != scenario.models[model].inputType
        {
            violate("\(name) of another input type is not refused", at: now)
        }
        if anew, connection.wasToldGoodbye, connection.isBeyondDoubt {
            violate("\(name) is a replica once more in the session in which it left", at: now)
        }
    }

    /// A replica is called stuck. What it has may be sent again.
    mutating func stuck(_ id: ReplicaID, at now: MonotonicTime) {
        hasSentAgain = true
        replicas[id.number]?.stuckSince = now
        for query in record(id)?.batches.flatMap(\.queries) ?? [] { queries[query].isStuck = true }
    }

    /// A stuck replica has answered.
    mutating func recovered(_ id: ReplicaID) {
        replicas[id.number]?.stuckSince = nil
    }

    /// A batch is called missing, because its replica answers others. What is in it may be sent again.
    mutating func missing(_ batch: UInt32, on id: ReplicaID, at now: MonotonicTime) {
        hasSentAgain = true
        guard let replica = record(id), let index = replica.batches.firstIndex(where: { $0.id == batch }) else {
            return violate("batch \(batch) is missing, and not on replica \(id.number)", at: now)
        }
        if replica.batches[index].sent > replica.lastAnsweredSent {
            violate("batch \(batch) is missing, and replica \(id.number) has answered no later one", at: now)
        }
        replicas[id.number]?.batches[index].isMissing = true
        for query in replica.batches[index].queries { queries[query].isStuck = true }
    }

    mutating func removed(
        _ id: ReplicaID, _ reason: FrontendSession.EndReason, _ connections: [Connection], timing: SessionTiming,
        at now: MonotonicTime
    ) {
        guard let replica = record(id) else {
            return violate("replica \(id.number) is removed and was not there", at: now)
        }
        replicas[id.number] = nil
        if !replica.batches.isEmpty { hasSentAgain = true }
        // What it was asked twice, because the first time is missing, is lost with it once.
        for query in Set(replica.batches.flatMap(\.queries)) {
            queries[query].replicas.removeAll { $0 == id }
            queries[query].losses += 1
        }
        guard replica.connection >= 0 else { return }
        let connection = connections[replica.connection]
        let cause: Bool
        switch reason {
        case .disconnected:
            cause = !connection.isOpenAtFrontend || connection.lastRefusal == now || connection.isLikeTheLast
        case .silent: cause = !replica.mayBeSilent && now >= connection.lastHeard + timing.silenceLimit
        case .malformed, .wrongOutputCount: cause = connection.hasMisbehaved
        // One that comes back so like itself that nobody notices goes on with the session that it had, and says by registering
        // that it is another.
        case .replaced: cause = connection.hasMisbehaved || connection.isLikeTheLast
        case .dismissed: cause = replica.model < isRegistered.count
        case .left: cause = replica.isLeaving && replica.batches.isEmpty
        case .drained:
            // One that is stuck may never answer what nobody waits for any more. Who is told so in this turn, some time before
            // it is due, is told after this.
            let isAwaited = replica.batches.contains { batch in
                batch.queries.contains {
                    !queries[$0].isAnswered && !queries[$0].isGone
                        && queries[$0].deadline > MonotonicTime(nanoseconds: now.nanoseconds + 2 * millisecond)
                }
            }
            cause = connection.wasReleased && (replica.isIdle || !isAwaited)
        case .unanswered: cause = !replica.batches.isEmpty
        case .refused: cause = false
        }
        let leavesInOrder = replica.isLeaving && !connection.isTroubled && connection.isBeyondDoubt
        if leavesInOrder, !replica.batches.isEmpty, ![.dismissed, .unanswered, .drained].contains(reason),
            !isCatchingUp(now)
        {
            violate(
                "replica \(id.number) leaves in good order, and \(replica.batches.count) batches are lost with it: "
                    + "\(reason)", at: now)
        }
        if !cause, !isCatchingUp(now) {
            violate("replica \(id.number) is given up without a cause: \(reason)", at: now)
        }
    }

    /// Whether the dispatch thread reads what has come in a long time in which it stood still. Where descriptors were used
    /// again meanwhile, it cannot tell the last messages of one connection from the first of the next: it may be wrong for
    /// a moment.
    func isCatchingUp(_ now: MonotonicTime) -> Bool {
        now.nanoseconds < excusedUntil.nanoseconds + 20 * millisecond
    }

    /// A connection is gone, and its last messages and its end are there to be read.
    mutating func connectionLost(_ connection: Int) {
        lostConnections.append(connection)
    }

    /// The sessions have been told of all lost connections, and all messages were read.
    mutating func lossesNoted() {
        noted += lostConnections
        lostConnections.removeAll(keepingCapacity: true)
    }

    // MARK: Batches

    mutating func dispatched(
        _ dispatch: SchedulerEffects.Dispatch, _ connections: [Connection], _ occurrences: inout Occurrences,
        at now: MonotonicTime
    ) {
        let name = "batch \(dispatch.batch)"
        guard let replica = record(dispatch.replica) else {
            return violate("\(name) goes to replica \(dispatch.replica.number), which is lost", at: now)
        }
        let model = dispatch.model.index
        guard model < isRegistered.count, isRegistered[model] else {
            return violate("\(name) goes out for a model that is not registered", at: now)
        }
        guard isSuitable(replica, model), dispatch.inputType == replica.inputType else {
            return violate("\(name) of model \(model) goes to a replica of model \(replica.model)", at: now)
        }
        if replica.isDraining, hasSuitableReplica(model) {
            violate("\(name) goes to replica \(dispatch.replica.number), which is draining", at: now)
        }
        if replica.batches.count(where: { !$0.isMissing }) >= scenario.slotsPerReplica {
            violate("\(name) is one too many for replica \(dispatch.replica.number)", at: now)
        }
        if replica.isLeaving || (replica.connection >= 0 && connections[replica.connection].wasToldGoodbye) {
            violate("\(name) goes to replica \(dispatch.replica.number), which was told that none comes", at: now)
        }
        let size = dispatch.inputs.count
        if let since = replica.stuckSince {
            occurrences[.stuckTried] += 1
            let last = replica.batches.last?.sent ?? since
            if size > 1 || now < max(since, last) + .milliseconds(100) {
                violate("\(name) of \(size) goes to replica \(dispatch.replica.number), which is stuck", at: now)
            }
        }
        if size > replica.details.largestBatch ?? .max {
            violate("\(name) has \(size) inputs, more than its container takes", at: now)
        }
        if size > replica.largest, replica.answeredSinceRefusal < 16 {
            violate("\(name) has \(size) inputs, more than half of what was too large for its container", at: now)
        }
        if replica.batches.count >= replica.details.batchesInFlight ?? .max {
            violate("\(name) is one more than the container of replica \(dispatch.replica.number) takes", at: now)
        }
        if size == replica.details.largestBatch { occurrences[.batchesAsLargeAsStated] += 1 }
        if replica.batches.count + 1 == replica.details.batchesInFlight { occurrences[.batchesAsManyAsStated] += 1 }
        var largest = batching[model].maxBatch
        if case .fixed(let fixed) = batching[model].limit { largest = min(largest, fixed) }
        if size == 0 || size > largest {
            violate("\(name) has \(size) inputs, at most \(largest) are allowed", at: now)
        }
        if size > 1, size == largest { occurrences[.fullBatches] += 1 }
        if !replica.batches.isEmpty { occurrences[.secondBatchesInFlight] += 1 }
        if replica.batches.isEmpty, batching[model].maxDelay > .zero { occurrences[.delayedBatches] += 1 }
        var numbers: [Int] = []
        let values = dispatch.inputs.map { Inputs.value(of: $0, as: dispatch.inputType) }
        for value in values {
            // Where many ask the same, nobody can tell from outside for whom it is sent.
            let number = value - Self.firstDistinct
            guard queries.indices.contains(number) else { continue }
            numbers.append(number)
            sent(number, to: dispatch.replica, at: now)
            // It may go to another at once.
            if replica.stuckSince != nil { queries[number].isStuck = true }
        }
        replicas[dispatch.replica.number]?.batches.append(
            BatchRecord(
                id: dispatch.batch, queries: numbers, values: values, sent: now, expires: dispatch.expires))
    }

    private mutating func sent(_ number: Int, to replica: ReplicaID, at now: MonotonicTime) {
        let query = queries[number]
        if query.isAnswered { violate("query \(number) is sent though it is answered", at: now) }
        if query.losses >= 2 { violate("query \(number) is sent though two replicas were lost with it", at: now) }
        if query.deadline <= now { violate("query \(number) is sent though its deadline has come", at: now) }
        let wasLost = record(replica)?.batches.contains { $0.isMissing && $0.queries.contains(number) } ?? false
        if query.replicas.contains(replica), !wasLost {
            violate("query \(number) is sent to the same replica twice", at: now)
        }
        if query.refusedBy == replica, query.replicas.isEmpty,
            hasIdleReplica(query.model, except: replica, within: query.deadline - now)
        {
            violate("query \(number) is sent to the replica that refused it, and another has nothing to do", at: now)
        }
        // Where nobody else had room, the one that refused it was asked again: what becomes of that has nothing to do with it.
        queries[number].refusedBy = nil
        if query.replicas.isEmpty {
            sent[query.application] += 1
        } else if !query.isStuck {
            hedged[query.application] += 1
            if Double(hedged[query.application]) > hedgeShare[query.application] * Double(sent[query.application])
                + 1e-6
            {
                violate(
                    "\(hedged[query.application]) of \(sent[query.application]) queries of application "
                        + "\(query.application) are hedged, more than its share", at: now)
            }
        }
        if query.replicas.count > 1 { violate("query \(number) is sent to a third replica", at: now) }
        queries[number].replicas.append(replica)
    }

    mutating func failed(
        _ failure: BatchFailure, on id: ReplicaID, _ connections: [Connection], at now: MonotonicTime
    ) {
        guard let replica = record(id), let index = replica.batches.firstIndex(where: { $0.id == failure.id }),
            let batch = replicas[id.number]?.batches.remove(at: index)
        else { return }
        replicas[id.number]?.lastAnsweredSent = max(replica.lastAnsweredSent, batch.sent)
        let lies = replica.connection >= 0 && connections[replica.connection].hasMisbehaved
        if failure.code == .tooLate, !lies, now <= batch.expires {
            violate("batch \(batch.id) is refused as too late though its time is not spent", at: now)
        }
        hasSentAgain = true
        let isDivisible = failure.code == .tooLarge && batch.size > 1
        if isDivisible {
            replicas[id.number]?.largest = batch.size / 2
            replicas[id.number]?.answeredSinceRefusal = 0
        } else {
            // A single query that is too large shows that not their number was to blame.
            if failure.code == .tooLarge { replicas[id.number]?.largest = .max }
            for value in batch.values { failed(value, of: replica.model, failure.code, lies: lies) }
        }
        if !isDivisible, failure.code != .invalidInput, failure.code != .tooLate { replicas[id.number]?.failures += 1 }
        if failure.code == .tooLate, lies { replicas[id.number]?.wasRash = true }
        for query in batch.queries {
            queries[query].replicas.removeAll { $0 == id }
            if failure.code == .unavailable { refused(query, by: id) }
            // It goes to another that can have it in time, if there is one; who was lost with it then is not known here.
            if failure.code == .tooLate {
                queries[query].refusedBy = id
                queries[query].lateRefusals += 1
            }
        }
    }

    /// A replica has not computed a query's input, and another one may.
    private mutating func refused(_ query: Int, by replica: ReplicaID) {
        queries[query].losses += 1
        queries[query].refusedBy = replica
    }

    /// A container has said that it has no output for an input.
    private mutating func failed(_ value: Int, of model: Int, _ code: FailureCode, lies: Bool) {
        let reason: DefaultReason
        switch code {
        case .unavailable: return
        // Its clients are told that their time is spent only when it is, unless the container lies.
        case .tooLate where !lies: return
        case .tooLate: reason = .deadline
        case .invalidInput: reason = .invalidInput
        default: reason = .modelError
        }
        failedInputs.insert(FailedInput(model: model, value: value, reason: reason))
    }

    mutating func completed(_ response: PredictResponse, on id: ReplicaID, at now: MonotonicTime) {
        guard let index = record(id)?.batches.firstIndex(where: { $0.id == response.id }) else {
            // Sent to the container when it was another replica: nothing may follow from it.
            return
        }
        guard let replica = record(id), let batch = replicas[id.number]?.batches.remove(at: index) else { return }
        let model = replica.model
        replicas[id.number]?.lastAnsweredSent = max(replica.lastAnsweredSent, batch.sent)
        replicas[id.number]?.slowest = max(replica.slowest, now - batch.sent)
        replicas[id.number]?.answeredSinceRefusal += 1
        var unavailable: Set<Int> = []
        if !response.outputs.errors.isEmpty { hasSentAgain = true }
        for error in response.outputs.errors where batch.values.indices.contains(error.index) {
            failed(batch.values[error.index], of: model, error.code, lies: false)
            if error.code == .unavailable { unavailable.insert(batch.values[error.index] - Self.firstDistinct) }
        }
        for query in batch.queries where unavailable.contains(query) { refused(query, by: id) }
        let codes = response.outputs.errors.map(\.code)
        if codes.count < response.outputs.count || response.outputs.count == 0 {
            replicas[id.number]?.failures = 0
            replicas[id.number]?.wasRash = false
        } else if !codes.contains(.invalidInput), !codes.contains(.tooLate) {
            replicas[id.number]?.failures += 1
        }
        if batch.size != response.outputs.count { violate("batch \(batch.id) has a wrong number of outputs", at: now) }
        for query in batch.queries { queries[query].replicas.removeAll { $0 == id } }
    }
}
