import ContainerRPC
import QueryFrontend

/// What clients do, and what their requests meet before they come to the dispatch thread.
extension Simulation {
    mutating func planArrival(_ application: Int) {
        let plan = scenario.applications[application]
        let elapsed = now.nanoseconds
        let factor = plan.phases.first { $0.begin <= elapsed && elapsed < $0.end }?.factor ?? 1
        let pause = random.exponential() / (plan.rate * factor) * Double(second)
        after(Int64(min(pause, 1e12)) + 1, .arrival(application: application))
    }

    /// A request comes to an application.
    mutating func arrive(_ application: Int) {
        guard areClientsActive else { return }
        planArrival(application)
        guard oracle.queryCount < 3000 else { return }
        let plan = scenario.applications[application]
        // Now and then many come at once.
        let requests = random.chance(0.01) ? random.integer(5...40) : 1
        for _ in 0..<requests {
            var budget = plan.slo
            if random.chance(plan.shorterTimeouts) {
                budget = random.chance(0.1) ? 0 : random.nanoseconds(0...plan.slo)
                occurrences[.timeoutsShorterThanSLO] += 1
            }
            let inputs = random.chance(plan.manyInputs) ? random.integer(2...6) : 1
            // Values that are asked for more than once are the smallest.
            let values = (0..<inputs).map { item in
                plan.distinctInputs.map { random.below($0) } ?? Oracle.firstDistinct + oracle.queryCount + item
            }
            if inputs > 1 {
                askMany(values, of: plan.model, application, budget: budget)
            } else {
                ask(values[0], of: plan.model, application, budget: budget)
            }
        }
    }

    /// A request of several inputs: they go to the dispatch thread together, which looks them up in the cache.
    private mutating func askMany(_ values: [Int], of model: Int, _ application: Int, budget: Int64) {
        guard frontend.isRunning else { return }
        occurrences[.queries] += values.count
        occurrences[.requestsOfManyInputs] += 1
        let first = oracle.queryCount
        for value in values {
            let number = oracle.queryArrived(
                value, of: model, epoch: epochs[model], application, deadline: later(budget), at: now)
            note(.arrived, number, model, Int(budget / microsecond))
        }
        let inputs = scenario.models[model]
        let handle = ModelHandle(index: model)
        let payloads = values.map { Inputs.payload($0, as: inputs.inputType, padding: inputs.padding) }
        if budget == 0 { occurrences[.deadlinesPastAtArrival] += values.count }
        frontend.inbox.append(
            Submission(
                sink: SimulatedFrontend.Sinks.queries, request: UInt64(first),
                application: ApplicationHandle(index: application), model: handle, inputType: inputs.inputType,
                inputs: .many(payloads),
                keys: inputs.isFunction ? payloads.map { CacheKey(model: handle, input: $0) } : [], arrived: now,
                deadline: later(budget)))
        wakeFrontend()
    }

    /// One input of a request: looked up in the cache on the way, then given to the dispatch thread.
    mutating func ask(_ value: Int, of model: Int, _ application: Int, budget: Int64) {
        // An inbox of a frontend that is gone cannot be reached; clients get an error.
        guard frontend.isRunning else { return }
        occurrences[.queries] += 1
        let inputs = scenario.models[model]
        let input = Inputs.payload(value, as: inputs.inputType, padding: inputs.padding)
        let number = oracle.queryArrived(
            value, of: model, epoch: epochs[model], application, deadline: later(budget), at: now)
        note(.arrived, number, model, Int(budget / microsecond))
        let handle = ModelHandle(index: model)
        var key: CacheKey?
        if inputs.isFunction {
            let candidate = CacheKey(model: handle, input: input)
            key = candidate
            if oracle.isRegistered[model], let output = frontend.core.cache.output(for: candidate) {
                occurrences[.cacheHits] += 1
                note(.hit, number)
                return oracle.answered(number, .output(output), isCached: true, at: now)
            }
        }
        if budget == 0 { occurrences[.deadlinesPastAtArrival] += 1 }
        frontend.inbox.append(
            Submission(
                sink: SimulatedFrontend.Sinks.queries, request: UInt64(number),
                application: ApplicationHandle(index: application), model: handle, inputType: inputs.inputType,
                inputs: .one(input), keys: key.map { [$0] } ?? [], arrived: now, deadline: later(budget)))
        wakeFrontend()
    }

    /// Clients and mishaps are over: what is under way comes to its end.
    mutating func stopClients() {
        areClientsActive = false
        for index in containers.indices {
            containers[index].registersMalformed = false
            // One that had no batch to fail at since is not to fail at the first of those that are to go well.
            containers[index].nextFailure = nil
            // One that has forgotten a batch may be waited for until it connects anew: an operator lets it.
            containers[index].nextAnswers.removeAll { $0.kind == .forgetsAnswer }
            if let connection = containers[index].connection, connections[connection].hasForgotten {
                kill(index, awayFor: millisecond)
            }
        }
        store.with { $0.isFull = false }
        storeSlowness = 1
        note(.phase, 0)
        let silence = scenario.timing.silenceLimit.wholeNanoseconds
        let backoff = scenario.timing.longestBackoff.wholeNanoseconds
        // The longest mishap, then all that the sessions may need to find each other again.
        after(
            max(scenario.duration / 4, 2 * silence) + 3 * silence + 2 * backoff + 50 * millisecond, .inspect(.settled))
    }

    mutating func inspect(_ inspection: Inspection) {
        note(.phase, inspection.rawValue)
        let areBusy =
            containers.contains {
                !$0.isIdle || !$0.isRunning || $0.isFrozen || $0.isStopping || isAway($0)
            } || isStoreBusy
        // An answer may be on its way; one that never comes is found when that has been waited for.
        let isUnderWay =
            oracle.replicas.contains { $0?.batches.isEmpty == false }
            || oracle.selection.feedback.contains { $0.result == nil && !$0.isGone }
        let isAnswerExpected = isUnderWay && inspections < 20
        inspections = isAnswerExpected && !areBusy ? inspections + 1 : 0
        if areBusy || isAnswerExpected { return after(50 * millisecond, .inspect(inspection)) }
        checkNothingIsLeft()
        switch inspection {
        case .settled:
            checkAllContainersServe()
            for index in containers.indices {
                containers[index].nextAnswers = []
                containers[index].nextFailure = nil
            }
            for application in scenario.selecting.indices { probe(application) }
            for model in scenario.models.indices
            where oracle.hasSuitableReplica(model) && !scenario.applications.isEmpty {
                let application = scenario.applications.firstIndex { $0.model == model } ?? 0
                oracle.nextMustHaveOutput = true
                ask(Inputs.bound - 1 - model, of: model, application, budget: 20 * second)
            }
            after(scenario.duration / 4 + 200 * millisecond, .inspect(.probed))
        case .probed:
            isOver = true
        }
    }

    /// Whether a container has just begun, or waits after a refusal that would be none now, or has just tried again.
    private func isAway(_ container: SimulatedContainer) -> Bool {
        guard !isRefused(container) else { return false }
        let silence = scenario.timing.silenceLimit.wholeNanoseconds
        let backoff = scenario.timing.longestBackoff.wholeNanoseconds
        let began = max(container.began, container.isRefusedUntil).nanoseconds
        return now.nanoseconds < began + silence + 2 * backoff
    }
}
