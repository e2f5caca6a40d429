import ContainerRPC
import QueryFrontend

/// What clients of applications do whose policies choose, and their operators.
extension Simulation {
    // MARK: Queries

    mutating func planSelectingArrival(_ application: Int) {
        let pause = random.exponential() / scenario.selecting[application].rate * Double(second)
        after(Int64(min(pause, 1e12)) + 1, .selectingArrival(application: application))
    }

    mutating func arriveSelecting(_ application: Int) {
        guard areClientsActive else { return }
        planSelectingArrival(application)
        guard oracle.selection.queries.count < 1500 else { return }
        let plan = scenario.selecting[application]
        let requests = random.chance(0.01) ? random.integer(5...20) : 1
        for _ in 0..<requests {
            let user = random.chance(plan.userShare) ? "u\(random.below(plan.users))" : nil
            let value = drawValue(plan)
            if random.chance(plan.labelShare) {
                let feedback = FeedbackPlan(
                    application: application, subject: .label(ofInput: value), user: user,
                    id: drawFeedbackID(plan, user))
                sendCopies(feedback)
                continue
            }
            var budget = plan.slo
            if random.chance(plan.shorterTimeouts) { budget = random.nanoseconds(0...plan.slo) }
            askSelecting(application, value, user: user, budget: budget)
        }
    }

    private mutating func drawValue(_ plan: Scenario.Selecting) -> Int {
        if let count = plan.distinctInputs { return SelectionBooks.firstShared + random.below(count) }
        oracle.selection.nextValue += 1
        return oracle.selection.nextValue
    }

    private mutating func askSelecting(
        _ application: Int, _ value: Int, user: String?, budget: Int64, mustHaveOutput: Bool = false
    ) {
        guard frontend.isRunning else { return }
        occurrences[.selectedQueries] += 1
        let number = oracle.selection.queries.count
        oracle.selection.queries.append(
            SelectionBooks.QueryRecord(
                application: application, value: value, user: user, arrived: now, deadline: later(budget),
                mustHaveOutput: mustHaveOutput, frontend: frontend.number))
        note(.selectedArrived, number, application, Int(budget / microsecond))
        // By its trace each of the queries that it becomes can be told to be its own.
        frontend.inbox.append(
            Submission(
                sink: SimulatedFrontend.Sinks.selected, request: UInt64(number),
                application: scenario.handle(ofSelecting: application), inputType: scenario.models[0].inputType,
                inputs: .one(payload(value)), firstQueryID: UInt64(number), selects: true, user: user,
                trace: QueryTrace(TraceContext(parent: "\(number)")), arrived: now, deadline: later(budget)))
        wakeFrontend()
    }

    /// All models of an application take the same inputs.
    private func payload(_ value: Int) -> Payload {
        Inputs.payload(value, as: scenario.models[0].inputType, padding: scenario.models[0].padding)
    }

    // MARK: Feedback

    private mutating func drawFeedbackID(_ plan: Scenario.Selecting, _ user: String?) -> String? {
        guard plan.identifies || random.chance(0.5) else { return nil }
        oracle.selection.nextFeedbackID += 1
        let id = "f\(oracle.selection.nextFeedbackID)"
        if let user { store.with { $0.users[SimulatedStateStore.FeedbackKey(application: plan.name, id: id)] = user } }
        return id
    }

    /// A client may say what it thinks of an answer.
    mutating func planFeedback(on number: Int) {
        let query = oracle.selection.queries[number]
        let plan = scenario.selecting[query.application]
        if query.mustHaveOutput { return probeFeedback(on: number) }
        guard areClientsActive, random.chance(plan.feedbackShare) else { return }
        let label = SelectionBooks.label(of: query.value)
        let judgement: SelectedFeedback.Judgement =
            switch random.below(4) {
            case 0: .reward(random.pick([0, 0.5, 1]))
            case 1: .label(.text("\(label)"))
            case 2 where random.chance(0.2): .label(.text("nothing"))
            default: .label(.number(Double(label)))
            }
        sendCopies(
            FeedbackPlan(
                application: query.application, subject: .query(number, judgement), user: query.user,
                id: drawFeedbackID(plan, query.user)))
    }

    /// Feedback is sent once, or several times: at once, soon, or when the frontend may be another one.
    private mutating func sendCopies(_ plan: FeedbackPlan) {
        let delay = random.chance(0.5) ? 0 : random.nanoseconds(0...20 * millisecond)
        var times = [delay]
        if plan.id != nil, random.chance(0.3) {
            for _ in 0..<random.integer(1...2) {
                let longest = random.pick([0, millisecond, scenario.duration / 2])
                times.append(delay + random.nanoseconds(0...longest))
            }
            if times[1] == delay { occurrences[.feedbackSentTwiceAtOnce] += 1 }
        }
        for time in times { after(time, .feedback(plan)) }
    }

    mutating func sendFeedback(_ plan: FeedbackPlan) {
        guard frontend.isRunning, areClientsActive || plan.mustCount else { return }
        let number = oracle.selection.feedback.count
        let slo = scenario.selecting[plan.application].slo
        let budget = plan.mustCount ? 20 * second : random.nanoseconds(slo / 2...4 * slo)
        let subject: SelectedFeedback.Subject
        var query = -1
        switch plan.subject {
        case .label(let value):
            occurrences[.feedbackByInput] += 1
            subject = .input(payload(value), .number(Double(SelectionBooks.label(of: value))))
        case .query(let number, let judgement):
            occurrences[.feedbackByQuery] += 1
            query = number
            subject = .query(UInt64(number), judgement)
        }
        var record = SelectionBooks.FeedbackRecord(
            plan: plan, arrived: now, frontend: frontend.number, failuresHeard: oracle.selection.failuresHeard)
        record.mustCount = plan.mustCount
        record.lostPolicy = !oracle.selection.applications[plan.application].hasPolicy
        oracle.selection.feedback.append(record)
        note(.feedbackArrived, number, plan.application, query)
        let waiter = Waiter(
            ticket: Ticket(sink: SimulatedFrontend.Sinks.feedback, request: UInt64(number), item: 0),
            application: scenario.handle(ofSelecting: plan.application), arrived: now, deadline: later(budget))
        // Where a query is named, its user counts, whoever else may be.
        frontend.feedback.append(
            SelectedFeedback(
                waiter: waiter, subject: subject, user: plan.user,
                id: plan.id))
        wakeFrontend()
    }

    /// What has not counted may be sent again.
    mutating func sendAgain(_ number: Int, _ result: FeedbackResult) {
        let record = oracle.selection.feedback[number]
        switch result {
        case .duplicate:
            let wasEarlier = oracle.selection.feedback.contains {
                $0.plan.id == record.plan.id && $0.plan.application == record.plan.application
                    && $0.frontend < record.frontend
            }
            if wasEarlier { occurrences[.duplicatesOfEarlierFrontends] += 1 }
        case .noAnswer, .notDurable, .notLearning, .stopping:
            guard record.plan.id != nil, random.chance(0.5) else { return }
            after(random.nanoseconds(0...20 * millisecond), .feedback(record.plan))
        case .counted, .unknownQuery, .incomparable, .noOutput:
            break
        }
    }

    // MARK: When all is well

    mutating func probe(_ application: Int) {
        // What is asked at once for several applications must have room in a model's queue.
        guard oracle.selection.applications[application].hasPolicy, scenario.mostQueuedBytes > 1 << 16,
            oracle.candidates(application).contains(where: { oracle.hasSuitableReplica($0) })
        else { return }
        oracle.selection.nextValue += 1
        askSelecting(
            application, oracle.selection.nextValue, user: "u0", budget: 20 * second, mustHaveOutput: true)
    }

    private mutating func probeFeedback(on number: Int) {
        let query = oracle.selection.queries[number]
        let bounds = scenario.selectorBounds
        guard !areClientsActive, bounds.feedbackQueries > 100, bounds.feedbackAge >= .seconds(600),
            oracle.selection.applications[query.application].settings.loss == .zeroOne
        else {
            return
        }
        let label = Double(SelectionBooks.label(of: query.value))
        let plan = scenario.selecting[query.application]
        sendFeedback(
            FeedbackPlan(
                application: query.application, subject: .query(number, .label(.number(label))), user: query.user,
                id: drawFeedbackID(plan, query.user), mustCount: true))
    }

    // MARK: Operators

    mutating func operateSelecting(_ plan: Scenario.Plan<Operation>) {
        switch plan.kind {
        case .changePolicy:
            let old = oracle.selection.applications[plan.target].settings
            var settings = SelectionSettings(
                in: scenario.modelNames, counts: scenario.selecting[plan.target].identifies, from: &random)
            // Often the policy stays, and comes with other settings.
            if random.chance(0.4) { settings.policy = old.policy }
            if settings.isStandard { settings.shadows = [scenario.modelNames[0]] }
            frontend.commands.append(.select(application: plan.target, settings, links: nil))
            // Now and then it is taken back, perhaps before anything has come of it.
            if random.chance(0.3) {
                if random.chance(0.5) { frontend.commands.append(.publish) }
                frontend.commands.append(.select(application: plan.target, old, links: nil))
            }
        case .changeLinks:
            let links = Scenario.Selecting.drawLinks(scenario.modelNames, from: &random)
            frontend.commands.append(.select(application: plan.target, nil, links: links))
        case .changeVersion:
            frontend.commands.append(.setVersion(model: plan.target))
        case .resetState:
            frontend.commands.append(.resetState(application: plan.target, user: drawUser(plan.target)))
        case .askForState:
            frontend.commands.append(.askForState(application: plan.target, user: drawUser(plan.target)))
        case .removePolicy:
            frontend.commands.append(.select(application: plan.target, nil, links: nil))
            after(random.chance(0.3) ? 0 : plan.duration, .reversal(.removePolicy, target: plan.target))
        default:
            break
        }
    }

    private mutating func drawUser(_ application: Int) -> String? {
        random.chance(0.5) ? "u\(random.below(scenario.selecting[application].users))" : nil
    }

    /// The dispatch thread does what it was asked to.
    mutating func performSelecting(_ command: SimulatedFrontend.Command) {
        switch command {
        case .select(let application, let settings, let links):
            if let links {
                occurrences[.linksChanged] += 1
                oracle.selection.applications[application].links = links
            } else if let settings {
                occurrences[.policiesChanged] += 1
                store.with { _ = $0.changed.insert(scenario.selecting[application].name) }
                oracle.selection.applications[application].settings = settings
                oracle.selection.applications[application].hasPolicy = true
            } else {
                occurrences[.policiesRemoved] += 1
                oracle.selection.applications[application].hasPolicy = false
                oracle.selectingLostPolicy(application)
            }
        case .setVersion(let model):
            let name = scenario.models[model].version.name
            if oracle.selection.current[name] != model { occurrences[.versionsChanged] += 1 }
            oracle.selection.current[name] = model
        case .resetState(let application, let user):
            occurrences[.statesReset] += 1
            frontend.core.selector.reset(
                scenario.handle(ofSelecting: application), named: scenario.selecting[application].name, user: user
            ) { _ in }
            return
        case .askForState(let application, let user):
            let reports = stateReports
            reports.asked()
            frontend.core.selector.report(
                on: scenario.handle(ofSelecting: application), user: user,
                serving: frontend.core.scheduler.served.serving(of:)
            ) { report in
                reports.answered(report)
            }
            return
        default:
            return
        }
        publish()
    }
}

extension Oracle {
    /// An application has no policy any more. What is under way may end without one.
    fileprivate mutating func selectingLostPolicy(_ application: Int) {
        for number in selection.queries.indices
        where selection.queries[number].application == application && selection.queries[number].answer == nil {
            selection.queries[number].lostPolicy = true
        }
        for number in selection.feedback.indices where selection.feedback[number].plan.application == application {
            selection.feedback[number].lostPolicy = true
        }
    }
}
