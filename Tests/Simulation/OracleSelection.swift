import ContainerRPC
import QueryFrontend

/// What must hold of applications whose policies choose.
extension Oracle {
    // MARK: Models

    /// A query, or feedback of an input, is sent to a model.
    mutating func partSent(_ query: Query, at now: MonotonicTime) {
        let ticket = query.waiter.ticket
        let model = query.model.index
        let application = query.waiter.application.index - scenario.applications.count
        guard selection.applications.indices.contains(application), scenario.models.indices.contains(model) else {
            return violate("what a policy has chosen is none of its application's", at: now)
        }
        let number = query.trace?.context.parent.flatMap { Int($0) }
        guard ticket.sink == Selector.sink else { return fellBack(query, Int(ticket.request), at: now) }
        let known = selection.applications[application]
        let name = scenario.models[model].version.name
        let isShadow = known.settings.shadows.contains(name)
        if !isRegistered[model] || selection.current[name] != model || !(isShadow || known.links.contains(name)) {
            violate("model \(model), which application \(application) is not linked to, is chosen", at: now)
        }
        let part = SelectionBooks.Part(
            query: number, model: model, value: Inputs.value(of: query.input, as: scenario.models[model].inputType),
            isShadow: isShadow, sent: now, deadline: query.waiter.deadline, epoch: epochs[model],
            door: door(of: model, at: now))
        underWay[model] += 1
        if selection.parts.updateValue(part, forKey: ticket) != nil { violate("a ticket is used twice", at: now) }
        guard let number else { return }
        let record = selection.queries[number]
        if record.answer != nil { violate("query S\(number) is sent though it is answered", at: now) }
        if record.parts.contains(where: { selection.parts[$0]?.model == model || $0.request != ticket.request }) {
            violate("query S\(number) is sent twice", at: now)
        }
        if record.value != part.value { violate("query S\(number) is sent with another's input", at: now) }
        selection.queries[number].parts.append(ticket)
    }

    /// A query whose application lost its policy before that had chosen is sent to the first model.
    private mutating func fellBack(_ query: Query, _ number: Int, at now: MonotonicTime) {
        let model = query.model.index
        let record = selection.queries[number]
        if !record.lostPolicy || record.fallback != nil || !record.parts.isEmpty {
            violate("query S\(number) is sent to model \(model) as if there were no policy", at: now)
        }
        selection.queries[number].fallback = query.waiter.ticket
        selection.parts[query.waiter.ticket] = SelectionBooks.Part(
            query: number, model: model, value: record.value, isShadow: false, sent: now,
            deadline: query.waiter.deadline, epoch: epochs[model], door: door(of: model, at: now))
        underWay[model] += 1
    }

    /// What a model was asked has its outcome.
    mutating func partFinished(_ ticket: Ticket, _ outcome: Outcome, isCached: Bool, at now: MonotonicTime) {
        guard let part = selection.parts[ticket] else { return violate("nobody has asked for an outcome", at: now) }
        if part.outcome != nil { violate("a model's outcome comes twice", at: now) }
        selection.parts[ticket]?.outcome = outcome
        underWay[part.model] -= 1
        let name = part.query.map { "query S\($0)" } ?? "feedback"
        checkInTime(name, max(part.deadline, part.sent, excusedUntil), at: now)
        switch outcome {
        case .output(let output):
            if !part.isShadow, let number = part.query, selection.queries[number].fallback == nil {
                selection.queries[number].hasAnswers = true
            }
            check(output, of: name, part.value, part.model, isCached: isCached, at: now)
        case .defaultOutput(let reason), .failed(let reason, _):
            let isRight =
                switch reason {
                case .deadline: now >= part.deadline || hasFailed(part, reason)
                case .modelDeleted: !isRegistered[part.model] || epochs[part.model] != part.epoch
                case .stopping: isStopping
                // Those that are sent elsewhere are told apart only where no two have the same input.
                case .lostTwice: hasSentAgain
                case .noReplica, .queueFull, .predictedLate:
                    self.isRight(reason, at: part.door, of: part.model, now: now)
                case .modelError, .invalidInput: hasFailed(part, reason)
                case .lowConfidence, .inputTooLarge: false
                }
            if !isRight { violate("\(name) fails at model \(part.model) for no reason: \(reason)", at: now) }
        }
    }

    private func hasFailed(_ part: SelectionBooks.Part, _ reason: DefaultReason) -> Bool {
        failedInputs.contains(FailedInput(model: part.model, value: part.value, reason: reason))
    }

    private mutating func checkInTime(_ name: String, _ due: MonotonicTime, at now: MonotonicTime) {
        guard now.nanoseconds > due.nanoseconds + millisecond else { return }
        violate("\(name) is answered \((now.nanoseconds - due.nanoseconds) / microsecond) µs too late", at: now)
    }

    // MARK: Answers

    /// A client is answered.
    mutating func selectedAnswered(
        _ number: Int, _ outcome: Outcome, _ combined: Combined?, _ occurrences: inout Occurrences,
        at now: MonotonicTime
    ) {
        let query = selection.queries[number]
        let name = "query S\(number)"
        if query.answer != nil { return violate("\(name) is answered twice", at: now) }
        selection.queries[number].answer = (outcome, now)
        selection.queries[number].place = selection.answeredByProcess
        if query.isGone { return violate("\(name) is answered by a frontend that never had it", at: now) }
        if let ticket = query.fallback { return partFinished(ticket, outcome, isCached: false, at: now) }
        checkInTime(name, max(query.deadline, query.arrived, excusedUntil), at: now)
        let members = query.parts.compactMap { selection.parts[$0] }.filter { !$0.isShadow }
        if !members.isEmpty { selection.answeredByProcess += 1 }
        if members.contains(where: { $0.outcome == nil }) {
            violate("\(name) is answered before all of its models have had their time", at: now)
        }
        let answered = members.filter { $0.outcome?.defaultReason == nil }
        let application = selection.applications[query.application]
        // Of models that weigh nothing the answers are left out of a mean, unless there are no others.
        let heard = answered.filter { part in
            application.settings.policy.name != "weightedMean"
                || application.settings.policy.parameters[scenario.models[part.model].version.name] != .number(0)
        }
        let labels = (heard.isEmpty ? answered : heard).map { "\(scenario.models[$0.model].version)" }
        if !application.hasPolicy || application.settings.policy == .standard {
            if let combined { violate("\(name) is answered as Clipper would not: \(combined)", at: now) }
        } else if combined?.models ?? [] != labels {
            violate("\(name): \(combined?.models ?? []) are said to have answered, and \(labels) have", at: now)
        }
        // Under Clipper's own policy it is not told; models may have been chosen by another one before.
        let confidence = combined?.confidence
        if let confidence, !(0...1).contains(confidence) {
            violate("\(name) has confidence \(confidence)", at: now)
        }
        count(query, members, answered, &occurrences)
        let settings = application.settings
        let least = application.hasPolicy ? settings.minConfidence : 0
        switch outcome {
        case .output(let bytes):
            if let confidence, confidence < least { violate("\(name) is answered, and nobody can be sure", at: now) }
            let outputs = answered.compactMap { part -> ModelOutput? in
                if case .output(let bytes) = part.outcome { ModelOutput(bytes: bytes) } else { nil }
            }
            // Without a policy what is under way is combined as by Clipper's own.
            let policy = application.hasPolicy ? settings.policy : .standard
            check(ModelOutput(bytes: bytes), of: name, madeOf: outputs, by: policy.name, at: now)
        case .defaultOutput(.lowConfidence), .failed(.lowConfidence, _):
            if answered.isEmpty || least == 0 || confidence ?? 0 >= least {
                violate("\(name) gets the default for low confidence: \(confidence ?? -1) of \(least)", at: now)
            }
        case .defaultOutput(let reason), .failed(let reason, _):
            check(reason, of: number, members, at: now)
            if query.mustHaveOutput {
                violate("\(name), sent when all is well, gets the default: \(reason)", at: now)
            }
        }
    }

    private func count(
        _ query: SelectionBooks.QueryRecord, _ members: [SelectionBooks.Part], _ answered: [SelectionBooks.Part],
        _ occurrences: inout Occurrences
    ) {
        if answered.count > 1 { occurrences[.combinedOutputs] += 1 }
        if !answered.isEmpty, members.contains(where: { $0.outcome?.defaultReason == .deadline }) {
            occurrences[.stragglers] += 1
        }
        if !answered.isEmpty,
            members.contains(where: { $0.outcome?.defaultReason.map { $0 != .deadline } ?? false })
        {
            occurrences[.answersWithoutFailedModels] += 1
        }
        let models = query.parts.compactMap { selection.parts[$0] }
        if models.contains(where: { $0.isShadow && $0.outcome == nil }) { occurrences[.answersBeforeShadows] += 1 }
    }

    private mutating func check(
        _ output: ModelOutput, of name: String, madeOf outputs: [ModelOutput], by policy: String,
        at now: MonotonicTime
    ) {
        if outputs.contains(where: { $0.bytes == output.bytes }) {
            guard policy == "majority" else { return }
            let votes = outputs.count { $0.agrees(with: output) }
            if outputs.contains(where: { other in outputs.count { $0.agrees(with: other) } > votes }) {
                violate("\(name) gets \(output.text), which is no majority", at: now)
            }
            return
        }
        let numbers = outputs.compactMap(\.number)
        // Exp4 takes the mean where errors are distances.
        if ["mean", "median", "weightedMean", "exp4"].contains(policy), let number = output.number,
            let least = numbers.min(), let most = numbers.max(), number >= least - 1e-9, number <= most + 1e-9
        {
            return
        }
        violate("\(name) gets \(output.text), made by \(policy) of \(outputs.map(\.text))", at: now)
    }

    private mutating func check(
        _ reason: DefaultReason, of number: Int, _ members: [SelectionBooks.Part], at now: MonotonicTime
    ) {
        let query = selection.queries[number]
        let name = "query S\(number)"
        if members.contains(where: { $0.outcome?.defaultReason == nil }) {
            violate("\(name) gets the default, \(reason), though a model has answered", at: now)
        }
        guard members.isEmpty else {
            if !members.contains(where: { $0.outcome?.defaultReason == reason }) {
                violate("\(name) gets the default for a reason of nobody: \(reason)", at: now)
            }
            return
        }
        switch reason {
        case .noReplica:
            let served = candidates(query.application).first {
                selection.servedAtTurn[$0] && hasSuitableReplica($0)
            }
            if let served, !query.lostPolicy {
                violate("\(name) gets the default as if model \(served) had no replica", at: now)
            }
        case .stopping where isStopping:
            break
        default:
            violate("\(name) gets the default for a reason that is none: \(reason)", at: now)
        }
    }

    /// The models that an application can choose from now.
    func candidates(_ application: Int) -> [Int] {
        let known = selection.applications[application]
        return known.links.filter { !known.settings.shadows.contains($0) }.compactMap { selection.current[$0] }
            .filter { isRegistered[$0] }
    }

    // MARK: Feedback

    /// A client is told what became of its feedback.
    mutating func acknowledged(
        _ number: Int, _ result: FeedbackResult, _ store: SimulatedStateStore, age: Int64, at now: MonotonicTime
    ) {
        let record = selection.feedback[number]
        let name = "feedback \(number)"
        if let earlier = record.result {
            return violate("\(name) is acknowledged twice: \(earlier), \(result)", at: now)
        }
        if record.isGone { violate("\(name) is acknowledged by a frontend that never had it", at: now) }
        selection.feedback[number].result = result
        let application = record.plan.application
        let key = record.plan.id.map {
            SimulatedStateStore.FeedbackKey(application: scenario.selecting[application].name, id: $0)
        }
        let isDurable = key.map { key in store.with { $0.feedback.contains(key) } }
        switch result {
        case .counted:
            if isDurable == false { violate("\(name) has counted, and a crash would lose it", at: now) }
            if let key, !selection.saidToHaveCounted.insert(key).inserted {
                violate("\(name) counts, and so did another of its id", at: now)
            }
        case .duplicate:
            if isDurable != true { violate("\(name) is a duplicate of what has not counted", at: now) }
        case .unknownQuery:
            check(isUnknown: record, name, age: age, at: now)
        case .noAnswer:
            if case .query(let query, _) = record.plan.subject, selection.queries[query].hasAnswers {
                violate("\(name) is told that nobody had answered its query, and somebody has", at: now)
            }
        case .noOutput:
            if case .query(_, .reward) = record.plan.subject { break }
            violate("\(name) is no reward, and is told that it cannot judge a default output", at: now)
        case .incomparable:
            if selection.applications[application].settings.loss == .zeroOne,
                case .query(_, .label) = record.plan.subject
            {
                violate("\(name) has a label that any answer can be compared with", at: now)
            }
        case .notDurable:
            // What came under the same id before it may have failed for it.
            let twins = selection.feedback.filter {
                $0.plan.id != nil && $0.plan.id == record.plan.id && $0.plan.application == application
            }
            let heard = twins.map(\.failuresHeard).min() ?? record.failuresHeard
            if store.with({ $0.failures }) == heard { violate("\(name) could be made durable", at: now) }
        case .notLearning:
            if !record.lostPolicy { violate("\(name) goes to an application that chooses", at: now) }
        case .stopping:
            if !isStopping { violate("\(name) is told that the frontend stops", at: now) }
        }
        if record.mustCount, result != .counted {
            violate("\(name), sent when all is well, does not count: \(result)", at: now)
        }
    }

    private mutating func check(
        isUnknown record: SelectionBooks.FeedbackRecord, _ name: String, age: Int64, at now: MonotonicTime
    ) {
        guard case .query(let number, _) = record.plan.subject else {
            return violate("\(name) names no query that could be unknown", at: now)
        }
        let query = selection.queries[number]
        guard query.frontend == record.frontend, !query.parts.isEmpty, !query.lostPolicy, let answer = query.answer,
            now.nanoseconds - answer.time.nanoseconds <= age,
            selection.answeredByProcess - query.place <= scenario.selectorBounds.feedbackQueries
        else { return }
        violate("\(name) is told that query S\(number) is unknown, and it was answered lately", at: now)
    }

    // MARK: The frontend's processes

    /// - Returns: how much feedback is never acknowledged.
    mutating func selectingStopped() -> (queries: Int, feedback: Int) {
        var queries = 0
        for number in selection.queries.indices
        where selection.queries[number].answer == nil && !selection.queries[number].isGone {
            selection.queries[number].isGone = true
            queries += 1
        }
        var feedback = 0
        for number in selection.feedback.indices
        where selection.feedback[number].result == nil && !selection.feedback[number].isGone {
            selection.feedback[number].isGone = true
            feedback += 1
        }
        selection.parts = [:]
        selection.answeredByProcess = 0
        return (queries, feedback)
    }
}
