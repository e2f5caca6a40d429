package import ContainerRPC
import DequeModule

/// Feedback as it has come: what the right answer would have been, or what the answer that was given is worth.
package struct SelectedFeedback: Sendable {
    /// What is judged.
    package enum Subject: Sendable {
        /// An input, whose label is given; the models are asked, or the cache.
        case input(Payload, Label)
        /// A query that was answered.
        case query(UInt64, Judgement)
    }

    /// What is said of a query's answer.
    package enum Judgement: Sendable, Hashable {
        case label(Label)
        /// What the answer that was given is worth: 0 to 1.
        case reward(Double)
    }

    /// Whom to tell what became of it; its deadline is that of the models where they have to be asked.
    package var waiter: Waiter
    package var subject: Subject
    /// What the input was read as; `nil` where a query is judged.
    package var inputType: InputType?
    package var user: String?
    /// Counts once.
    package var id: String?

    package init(
        waiter: Waiter, subject: Subject, inputType: InputType? = nil, user: String? = nil, id: String? = nil
    ) {
        self.waiter = waiter
        self.subject = subject
        self.inputType = inputType
        self.user = user
        self.id = id
    }
}

/// Feedback that has taught something, until that is durable.
struct Lesson: Sendable {
    var feedback: SelectedFeedback
    /// What the models' answers have cost.
    var costs: [(model: String, cost: Double)]
}

extension Selector {
    /// Feedback has come.
    package mutating func submit(_ feedback: SelectedFeedback, now: MonotonicTime, serving: ServingOf) {
        attempt(feedback, isChecked: false, now: now, serving: serving)
    }

    /// Goes on with feedback as far as what is known allows.
    ///
    /// - Parameter isChecked: the store has said that no feedback of this id has counted.
    mutating func attempt(_ feedback: SelectedFeedback, isChecked: Bool, now: MonotonicTime, serving: ServingOf) {
        let application = feedback.waiter.application
        // Not the end of what is under way under the same id.
        guard members[application]?.settings.isStandard == false else { return acknowledge(feedback, .notLearning) }
        guard let id = feedback.id else { return learn(feedback, now: now, serving: serving) }
        let key = FeedbackKey(application: application, id: id)
        // What comes under an id that is under way waits for what becomes of that.
        if running[key] != nil {
            running[key]?.append(feedback)
        } else if isChecked {
            running[key] = []
            learn(feedback, now: now, serving: serving)
        } else {
            wait(.feedback(feedback), for: .feedback(key))
        }
    }

    /// The store knows feedback under this id already.
    mutating func refuseCounted(_ key: FeedbackKey) {
        for case .feedback(let feedback) in waiting.removeValue(forKey: .feedback(key)) ?? [] {
            acknowledge(feedback, .duplicate)
        }
    }

    /// Learns from feedback, or asks first for what is needed to.
    mutating func learn(_ feedback: SelectedFeedback, now: MonotonicTime, serving: ServingOf) {
        let application = feedback.waiter.application
        guard members[application]?.settings.isStandard == false else { return end(feedback, .notLearning) }
        var user = feedback.user
        var query: AnsweredQueries.Answered?
        if case .query(let id, _) = feedback.subject {
            query = answered.query(id, of: application, now: now)
            guard query != nil else { return end(feedback, .unknownQuery) }
            // One that was asked without a user can be judged by one.
            user = query?.user ?? feedback.user
            query?.user = user
        }
        switch feedback.subject {
        case .input(let input, _):
            if let missing = missingState(application, user) { return wait(.learning(feedback), for: missing) }
            guard members[application]?.inputsUnderWay ?? 0 < bounds.feedbackInputs else {
                guard members[application]?.inputs.count ?? 0 < Self.mostWaitingInputs else {
                    return end(feedback, .noAnswer)
                }
                members[application]?.inputs.append(feedback)
                return
            }
            // Its time begins when it is its turn.
            var waiter = feedback.waiter
            waiter.deadline = now + (waiter.deadline - waiter.arrived)
            let isUnderWay = start(
                waiter, user: user, input: input, trace: nil, purpose: .feedback(feedback), serving: serving)
            if isUnderWay { members[application]?.inputsUnderWay += 1 }
        case .query(_, let judgement):
            guard let query else { return }
            learn(judgement, of: query, feedback)
        }
    }

    /// The models have answered the input of feedback.
    mutating func learn(from ensemble: Ensemble, _ feedback: SelectedFeedback) {
        guard case .input(_, let label) = feedback.subject, let query = judged(ensemble, output: nil) else {
            return end(feedback, .notLearning)
        }
        learn(.label(label), of: query, feedback)
    }

    /// Inputs of feedback of one application that may wait for their turn.
    private static let mostWaitingInputs = 100_000

    /// An input of feedback has been answered: it is the next one's turn, or that of those after it which can be asked.
    mutating func endInput(of application: ApplicationHandle, now: MonotonicTime, serving: ServingOf) {
        // It may have lost its policy and got one again since.
        guard let underWay = members[application]?.inputsUnderWay, underWay > 0 else { return }
        members[application]?.inputsUnderWay = underWay - 1
        while members[application]?.inputsUnderWay ?? .max < bounds.feedbackInputs,
            let next = members[application]?.inputs.popFirst()
        {
            learn(next, now: now, serving: serving)
        }
    }

    /// A shadow has answered an input of feedback after the members had.
    mutating func judge(_ part: Ensemble.Part, by feedback: SelectedFeedback) {
        let application = feedback.waiter.application
        guard case .input(_, let label) = feedback.subject, let output = part.output,
            let verdict = verdict(.label(label), in: application),
            let cost = verdict.costs(of: AnsweredQueries.Answered(shadow: part.model.name, output, application))[0]
        else { return }
        let counted = members[application]?.lossBound.bounded(cost.value) ?? cost.value
        members[application]?.counters[part.model.name]?.note(loss: counted)
    }

    /// Learns from what is said of a query.
    mutating func learn(
        _ judgement: SelectedFeedback.Judgement, of query: AnsweredQueries.Answered, _ feedback: SelectedFeedback
    ) {
        guard let verdict = verdict(judgement, in: query.application),
            members[query.application]?.settings.isStandard == false
        else { return end(feedback, .notLearning) }
        let loss = verdict.loss
        if let missing = missingState(query.application, query.user) {
            return wait(.judging(judgement, query, feedback), for: missing)
        }
        let hasAnswer = query.hasAnswer
        guard hasAnswer || query.failedAlone else { return end(feedback, .noAnswer) }
        if case .reward = judgement, query.output == nil, hasAnswer { return end(feedback, .noOutput) }
        let costs = verdict.costs(of: query)
        var judged: [(member: AnsweredQueries.Answered.Member, cost: Verdict.Cost)] = []
        for (member, cost) in zip(query.members, costs) {
            if let cost { judged.append((member, cost)) }
        }
        guard judged.contains(where: { $0.member.probability != nil }) else { return end(feedback, .incomparable) }
        if loss != .zeroOne { bound(&judged, of: query.application) }
        let observations = judged.compactMap { member, cost in
            member.probability.map {
                SelectionFeedback.Observation(model: member.model, loss: cost.value, probability: Double($0))
            }
        }
        let lesson = SelectionFeedback(observations, models: query.candidates, loss: loss)
        // A new user begins with what the application knew before this feedback.
        if let user = query.user { members[query.application]?.states.observe(lesson, for: user) }
        members[query.application]?.states.observe(lesson, for: nil)
        commit(Lesson(feedback: feedback, costs: judged.map { ($0.member.model, $0.cost.value) }), user: query.user)
    }

    /// What feedback says, by what is known of an application's losses; `nil` where that has no policy any more.
    private func verdict(
        _ judgement: SelectedFeedback.Judgement, in application: ApplicationHandle
    ) -> Verdict? {
        // Not the member itself: while a copy of it is held, a change of its states would copy them all.
        members[application].map { member in
            Verdict(
                judgement: judgement, loss: member.settings.loss, defaultOutput: member.defaultOutput,
                largestLoss: member.lossBound.largestSeen, comparable: member.comparable)
        }
    }

    /// Shadows are bounded by what the others cost, and change nothing of that: some are judged with them, others later.
    private mutating func bound(
        _ judged: inout [(member: AnsweredQueries.Answered.Member, cost: Verdict.Cost)],
        of application: ApplicationHandle
    ) {
        guard var bound = members[application]?.lossBound else { return }
        var taught: [Double] = []
        for index in judged.indices {
            guard case .measured(let cost) = judged[index].cost else {
                // The default output may be far from a label in a wrong unit, too.
                judged[index].cost = .charged(bound.bounded(judged[index].cost.value))
                continue
            }
            judged[index].cost = .measured(bound.bounded(cost))
            guard judged[index].member.probability != nil else { continue }
            taught.append(cost)
            if let output = judged[index].member.output { members[application]?.comparable = output }
        }
        if !taught.isEmpty { _ = bound.bounded(taught) }
        members[application]?.lossBound = bound
    }

    private mutating func commit(_ lesson: Lesson, user: String?) {
        let feedback = lesson.feedback
        guard let member = members[feedback.waiter.application] else { return }
        let users: [String?] = user == nil ? [nil] : [nil, user]
        let states = users.compactMap { user in
            member.states.snapshot(of: user).map {
                SelectionCommit.State(key: StateKey(application: member.name, user: user), value: $0)
            }
        }
        let number = nextCommit
        nextCommit += 1
        committing[number] = lesson
        effects.storeRequests.append(
            .commit(
                SelectionCommit(
                    number: number, epoch: epoch, policy: member.origin, states: states, feedback: feedback.id,
                    application: member.name)))
    }

    mutating func finishCommit(_ number: UInt64, _ result: FeedbackResult) {
        guard let lesson = committing.removeValue(forKey: number) else { return }
        if result == .counted {
            for (model, cost) in lesson.costs {
                members[lesson.feedback.waiter.application]?.counters[model]?.note(loss: cost)
            }
        }
        end(lesson.feedback, result)
    }

    /// Tells what became of feedback, also to what came under the same id meanwhile: where this has not counted, that
    /// has not either, and may be sent again.
    mutating func end(_ feedback: SelectedFeedback, _ result: FeedbackResult) {
        acknowledge(feedback, result)
        guard let id = feedback.id else { return }
        let key = FeedbackKey(application: feedback.waiter.application, id: id)
        guard let others = running.removeValue(forKey: key) else { return }
        for other in others { acknowledge(other, result == .counted ? .duplicate : result) }
    }

    mutating func acknowledge(_ feedback: SelectedFeedback, _ result: FeedbackResult) {
        effects.acknowledgements.append(
            SelectorEffects.Acknowledgement(ticket: feedback.waiter.ticket, result: result))
        members[feedback.waiter.application]?.feedback.count(result)
    }
}

extension FeedbackCounters {
    fileprivate mutating func count(_ result: FeedbackResult) {
        switch result {
        case .counted: counted += 1
        case .duplicate: duplicate += 1
        case .unknownQuery: unknownQuery += 1
        case .noAnswer, .incomparable, .noOutput, .notDurable, .notLearning, .stopping: failed += 1
        }
    }
}
