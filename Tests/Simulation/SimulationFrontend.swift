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
        frontend.commands.append(.publish)
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
        oracle.selection.failuresHeard = frontend.failuresTold
        frontend.core.abandonQueries(now: now)
        carryOut()
        frontend.core.abandonAll(frontend.storeAnswers, now: now)
        carryOut()
        if frontend.core.scheduler.pendingCount != 0 {
            oracle.violate("queries are pending in a stopped frontend", at: now)
        }
        if !frontend.core.selector.load.isIdle {
            oracle.violate("a stopped selector is not idle: \(frontend.core.selector.load)", at: now)
        }
        // What the store's thread was handed it does before it ends.
        finishStoreWork()
        for submission in frontend.inbox {
            for delivery in submission.deliveries(.defaultOutput(.stopping)) { deliver(delivery, to: submission.sink) }
        }
        for feedback in frontend.feedback { acknowledge(feedback.waiter.ticket, .stopping) }
        frontend.inbox = []
        frontend.feedback = []
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
        let queries = frontend.inbox.count + frontend.feedback.count
        let (isDrained, messages) = takeTurn()
        check()
        frontend.busyUntil = later(
            2 * microsecond + Int64(min(queries + messages, 200)) * microsecond
                + random.nanoseconds(0...20 * microsecond))
        note(.turn, queries, messages)
        if !isDrained {
            occurrences[.turnsCutShort] += 1
            return planTurn(at: frontend.busyUntil)
        }
        guard let deadline = frontend.core.deadline else { return }
        oracle.checkWakesLater(
            than: now, deadline, scheduler: frontend.core.scheduler.deadline,
            selector: frontend.core.selector.deadline)
        let slack = random.nanoseconds(0...50 * microsecond)
        planTurn(at: max(MonotonicTime(nanoseconds: deadline.nanoseconds + slack), frontend.busyUntil))
    }

    // MARK: One turn

    /// Brings the core what has come, and carries out what it decides. False when something is left.
    private mutating func takeTurn() -> (isDrained: Bool, messages: Int) {
        for command in frontend.commands { perform(command) }
        // A new catalog has taken up which replicas are gone: queries find none, as the oracle has to know.
        if !frontend.commands.isEmpty { carryOut() }
        frontend.commands.removeAll(keepingCapacity: true)
        takeStoreAnswers()
        takeQueries()
        noteConnections()
        let (isDrained, messages) = receive()
        let waiting = frontend.core.selector.load.waitingQueries
        if frontend.core.advance(isDrained: isDrained, now: now) { oracle.lossesNoted() }
        if frontend.core.selector.load.waitingQueries < waiting { occurrences[.queriesWithoutStates] += 1 }
        var rounds = 0
        repeat {
            carryOut()
            rounds += 1
        } while rounds < DispatchCore.roundsPerTurn && frontend.core.goOn(now: now)
        return (isDrained && !frontend.core.hasMore && frontend.inbox.isEmpty, messages)
    }

    private mutating func noteConnections() {
        for event in frontend.monitored { frontend.core.sessions.note(event) }
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
            let effects = frontend.core.sessions.effects.count
            switch speech {
            case .message(_, in: .four) where !frontend.core.sessions.offersVersion4(session):
                let error = WireError(.notEmpty, frame: 0, expected: "an empty frame", found: "12 bytes")
                frontend.core.sessions.receive(malformed: error, from: session, now: now)
            case .message(let message, _): frontend.core.sessions.receive(message, from: session, now: now)
            case .malformed(let error, let isRegistration):
                frontend.core.sessions.receive(
                    malformed: error, isRegistration: isRegistration, from: session, now: now)
            }
            for effect in frontend.core.sessions.effects[effects...] {
                if case .added(let replica, _, _) = effect { frontend.origins[replica] = connection }
            }
        }
        return (frontend.readable.isEmpty, scenario.messagesPerTurn)
    }

    private mutating func session(_ number: Int) -> ContainerSessions.SessionID {
        let connection = connections[number]
        let peer = frontend.speaksVersion4 ? connection.peer : connection.peer.withoutOffer
        if let known = frontend.core.sessions.session(by: connection.descriptor), known.peer == peer { return known.id }
        var events: [ConnectionEvent] = []
        swap(&events, &frontend.monitored)
        var wasDrained = false
        let id = frontend.core.sessions.session(with: peer, by: connection.descriptor, now: now) { sessions in
            for event in events { sessions.note(event) }
            wasDrained = true
        }
        if !wasDrained { frontend.monitored = events }
        return id
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
            let counters = frontend.core.scheduler.counters(of: ModelHandle(index: model))
            occurrences[.retries] += counters.retries
            occurrences[.hedges] += counters.hedges
            occurrences[.hedgesWon] += counters.hedgesWon
            occurrences[.sharedComputations] += counters.shared
        }
    }
}
