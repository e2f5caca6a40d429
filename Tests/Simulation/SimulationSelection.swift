import ContainerRPC
import QueryFrontend

/// What goes between the dispatch thread and the clients of applications whose policies choose, and what the store's thread does.
extension Simulation {
    // MARK: The dispatch thread

    mutating func takeStoreAnswers() {
        oracle.selection.servedAtTurn = scenario.models.indices.map { oracle.hasSuitableReplica($0) }
        oracle.selection.failuresHeard = frontend.failuresTold
        for answer in frontend.storeAnswers { frontend.core.receive(answer, now: now) }
        frontend.storeAnswers.removeAll(keepingCapacity: true)
    }

    /// What has come to the inbox goes into the core.
    mutating func takeQueries() {
        // No more than are taken at once: the oracle looks at what they find.
        var inputs = 0
        let submissions = Array(
            frontend.inbox.prefix { submission in
                inputs += submission.inputs.count
                return inputs <= DispatchCore.inputsPerTurn
            })
        for submission in submissions {
            let number = Int(submission.request)
            guard submission.selects else {
                for item in 0..<submission.inputs.count { oracle.taken(number + item, at: now) }
                continue
            }
            oracle.selection.queries[number].isTaken = true
            // Without a policy it goes to the first model, of which this application has none.
            if !frontend.core.selector.handles(submission.application) {
                oracle.selection.queries[number].lostPolicy = true
            }
        }
        frontend.core.takeQueries(submissions, frontend.feedback, now: now)
        frontend.inbox.removeFirst(submissions.count)
        frontend.feedback.removeAll(keepingCapacity: true)
    }

    mutating func noteChosen(_ query: Query) {
        let ticket = query.waiter.ticket
        note(.chosen, Int(ticket.request), query.model.index, ticket.item)
        oracle.partSent(query, at: now)
    }

    mutating func noteFinished(_ ticket: Ticket, _ outcome: Outcome, isCached: Bool) {
        let reason = outcome.defaultReason.map { occurrence(of: $0).rawValue }
        note(.finished, Int(ticket.request), ticket.item, reason ?? -1)
        oracle.partFinished(ticket, outcome, isCached: isCached, at: now)
    }

    mutating func handToStore(_ requests: [SelectionStoreRequest]) {
        guard !requests.isEmpty else { return }
        frontend.stateRequests += requests
        if frontend.stateRequestsTaken == nil {
            frontend.stateRequestsTaken = []
            after(random.nanoseconds(5 * microsecond...50 * microsecond), .storeWakes(process: frontend.number))
        }
    }

    mutating func deliverSelected(_ number: Int, _ outcome: Outcome, _ combined: Combined?) {
        let arrived = oracle.selection.queries[number].arrived
        let elapsed = Int((now.nanoseconds - arrived.nanoseconds) / microsecond)
        let reason = outcome.defaultReason.map { occurrence(of: $0) }
        occurrences[reason ?? .outputs] += 1
        note(.selectedAnswered, number, elapsed, reason?.rawValue ?? -1)
        oracle.selectedAnswered(number, outcome, combined, &occurrences, at: now)
        planFeedback(on: number)
    }

    mutating func acknowledge(_ ticket: Ticket, _ result: FeedbackResult) {
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
        let time = max(later(random.nanoseconds(microsecond...100 * microsecond)), frontend.lastStoreAnswers)
        frontend.lastStoreAnswers = time
        at(
            time,
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
        guard !scenario.selecting.isEmpty else { return }
        _ = store.nextStart()
        if number > 0, store.with({ !$0.states.isEmpty }) { occurrences[.restartsWithStates] += 1 }
    }

    /// The store's thread ends after what it was handed.
    mutating func finishStoreWork() {
        frontend.stateRequestsTaken = (frontend.stateRequestsTaken ?? []) + frontend.stateRequests
        frontend.stateRequests = []
        workOnStates()
    }

    /// The process is gone.
    mutating func endSelecting() {
        let lost = oracle.selectingStopped()
        occurrences[.lostWithFrontend] += lost.queries
        occurrences[.feedbackLostWithFrontend] += lost.feedback
        stateReports.forgetOpen()
    }
}
