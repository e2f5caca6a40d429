import ContainerRPC
import QueryFrontend

/// What operators do, and what becomes of it.
extension Simulation {
    mutating func operate(_ plan: Scenario.Plan<Operation>) {
        guard frontend.isRunning else { return }
        note(.operation, plan.kind.rawValue, plan.target)
        let batching = Batching(from: &random)
        switch plan.kind {
        case .deleteModel:
            frontend.commands.append(.delete(model: plan.target))
            // Often at once: then both come in one turn.
            after(random.chance(0.3) ? 0 : plan.duration, .reversal(.registerModel, target: plan.target))
        case .registerModel, .changeSettings:
            guard oracle.isRegistered[plan.target] else { return }
            occurrences[.settingsChanged] += 1
            frontend.commands.append(.register(model: plan.target, batching))
        case .changeHedging:
            let hedging = random.chance(0.5) ? Hedging(from: &random) : nil
            occurrences[.hedgingChanged] += 1
            frontend.commands.append(.hedge(application: plan.target, hedging))
        case .drain:
            frontend.commands.append(.drain(container: plan.target, true))
            after(plan.duration, .reversal(.resume, target: plan.target))
        case .drainAndStop:
            frontend.commands.append(.drain(container: plan.target, true))
            // Whoever drains it asks again and again whether it is done.
            for _ in 0..<4 {
                after(random.nanoseconds(0...plan.duration), .reversal(.drainAndStop, target: plan.target))
            }
            after(plan.duration, .reversal(.resume, target: plan.target))
        case .resume:
            frontend.commands.append(.drain(container: plan.target, false))
        case .changePolicy, .changeLinks, .changeVersion, .resetState, .removePolicy, .askForState:
            operateSelecting(plan)
        }
        wakeFrontend()
    }

    /// What was deleted or drained is brought back.
    mutating func reverse(_ operation: Operation, _ target: Int) {
        guard frontend.isRunning else { return after(5 * millisecond, .reversal(operation, target: target)) }
        note(.operation, operation.rawValue, target)
        switch operation {
        case .registerModel:
            frontend.commands.append(.register(model: target, oracle.batching[target]))
        case .resume:
            frontend.commands.append(.drain(container: target, false))
        case .drainAndStop:
            frontend.commands.append(.release(container: target))
        case .removePolicy:
            let settings = oracle.selection.applications[target].settings
            frontend.commands.append(.select(application: target, settings, links: nil))
        case .deleteModel, .changeSettings, .changeHedging, .drain, .changePolicy, .changeLinks, .changeVersion,
            .resetState, .askForState:
            break
        }
        wakeFrontend()
    }

    /// The dispatch thread does what it was asked to.
    mutating func perform(_ command: SimulatedFrontend.Command) {
        switch command {
        case .register(let model, let batching): register(model, batching)
        case .delete(let model): delete(model)
        case .hedge(let application, let hedging):
            oracle.hedging[application] = hedging
            oracle.hedgeShare[application] = max(
                oracle.hedgeShare[application], hedging?.maxExtraWork ?? 0)
            frontend.scheduler.setApplication(ApplicationHandle(index: application), hedging: hedging)
        case .drain(let container, let isDraining):
            guard let connection = containers[container].connection,
                let number = oracle.replicas.firstIndex(where: { $0?.connection == connection })
            else { return }
            occurrences[isDraining ? .drains : .resumptions] += 1
            oracle.replicas[number]?.isDraining = isDraining
            frontend.scheduler.setDraining(isDraining, ReplicaID(number: number))
        case .release(let container):
            release(container)
        case .publish, .select, .setVersion, .resetState, .askForState:
            performSelecting(command)
        }
    }

    /// As `DispatchLoop` does: a replica that what waits has nobody else for goes on.
    private mutating func release(_ container: Int) {
        guard let connection = containers[container].connection,
            let number = oracle.replicas.firstIndex(where: { $0?.connection == connection }),
            let replica = oracle.replicas[number], replica.isDraining
        else { return }
        let model = ModelHandle(index: replica.model)
        let isNeeded = frontend.scheduler.queuedCount(of: model) > 0 && !oracle.hasSuitableReplica(replica.model)
        let load = frontend.scheduler.load(of: ReplicaID(number: number))
        guard load?.batchesInFlight == 0, !isNeeded else { return }
        if frontend.sessions.peer(of: ReplicaID(number: number))?.version == .four {
            connections[connection].wasReleased = true
        }
        frontend.sessions.release(ReplicaID(number: number))
    }

    private mutating func register(_ model: Int, _ batching: Batching) {
        let plan = scenario.models[model]
        if !oracle.isRegistered[model] { occurrences[.modelsRegisteredAgain] += 1 }
        oracle.isRegistered[model] = true
        oracle.batching[model] = batching
        frontend.scheduler.setModel(
            ModelHandle(index: model), ModelSettings(inputType: plan.inputType, batching: batching))
        frontend.sessions.recall(plan.version, inputType: plan.inputType)
        publishSelecting()
    }

    private mutating func delete(_ model: Int) {
        guard oracle.isRegistered[model] else { return }
        occurrences[.modelsDeleted] += 1
        oracle.isRegistered[model] = false
        epochs[model] += 1
        oracle.epochs[model] += 1
        frontend.scheduler.removeModel(ModelHandle(index: model))
        frontend.sessions.dismiss(scenario.models[model].version)
        frontend.cache.removeAll(of: ModelHandle(index: model))
        publishSelecting()
    }
}
