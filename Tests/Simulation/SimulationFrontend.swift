import ContainerRPC
import QueryFrontend

/// What the dispatch thread does, over simulated sockets: its turns, and when it wakes for them.
extension Simulation {
    mutating func startFrontend() {
        let number = frontend.isRunning ? 0 : frontend.number + 1
        if number > 0 {
            // Now and then it is one of an earlier release, and the next one is not.
            let speaksVersion4 = !random.chance(0.35)
            if !speaksVersion4 { occurrences[.frontendsOfVersion3] += 1 }
            frontend = SimulatedFrontend(
                scenario, number: number, store: store, speaksVersion4: speaksVersion4, from: &random)
        }
        note(.frontendUp, number)
        oracle.frontendStarted()
        // What was made durable is known from the beginning.
        for model in scenario.models.indices where oracle.isRegistered[model] {
            frontend.commands.append(.register(model: model, oracle.batching[model]))
        }
        for application in scenario.applications.indices {
            frontend.commands.append(.hedge(application: application, oracle.hedging[application]))
        }
        beginSelecting(number)
        wakeFrontend()
    }

    /// The process is gone with all it knew.
    mutating func stopFrontend(for pause: Int64) {
        if random.chance(0.3) { endFrontend() }
        countEffects()
        let lost = oracle.frontendStopped()
        occurrences[.lostWithFrontend] += lost
        endSelecting()
        note(.frontendDown, lost)
        frontend.isRunning = false
        frontend.plannedTurn += 1
        endConnectionsOfFrontend()
        after(pause, .frontendStart)
    }

    /// The process ends as it should: whoever waits is told.
    private mutating func endFrontend() {
        occurrences[.frontendStops] += 1
        oracle.isStopping = true
        frontend.scheduler.abandonAll(.stopping)
        for answer in frontend.scheduler.effects.answers { deliver(answer) }
        frontend.scheduler.clearEffects()
        abandonSelecting()
        frontend.sessions.sayGoodbye(Goodbye(.stopping, reason: "the query frontend stops"))
        performSessionEffects()
        if frontend.scheduler.pendingCount != 0 { oracle.violate("queries are pending in a stopped frontend", at: now) }
    }

    // MARK: Waking

    /// Something has come: the thread looks at it soon.
    mutating func wakeFrontend() {
        guard frontend.isRunning else { return }
        let latency = random.nanoseconds(2 * microsecond...40 * microsecond)
        planTurn(at: max(later(latency), frontend.busyUntil))
    }

    private mutating func planTurn(at time: MonotonicTime) {
        guard time < frontend.plannedTurnTime else { return }
        frontend.plannedTurn += 1
        frontend.plannedTurnTime = time
        at(time, .turn(number: frontend.plannedTurn))
    }

    mutating func turn(_ number: Int) {
        guard frontend.isRunning, frontend.plannedTurn == number else { return }
        frontend.plannedTurnTime = .distantFuture
        if now < frontend.busyUntil { return planTurn(at: frontend.busyUntil) }
        let queries = frontend.inbox.count + frontend.selected.count + frontend.feedback.count
        let (isDrained, messages) = takeTurn()
        check()
        frontend.busyUntil = later(
            2 * microsecond + Int64(min(queries + messages, 200)) * microsecond
                + random.nanoseconds(0...20 * microsecond))
        note(.turn, queries, messages, 0)
        if !isDrained {
            occurrences[.turnsCutShort] += 1
            return planTurn(at: frontend.busyUntil)
        }
        let deadlines = [frontend.scheduler.deadline, frontend.sessions.deadline, frontend.selector.deadline]
        guard let deadline = deadlines.compactMap({ $0 }).min() else { return }
        oracle.checkWakesLater(
            than: now, deadline, scheduler: frontend.scheduler.deadline, selector: frontend.selector.deadline)
        let slack = random.nanoseconds(0...50 * microsecond)
        planTurn(at: max(MonotonicTime(nanoseconds: deadline.nanoseconds + slack), frontend.busyUntil))
    }

    // MARK: One turn

    /// What `DispatchLoop` does in a turn. False when messages are left.
    private mutating func takeTurn() -> (isDrained: Bool, messages: Int) {
        for command in frontend.commands { perform(command) }
        frontend.commands.removeAll(keepingCapacity: true)
        takeStoreAnswers()
        for query in frontend.inbox {
            oracle.taken(Int(query.waiter.ticket.request), at: now)
            frontend.scheduler.submit(query, now: now)
        }
        frontend.inbox.removeAll(keepingCapacity: true)
        takeSelecting()
        noteConnections()
        let (isDrained, messages) = receive()
        if isDrained {
            frontend.sessions.endLostConnections()
            oracle.lossesNoted()
            // What a container has said may be among the messages that are left.
            frontend.sessions.tick(now: now)
        }
        performSessionEffects()
        tickSelector()
        frontend.scheduler.tick(now: now)
        for _ in 0..<Self.roundsPerTurn {
            submitSelected()
            frontend.scheduler.dispatch(now: now)
            while !frontend.scheduler.effects.dispatches.isEmpty {
                performSchedulerEffects()
                performSessionEffects()
                frontend.scheduler.dispatch(now: now)
            }
            performSchedulerEffects()
            if frontend.selector.effects.queries.isEmpty { break }
        }
        return (isDrained && frontend.selector.effects.queries.isEmpty, messages)
    }

    /// As in `DispatchLoop`.
    private static let roundsPerTurn = 4

    private mutating func noteConnections() {
        for event in frontend.monitored { frontend.sessions.note(event) }
        frontend.monitored.removeAll(keepingCapacity: true)
    }

    private mutating func receive() -> (isDrained: Bool, messages: Int) {
        for count in 0..<scenario.messagesPerTurn {
            guard !frontend.readable.isEmpty else { return (true, count) }
            // A ROUTER reads from its peers in turns: nothing is known of the order among them.
            let index = random.below(frontend.readable.count)
            let connection = frontend.readable[index]
            let speech = connections[connection].read()
            if !connections[connection].hasUnread { frontend.readable.swapAt(index, frontend.readable.count - 1) }
            if !connections[connection].hasUnread { frontend.readable.removeLast() }
            connections[connection].lastHeard = now
            let session = session(connection)
            let effects = frontend.sessions.effects.count
            switch speech {
            case .message(_, in: .four) where !frontend.sessions.offersVersion4(session):
                let error = WireError(.notEmpty, frame: 0, expected: "an empty frame", found: "12 bytes")
                frontend.sessions.receive(malformed: error, from: session, now: now)
            case .message(let message, _): frontend.sessions.receive(message, from: session, now: now)
            case .malformed(let error, let isRegistration):
                frontend.sessions.receive(malformed: error, isRegistration: isRegistration, from: session, now: now)
            }
            for effect in frontend.sessions.effects[effects...] {
                if case .added(let replica, _) = effect { frontend.origins[replica] = connection }
            }
        }
        return (frontend.readable.isEmpty, scenario.messagesPerTurn)
    }

    private mutating func session(_ number: Int) -> ContainerSessions.SessionID {
        let connection = connections[number]
        let peer = frontend.speaksVersion4 ? connection.peer : connection.peer.withoutOffer
        if let known = frontend.sessions.session(by: connection.descriptor), known.peer == peer { return known.id }
        var events: [ConnectionEvent] = []
        swap(&events, &frontend.monitored)
        var wasDrained = false
        let id = frontend.sessions.session(with: peer, by: connection.descriptor, now: now) { sessions in
            for event in events { sessions.note(event) }
            wasDrained = true
        }
        if !wasDrained { frontend.monitored = events }
        return id
    }

    // MARK: What the scheduler decided

    private mutating func performSchedulerEffects() {
        let effects = frontend.scheduler.effects
        frontend.scheduler.clearEffects()
        for dispatch in effects.dispatches { send(dispatch) }
        for answer in effects.answers { deliver(answer) }
        performSelectorEffects()
        for computed in effects.computed { frontend.cache.insert(computed.output, for: computed.key) }
        for notice in effects.notices {
            switch notice {
            case .stuck: occurrences[.stuckDetected] += 1
            case .recovered: occurrences[.stuckRecovered] += 1
            }
        }
    }

    private mutating func send(_ dispatch: SchedulerEffects.Dispatch) {
        note(.sent, Int(dispatch.batch), dispatch.replica.number, dispatch.inputs.count)
        occurrences[.batches] += 1
        oracle.dispatched(dispatch, connections, &occurrences, at: now)
        guard let peer = frontend.sessions.peer(of: dispatch.replica) else { return }
        occurrences[peer.version == .four ? .batchesInRPC4 : .batchesInRPC3] += 1
        let inputs = Inputs.values(of: dispatch.inputs, as: dispatch.inputType)
        let request = PredictRequest(
            id: dispatch.batch, inputs: inputs, budget: peer.version == .four ? dispatch.expires - now : nil)
        let outcome = send(.request(request), in: peer.version, to: peer.id)
        if outcome == .sent {
            frontend.sessions.sent(batch: dispatch.batch, inputCount: dispatch.inputs.count, to: dispatch.replica)
        } else {
            note(.unsent, Int(dispatch.batch), dispatch.replica.number)
            frontend.sessions.lose(dispatch.replica)
        }
    }

    private mutating func deliver(_ answer: SchedulerEffects.Answer) {
        guard answer.waiter.ticket.sink != Selector.sink else {
            return finishSelected(answer.waiter.ticket, answer.outcome, isCached: false)
        }
        let number = Int(answer.waiter.ticket.request)
        let elapsed = Int((now.nanoseconds - answer.waiter.arrived.nanoseconds) / microsecond)
        switch answer.outcome {
        case .output:
            occurrences[.outputs] += 1
            note(.answered, number, elapsed)
        case .defaultOutput(let reason), .failed(let reason, _):
            let occurrence = occurrence(of: reason)
            occurrences[occurrence] += 1
            note(.defaulted, number, elapsed, occurrence.rawValue)
        }
        oracle.answered(number, answer.outcome, isCached: false, at: now)
    }

    mutating func occurrence(of reason: DefaultReason) -> Occurrence {
        switch reason {
        case .noReplica: .defaultsNoReplica
        case .deadline: .defaultsDeadline
        case .lostTwice: .defaultsLostTwice
        case .queueFull, .inputTooLarge: .defaultsQueueFull
        case .predictedLate: .defaultsPredictedLate
        case .modelDeleted: .defaultsModelDeleted
        case .modelError: .defaultsModelFailed
        case .lowConfidence: .defaultsLowConfidence
        case .invalidInput: .defaultsInvalidInput
        case .stopping: .defaultsStopping
        }
    }

    /// What the frontend has counted itself.
    mutating func countEffects() {
        for model in scenario.models.indices {
            let counters = frontend.scheduler.counters(of: ModelHandle(index: model))
            occurrences[.retries] += counters.retries
            occurrences[.hedges] += counters.hedges
            occurrences[.hedgesWon] += counters.hedgesWon
            occurrences[.sharedComputations] += counters.shared
        }
    }
}
