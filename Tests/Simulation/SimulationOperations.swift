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
            frontend.commands.append(.drain(container: plan.target, .begin))
            after(plan.duration, .reversal(.resume, target: plan.target))
        case .drainAndStop:
            frontend.commands.append(.drain(container: plan.target, .beginAndStop))
            after(plan.duration, .reversal(.resume, target: plan.target))
        case .resume:
            frontend.commands.append(.drain(container: plan.target, .end))
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
            frontend.commands.append(.drain(container: target, .end))
        case .removePolicy:
            let settings = oracle.selection.applications[target].settings
            frontend.commands.append(.select(application: target, settings, links: nil))
        case .deleteModel, .changeSettings, .changeHedging, .drain, .drainAndStop, .changePolicy, .changeLinks,
            .changeVersion,
            .resetState, .askForState:
            break
        }
        wakeFrontend()
    }

    /// The dispatch thread does what it was asked to.
    mutating func perform(_ command: SimulatedFrontend.Command) {
        switch command {
        case .publish: publish()
        case .register(let model, let batching): register(model, batching)
        case .delete(let model): delete(model)
        case .hedge(let application, let hedging):
            oracle.hedging[application] = hedging
            oracle.hedgeShare[application] = max(
                oracle.hedgeShare[application], hedging?.maxExtraWork ?? 0)
            publish()
        case .drain(let container, let draining):
            guard let connection = containers[container].connection,
                let number = oracle.replicas.firstIndex(where: { $0?.connection == connection })
            else { return }
            occurrences[draining == .end ? .resumptions : .drains] += 1
            oracle.replicas[number]?.isDraining = draining != .end
            oracle.replicas[number]?.isToEnd = draining == .beginAndStop
            frontend.core.set(draining, ReplicaID(number: number))
        case .select, .setVersion, .resetState, .askForState:
            performSelecting(command)
        }
    }

    private mutating func register(_ model: Int, _ batching: Batching) {
        if !oracle.isRegistered[model] { occurrences[.modelsRegisteredAgain] += 1 }
        oracle.isRegistered[model] = true
        oracle.batching[model] = batching
        publish()
    }

    private mutating func delete(_ model: Int) {
        guard oracle.isRegistered[model] else { return }
        occurrences[.modelsDeleted] += 1
        oracle.isRegistered[model] = false
        epochs[model] += 1
        oracle.epochs[model] += 1
        publish()
    }

    mutating func publish() {
        for model in frontend.core.publish(catalog, now: now) { frontend.core.cache.removeAll(of: model) }
    }

    /// What operators have made.
    private var catalog: Catalog {
        var models: [ModelVersion: Model] = [:]
        for (index, model) in scenario.models.enumerated() where oracle.isRegistered[index] {
            models[model.version] = Model(
                id: model.version, inputType: model.inputType, batching: oracle.batching[index],
                cachesPredictions: model.isFunction, registration: index)
        }
        var applications: [String: Application] = [:]
        for (index, plan) in scenario.applications.enumerated() {
            let name = scenario.name(ofApplication: index)
            applications[name] = Application(
                name: name, inputType: scenario.models[plan.model].inputType, defaultOutput: "",
                latencySLO: .nanoseconds(plan.slo), hedging: oracle.hedging[index])
        }
        for (index, plan) in scenario.selecting.enumerated() {
            let known = oracle.selection.applications[index]
            applications[plan.name] = Application(
                name: plan.name, inputType: scenario.models[0].inputType, defaultOutput: "",
                latencySLO: .nanoseconds(plan.slo), linkedModels: known.hasPolicy ? known.links : [],
                hedging: plan.hedging, selection: known.hasPolicy ? known.settings : SelectionSettings())
        }
        return Catalog(
            applications: applications, models: models,
            currentVersions: oracle.selection.current.mapValues { scenario.models[$0].version.version })
    }
}
