import ContainerRPC

/// What containers do: the shell around each one's session.
extension Simulation {
    /// A process begins.
    mutating func start(_ container: Int) {
        guard !containers[container].isRunning else { return }
        let fresh = SimulatedContainer(
            containers[container].plan, of: scenario.models[containers[container].plan.model], timing: scenario.timing)
        let old = containers[container]
        containers[container] = fresh
        containers[container].process = old.process + 1
        containers[container].plannedTick = old.plannedTick
        containers[container].plannedWork = old.plannedWork
        containers[container].blockedUntil = old.blockedUntil
        containers[container].isFullUntil = old.isFullUntil
        containers[container].slowness = old.slowness
        containers[container].lastVersion = old.lastVersion
        containers[container].registersMalformed = old.registersMalformed
        containers[container].session = ContainerSession(fresh.registration, now: now, timing: scenario.timing)
        containers[container].began = now
        containers[container].isRunning = true
        planTick(container)
    }

    /// The process ends, and another one comes later.
    mutating func kill(_ container: Int, awayFor pause: Int64) {
        guard containers[container].isRunning else { return }
        containers[container].isRunning = false
        containers[container].isFrozen = false
        containers[container].current = nil
        containers[container].plannedWork += 1
        containers[container].plannedTickTime = nil
        if let connection = containers[container].connection { breakOff(connection) }
        containers[container].connection = nil
        after(pause, .start(container: container))
    }

    // MARK: The session's shell

    /// Carries out what the session wants.
    mutating func perform(_ action: ContainerSession.Action, _ container: Int) {
        switch action {
        case .none:
            break
        case .open:
            open(container)
        case .send(let message):
            if case .newContainer = message { noteRegistering(container) }
            if case .newContainer = message, registerMalformed(container) { break }
            say(message, container)
        case .run(let request):
            containers[container].jobs.append(
                SimulatedContainer.Job(
                    request: request, session: containers[container].session.number,
                    canFail: containers[container].session.version == .four,
                    expires: request.budget.map { now + $0 }))
            beginJob(container)
        case .close(let reason):
            occurrences[.sessionsGivenUpByContainers] += 1
            if case .goodbye = reason { occurrences[.goodbyesOfFrontends] += 1 }
            if case .refused = reason, let end = containers[container].session.deadline {
                containers[container].isRefusedUntil = end
            }
            containers[container].workerSession = containers[container].session.number
            if let connection = containers[container].connection { close(connection) }
            containers[container].connection = nil
        case .finish(let last):
            checkLeave(of: container)
            if let last { say(last, container) }
            if let connection = containers[container].connection { close(connection) }
            containers[container].connection = nil
            containers[container].current = nil
            containers[container].plannedWork += 1
            containers[container].isRunning = false
            containers[container].plannedTickTime = nil
            return after(containers[container].pause, .start(container: container))
        }
        planTick(container)
    }

    /// The container registers, in the version in which it was asked to.
    private mutating func noteRegistering(_ container: Int) {
        let version = containers[container].session.version
        containers[container].workerSession = containers[container].session.number
        containers[container].servedModel = containers[container].plan.model
        if let last = containers[container].lastVersion, last != version {
            occurrences[version == .three ? .fallbacksToRPC3 : .returnsToRPC4] += 1
        }
        containers[container].lastVersion = version
    }

    /// The container ends in order. Nobody waits for a time-out: where nothing is in the way it has heard that it may.
    private mutating func checkLeave(of container: Int) {
        guard containers[container].session.version == .four, !containers[container].hasHeardGoodbye,
            !containers[container].isToEndAtOnce, let number = containers[container].connection
        else { return }
        let connection = connections[number]
        guard connection.isOpenAtFrontend, !connection.losesToContainer else { return }
        occurrences[.goodbyesNotHeard] += 1
        guard now >= containers[container].stopTime + .seconds(5) else { return }
        if !connection.isTroubled, connection.isBeyondDoubt {
            oracle.violate("container \(container) has waited for its frontend's goodbye in vain", at: now)
        }
    }

    private mutating func planTick(_ container: Int) {
        let deadline = containers[container].session.deadline
        guard containers[container].plannedTickTime != deadline else { return }
        containers[container].plannedTickTime = deadline
        containers[container].plannedTick += 1
        guard let deadline else { return }
        at(max(now, deadline), .tick(container: container, number: containers[container].plannedTick))
    }

    mutating func tick(_ container: Int, _ number: Int) {
        guard containers[container].plannedTick == number, containers[container].isRunning else { return }
        guard !containers[container].isFrozen else {
            containers[container].backlog.ticks = true
            return
        }
        containers[container].plannedTickTime = nil
        perform(containers[container].session.tick(now: now), container)
    }

    mutating func containerConnected(_ connection: Int) {
        let container = connections[connection].container
        guard containers[container].connection == connection, connections[connection].isOpenAtContainer else { return }
        guard !containers[container].isFrozen else {
            return containers[container].backlog.connected.append(connection)
        }
        perform(containers[container].session.connected(now: now), container)
    }

    mutating func containerLoses(_ connection: Int) {
        let container = connections[connection].container
        guard containers[container].connection == connection, connections[connection].isOpenAtContainer else { return }
        note(.lostAtContainer, connection, container)
        guard !containers[container].isFrozen else { return containers[container].backlog.lost.append(connection) }
        if containers[container].isStopping, containers[container].session.version == .four,
            !containers[container].hasHeardGoodbye
        {
            occurrences[.goodbyesLostWithConnection] += 1
        }
        perform(containers[container].session.disconnected(now: now), container)
    }

    mutating func arriveAtContainer(_ connection: Int, _ message: FrontendMessage, _ version: RPCVersion) {
        let container = connections[connection].container
        guard containers[container].connection == connection, connections[connection].isOpenAtContainer,
            !connections[connection].losesToContainer
        else { return }
        guard !containers[container].isFrozen else {
            return containers[container].backlog.messages.append((connection, message, version))
        }
        guard containers[container].session.isReading else { return }
        if version == .four, containers[container].plan.offered == .three {
            oracle.violate("container \(container), which speaks RPC 3 alone, gets RPC 4", at: now)
        }
        if case .goodbye = message { containers[container].hasHeardGoodbye = true }
        perform(containers[container].session.receive(message, in: version, now: now), container)
    }

    private mutating func say(_ message: ContainerMessage, _ container: Int) {
        guard let connection = containers[container].connection else { return }
        switch message {
        case .response(let response):
            note(.response, container, Int(response.id), connection)
            if answerWrongly(message, to: response.id, container, by: connection) { return }
        case .failure(let failure):
            note(.failure, container, Int(failure.id), connection)
            if answerWrongly(message, to: failure.id, container, by: connection) { return }
        case .goodbye:
            note(.goodbye, container, connection)
            occurrences[.goodbyes] += 1
        case .heartbeat, .newContainer, .notice:
            break
        }
        say(.message(message, in: version(of: message, container)), by: connection)
    }

    /// The version in which a container says something: its heartbeats are always those of RPC 3.
    func version(of message: ContainerMessage, _ container: Int) -> RPCVersion {
        message == .heartbeat ? .three : containers[container].session.version
    }

    // MARK: Stopped processes

    mutating func freeze(_ container: Int) {
        guard containers[container].isRunning, !containers[container].isFrozen else { return }
        containers[container].isFrozen = true
        containers[container].stopped = now.nanoseconds
        if let connection = containers[container].connection { connections[connection].isTroubled = true }
        // The end of the job is planned anew when the process goes on.
        containers[container].plannedWork += 1
    }

    mutating func thaw(_ container: Int) {
        guard containers[container].isRunning, containers[container].isFrozen else { return }
        containers[container].isFrozen = false
        let process = containers[container].process
        var backlog = SimulatedContainer.Backlog()
        swap(&backlog, &containers[container].backlog)
        if containers[container].current != nil {
            planWork(container, in: max(0, containers[container].workDue.nanoseconds - containers[container].stopped))
        }
        if backlog.isToStop { stop(container, awayFor: containers[container].pause) }
        for connection in backlog.connected { containerConnected(connection) }
        for connection in backlog.lost { containerLoses(connection) }
        for (connection, message, version) in backlog.messages { arriveAtContainer(connection, message, version) }
        guard containers[container].isRunning, containers[container].process == process else { return }
        if backlog.ticks {
            containers[container].plannedTickTime = nil
            perform(containers[container].session.tick(now: now), container)
        }
        for plan in backlog.misbehaviours { misbehave(plan) }
    }

    /// The process is told to end.
    mutating func stop(_ container: Int, awayFor pause: Int64) {
        guard containers[container].isRunning else { return }
        containers[container].pause = pause
        guard !containers[container].isFrozen else {
            containers[container].backlog.isToStop = true
            return
        }
        if containers[container].isStopping {
            containers[container].isToEndAtOnce = true
            if let connection = containers[container].connection { connections[connection].isTroubled = true }
        }
        if !containers[container].isStopping { containers[container].stopTime = now }
        containers[container].isStopping = true
        perform(containers[container].session.stop(now: now), container)
    }
}
