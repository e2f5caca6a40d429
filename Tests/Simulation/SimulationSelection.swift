import ContainerRPC
import QueryFrontend

/// What the dispatch thread does for applications whose policies choose, in the order in which `DispatchLoop` does it, and
/// what the store's thread does.
extension Simulation {
    // MARK: The dispatch thread

    mutating func takeStoreAnswers() {
        oracle.selection.servedAtTurn = scenario.models.indices.map { oracle.hasSuitableReplica($0) }
        oracle.selection.failuresHeard = frontend.failuresTold
        for answer in frontend.storeAnswers {
            frontend.selector.receive(answer, now: now) { [scheduler = frontend.scheduler] in scheduler.isServed($0) }
        }
        frontend.storeAnswers.removeAll(keepingCapacity: true)
    }

    mutating func takeSelecting() {
        for query in frontend.selected {
            let number = Int(query.waiter.ticket.request)
            oracle.selection.queries[number].isTaken = true
            guard frontend.selector.handles(query.waiter.application) else {
                // Without a policy it goes to the first model, of which this application has none.
                oracle.selection.queries[number].lostPolicy = true
                deliverSelected(query.waiter, .defaultOutput(.noReplica), nil)
                continue
            }
            frontend.selector.submit(query, now: now) { [scheduler = frontend.scheduler] in scheduler.isServed($0) }
        }
        frontend.selected.removeAll(keepingCapacity: true)
        for feedback in frontend.feedback {
            frontend.selector.submit(feedback, now: now) { [scheduler = frontend.scheduler] in scheduler.isServed($0) }
        }
        frontend.feedback.removeAll(keepingCapacity: true)
        submitSelected()
    }

    mutating func tickSelector() {
        let ensembles = frontend.selector.load.ensembles
        frontend.selector.tick(now: now) { [scheduler = frontend.scheduler] in scheduler.isServed($0) }
        if frontend.selector.load.ensembles > ensembles { occurrences[.queriesWithoutStates] += 1 }
    }

    /// Sends the queries on their way that policies have chosen models for.
    mutating func submitSelected() {
        for query in frontend.selector.takeQueries() {
            let ticket = query.waiter.ticket
            note(.chosen, Int(ticket.request), query.model.index, ticket.item)
            oracle.partSent(query, at: now)
            if let key = query.key, let output = frontend.cache.output(for: key) {
                finishSelected(ticket, .output(output), isCached: true)
            } else {
                frontend.scheduler.submit(query, now: now)
            }
        }
    }

    mutating func finishSelected(_ ticket: Ticket, _ outcome: Outcome, isCached: Bool) {
        let reason = outcome.defaultReason.map { occurrence(of: $0).rawValue }
        note(.finished, Int(ticket.request), ticket.item, reason ?? -1)
        oracle.partFinished(ticket, outcome, isCached: isCached, at: now)
        frontend.selector.finish(ticket.request, ticket.item, outcome, now: now) {
            [scheduler = frontend.scheduler] in scheduler.isServed($0)
        }
    }

    mutating func performSelectorEffects() {
        guard !frontend.selector.effects.isEmpty else { return }
        let effects = frontend.selector.effects
        for answer in effects.answers { deliverSelected(answer.waiter, answer.outcome, answer.combined) }
        for acknowledgement in effects.acknowledgements {
            acknowledge(acknowledgement.ticket, acknowledgement.result)
        }
        if !effects.storeRequests.isEmpty {
            frontend.stateRequests += effects.storeRequests
            if frontend.stateRequestsTaken == nil {
                frontend.stateRequestsTaken = []
                after(random.nanoseconds(5 * microsecond...50 * microsecond), .storeWakes(process: frontend.number))
            }
        }
        frontend.selector.clearEffects()
    }

    private mutating func deliverSelected(_ waiter: Waiter, _ outcome: Outcome, _ combined: Combined?) {
        let number = Int(waiter.ticket.request)
        let elapsed = Int((now.nanoseconds - waiter.arrived.nanoseconds) / microsecond)
        let reason = outcome.defaultReason.map { occurrence(of: $0) }
        occurrences[reason ?? .outputs] += 1
        note(.selectedAnswered, number, elapsed, reason?.rawValue ?? -1)
        oracle.selectedAnswered(number, outcome, combined, &occurrences, at: now)
        planFeedback(on: number)
    }

    private mutating func acknowledge(_ ticket: Ticket, _ result: FeedbackResult) {
        let number = Int(ticket.request)
        let occurrence: Occurrence =
            switch result {
            case .counted: .feedbackCounted
            case .duplicate: .feedbackDuplicate
            case .unknownQuery: .feedbackUnknownQuery
            case .noAnswer: .feedbackWithoutAnswer
            case .incomparable, .noOutput: .feedbackIncomparable
            case .notDurable: .feedbackNotDurable
            case .notLearning: .feedbackNotLearning
            case .stopping: .feedbackStopping
            }
        occurrences[occurrence] += 1
        note(.acknowledged, number, occurrence.rawValue)
        oracle.acknowledged(
            number, result, store, age: scenario.selectorBounds.feedbackAge.wholeNanoseconds, at: now)
        sendAgain(number, result)
    }

    // MARK: The store's thread

    var isStoreBusy: Bool {
        frontend.isRunning
            && (frontend.stateRequestsTaken != nil || !frontend.stateRequests.isEmpty
                || frontend.storeAnswersUnderWay > 0)
    }

    mutating func storeWakes(_ process: Int) {
        guard frontend.isRunning, frontend.number == process else { return }
        frontend.stateRequestsTaken = frontend.stateRequests
        frontend.stateRequests = []
        var time = random.nanoseconds(scenario.store.latency) * storeSlowness
        if random.chance(scenario.store.slowShare) { time *= 30 }
        after(min(time, 300 * millisecond), .storeDone(process: process))
    }

    mutating func storeDone(_ process: Int) {
        guard frontend.isRunning, frontend.number == process else { return }
        workOnStates()
        if frontend.stateRequests.isEmpty {
            frontend.stateRequestsTaken = nil
        } else {
            after(random.nanoseconds(microsecond...10 * microsecond), .storeWakes(process: process))
        }
    }

    /// What was taken is done, and answered soon.
    private mutating func workOnStates() {
        guard let requests = frontend.stateRequestsTaken else { return }
        note(.storeWorked, requests.count)
        let answers = frontend.stateWork.perform(requests)
        frontend.stateRequestsTaken = []
        if let problem = store.with({ $0.problem }) { oracle.violate(problem, at: now) }
        guard !answers.isEmpty else { return }
        frontend.storeAnswersUnderWay += 1
        after(
            random.nanoseconds(microsecond...100 * microsecond),
            .storeAnswers(process: frontend.number, answers, failures: store.with { $0.failures }))
    }

    mutating func storeAnswers(_ process: Int, _ answers: [SelectionStoreAnswer], _ failures: Int) {
        guard frontend.isRunning, frontend.number == process else {
            for case .committed(let numbers) in answers { occurrences[.acknowledgementsLost] += numbers.count }
            return
        }
        frontend.storeAnswersUnderWay -= 1
        note(.storeAnswered, answers.count)
        frontend.storeAnswers += answers
        frontend.failuresTold = failures
        wakeFrontend()
    }

    // MARK: The frontend's processes

    mutating func beginSelecting(_ number: Int) {
        for index in scenario.selecting.indices {
            frontend.scheduler.setApplication(
                scenario.handle(ofSelecting: index), hedging: scenario.selecting[index].hedging)
        }
        frontend.commands.append(.publish)
        guard !scenario.selecting.isEmpty else { return }
        _ = store.nextStart()
        if number > 0, store.with({ !$0.states.isEmpty }) { occurrences[.restartsWithStates] += 1 }
    }

    /// The process ends as it should. Called once every query that is under way has its outcome.
    mutating func abandonSelecting() {
        performSelectorEffects()
        frontend.selector.abandonAll()
        performSelectorEffects()
        if !frontend.selector.load.isIdle {
            oracle.violate("a stopped selector is not idle: \(frontend.selector.load)", at: now)
        }
        // What the store's thread was handed it does before it ends.
        frontend.stateRequestsTaken = (frontend.stateRequestsTaken ?? []) + frontend.stateRequests
        frontend.stateRequests = []
        workOnStates()
        for query in frontend.selected {
            deliverSelected(query.waiter, .defaultOutput(.stopping), nil)
        }
        for feedback in frontend.feedback { acknowledge(feedback.waiter.ticket, .stopping) }
        frontend.selected = []
        frontend.feedback = []
    }

    /// The process is gone.
    mutating func endSelecting() {
        let lost = oracle.selectingStopped()
        occurrences[.lostWithFrontend] += lost.queries
        occurrences[.feedbackLostWithFrontend] += lost.feedback
        stateReports.forgetOpen()
    }
}
