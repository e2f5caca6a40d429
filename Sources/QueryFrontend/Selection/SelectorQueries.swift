package import ContainerRPC

/// A query of an application that has a policy.
package struct SelectedQuery: Sendable {
    package var waiter: Waiter
    /// The id that the application is told, and that feedback names it by.
    package var id: UInt64
    package var input: Payload
    package var user: String?
    package var trace: QueryTrace?

    package init(waiter: Waiter, id: UInt64, input: Payload, user: String? = nil, trace: QueryTrace? = nil) {
        self.waiter = waiter
        self.id = id
        self.input = input
        self.user = user
        self.trace = trace
    }
}

/// A query on its way to several models.
struct Ensemble: Sendable {
    /// One of the models.
    struct Part: Sendable {
        let model: Selector.LinkedModel
        /// `nil` for one that only watches.
        let probability: Double?
        /// `nil` until it comes.
        var outcome: Outcome?

        /// What the model answered.
        var output: ModelOutput? {
            if case .output(let bytes) = outcome { ModelOutput(bytes: bytes) } else { nil }
        }
    }

    /// What the answers are wanted for.
    enum Purpose: Sendable {
        case answer(queryID: UInt64)
        case feedback(SelectedFeedback)
    }

    let waiter: Waiter
    let user: String?
    let purpose: Purpose
    /// The names of the models that could have been chosen: those that had a replica.
    let candidates: [String]
    /// Those that answer, then those that watch.
    var parts: [Part]
    let memberCount: Int
    /// Its application is gone: no feedback is for what it was asked.
    var isForgotten = false
    /// Members whose outcome has not come.
    var missingMembers: Int
    /// All parts whose outcome has not come.
    var missing: Int
    /// What was answered, once it was, for the watching to be compared with.
    var answer: ModelOutput?

    var members: ArraySlice<Part> { parts[..<memberCount] }
}

extension Selector {
    /// The sink that tickets of an ensemble's queries name.
    package static let sink = -1
    /// States that queries wait for at most: where the disk is that late, more would only make everything later.
    static let mostLoads = 4096

    /// A query has come.
    package mutating func submit(_ query: SelectedQuery, now: MonotonicTime, isServed: Served) {
        if let missing = missingState(query.waiter.application, query.user),
            loads < Self.mostLoads || waiting[missing] != nil
        {
            // Half of its time for the store, the other half for the models.
            let until = query.waiter.arrived + (query.waiter.deadline - query.waiter.arrived) / 2
            if until > now { return wait(.query(query, until: until), for: missing) }
        }
        choose(for: query, now: now, isServed: isServed)
    }

    /// Chooses models for a query, and sends it to them.
    mutating func choose(for query: SelectedQuery, now: MonotonicTime, isServed: Served) {
        start(
            query.waiter, user: query.user, input: query.input, trace: query.trace,
            purpose: .answer(queryID: query.id), isServed: isServed)
    }

    /// Sends an input to the models that the policy chooses.
    ///
    /// - Returns: false where there is none, which has been told.
    @discardableResult
    mutating func start(
        _ waiter: Waiter, user: String?, input: Payload, trace: QueryTrace?, purpose: Ensemble.Purpose,
        isServed: Served
    ) -> Bool {
        guard let (parts, candidates) = parts(for: waiter.application, user: user, isServed: isServed) else {
            finishUnanswered(waiter, purpose, .defaultOutput(.noReplica))
            return false
        }
        if case .answer = purpose {
            for part in parts where part.probability != nil {
                members[waiter.application]?.counters[part.model.name]?.chosen += 1
            }
        }
        let number = nextEnsemble
        nextEnsemble += 1
        let memberCount = parts.count { $0.probability != nil }
        ensembles[number] = Ensemble(
            waiter: waiter, user: user, purpose: purpose, candidates: candidates, parts: parts,
            memberCount: memberCount, missingMembers: memberCount, missing: parts.count)
        // The same for all: only the model differs.
        let hash = parts.contains { $0.model.caches } ? CacheKey.hash(of: input) : 0
        for (item, part) in parts.enumerated() {
            var copy = waiter
            copy.ticket = Ticket(sink: Self.sink, request: number, item: item)
            effects.queries.append(
                Query(
                    waiter: copy, model: part.model.handle, input: input,
                    key: part.model.caches ? CacheKey(model: part.model.handle, input: input, inputHash: hash) : nil,
                    trace: trace))
        }
        return true
    }

    /// The models that a query goes to, those that answer first, and the names of all that it could have gone to; `nil`
    /// where none has a replica.
    private mutating func parts(
        for application: ApplicationHandle, user: String?, isServed: Served
    ) -> (parts: [Ensemble.Part], candidates: [String])? {
        // Not the member itself: while a copy of it is held, a change of its states would copy them all.
        guard
            let (name, loss, models, candidates) = members[application].map({
                ($0.name, $0.settings.loss, $0.models, $0.candidates)
            })
        else { return nil }
        var served: [LinkedModel] = []
        served.reserveCapacity(models.count)
        var shadows: [LinkedModel] = []
        for model in models where isServed(model.handle) {
            if model.isShadow { shadows.append(model) } else { served.append(model) }
        }
        guard !served.isEmpty else { return nil }
        let query = SelectionQuery(
            application: name, models: served.count == candidates.count ? candidates : served.map(\.name), user: user,
            loss: loss)
        guard let selection = members[application]?.states.select(query, using: &random) else { return nil }
        var parts: [Ensemble.Part] = []
        parts.reserveCapacity(selection.members.count + selection.watching.count + shadows.count)
        // A policy of somebody's own may name what is not there, or the same twice.
        for chosen in selection.members where served.indices.contains(chosen.model) {
            let model = served[chosen.model]
            guard !parts.contains(where: { $0.model.handle == model.handle }) else { continue }
            let probability = chosen.probability > 0 ? min(1, chosen.probability) : 1
            parts.append(Ensemble.Part(model: model, probability: probability))
        }
        if parts.isEmpty { parts.append(Ensemble.Part(model: served[0], probability: 1)) }
        for index in selection.watching where served.indices.contains(index) { shadows.append(served[index]) }
        for model in shadows where !parts.contains(where: { $0.model.handle == model.handle }) {
            parts.append(Ensemble.Part(model: model, probability: nil))
        }
        return (parts, query.models)
    }

    /// One of an ensemble's queries has its outcome.
    package mutating func finish(
        _ number: UInt64, _ part: Int, _ outcome: Outcome, now: MonotonicTime, isServed: Served
    ) {
        guard let index = ensembles.index(forKey: number),
            ensembles.values[index].parts.indices.contains(part), ensembles.values[index].parts[part].outcome == nil
        else { return }
        ensembles.values[index].parts[part].outcome = outcome
        ensembles.values[index].missing -= 1
        let isMember = part < ensembles.values[index].memberCount
        if isMember { ensembles.values[index].missingMembers -= 1 }
        let ensemble = ensembles.values[index]
        if ensemble.missing == 0 { ensembles.remove(at: index) }
        switch ensemble.purpose {
        case .answer(let id):
            if isMember {
                if ensemble.missingMembers == 0 { combine(ensemble, number, id: id, now: now) }
            } else if let answer = ensemble.answer {
                compare(ensemble.parts[part], with: answer, in: ensemble.waiter.application)
                if let output = ensemble.parts[part].output { answered.note(output.text, of: part, in: id) }
            }
        case .feedback(let feedback):
            if !isMember {
                if ensemble.missingMembers == 0 { judge(ensemble.parts[part], by: feedback) }
            } else if ensemble.missingMembers == 0 {
                learn(from: ensemble, feedback)
                endInput(of: ensemble.waiter.application, now: now, isServed: isServed)
            }
        }
    }

    /// All members have answered, or the deadline has come.
    private mutating func combine(_ ensemble: Ensemble, _ number: UInt64, id: UInt64, now: MonotonicTime) {
        let application = ensemble.waiter.application
        count(ensemble)
        let outputs = ensemble.members.map(\.output)
        guard outputs.contains(where: { $0 != nil }) else {
            keep(ensemble, id: id, output: nil, now: now)
            return finishUnanswered(ensemble.waiter, ensemble.purpose, ensemble.failure)
        }
        let settings = members[application]?.settings ?? SelectionSettings()
        let answers = SelectionAnswers(
            models: ensemble.members.map(\.model.name), outputs: outputs, loss: settings.loss)
        var combination = members[application]?.states.combine(answers, for: ensemble.user) ?? answers.first
        // A policy of somebody's own may be wrong about its arithmetic, or about which member has answered.
        combination.confidence = combination.confidence >= 0 ? min(1, combination.confidence) : 0
        if case .answer(let index) = combination.output, !outputs.indices.contains(index) || outputs[index] == nil {
            combination.output = answers.first.output
        }
        let output: ModelOutput =
            switch combination.output {
            case .answer(let index): outputs[index] ?? ModelOutput("")
            case .text(let text): ModelOutput(text)
            }
        let isSure = combination.confidence >= settings.minConfidence
        let models = ensemble.members.filter { $0.output != nil }.map(\.model.label)
        effects.answers.append(
            SelectorEffects.Answer(
                waiter: ensemble.waiter,
                outcome: isSure ? .output(output.bytes) : .defaultOutput(.lowConfidence),
                combined: settings.policy == .standard
                    ? nil : Combined(models: models, confidence: combination.confidence)))
        for part in ensemble.parts[ensemble.memberCount...] { compare(part, with: output, in: application) }
        if ensemble.missing > 0 { ensembles[number]?.answer = output }
        keep(ensemble, id: id, output: isSure ? combination.output : nil, now: now)
    }

    /// Notes a query, so that feedback can name it. Where nothing is learned, none does.
    private mutating func keep(_ ensemble: Ensemble, id: UInt64, output: Combination.Output?, now: MonotonicTime) {
        guard !ensemble.isForgotten, members[ensemble.waiter.application]?.settings.isStandard == false else { return }
        if let query = judged(ensemble, output: output) { answered.insert(query, id: id, now: now) }
    }

    /// What feedback has to know of an ensemble; `nil` where its application has no policy any more.
    func judged(_ ensemble: Ensemble, output: Combination.Output?) -> AnsweredQueries.Answered? {
        guard members[ensemble.waiter.application] != nil else { return nil }
        let asked = ensemble.parts.map { part in
            AnsweredQueries.Answered.Member(
                model: part.model.name, probability: part.probability.map { Float($0) }, output: part.output?.text,
                hasFailed: part.outcome?.defaultReason?.isModels == true)
        }
        return AnsweredQueries.Answered(
            application: ensemble.waiter.application, user: ensemble.user, members: asked,
            candidates: ensemble.candidates, output: output)
    }

    /// No model has answered: the application gets its default output, and feedback teaches nothing.
    mutating func finishUnanswered(_ waiter: Waiter, _ purpose: Ensemble.Purpose, _ outcome: Outcome) {
        switch purpose {
        case .answer:
            let settings = members[waiter.application]?.settings ?? SelectionSettings()
            effects.answers.append(
                SelectorEffects.Answer(
                    waiter: waiter, outcome: outcome,
                    combined: settings.policy == .standard ? nil : Combined(models: [], confidence: 0)))
        case .feedback(let feedback):
            end(feedback, .noAnswer)
        }
    }

    private mutating func count(_ ensemble: Ensemble) {
        for part in ensemble.members {
            if part.output != nil {
                members[ensemble.waiter.application]?.counters[part.model.name]?.combined += 1
            } else if part.outcome?.defaultReason?.isLateness == true {
                members[ensemble.waiter.application]?.counters[part.model.name]?.straggled += 1
            }
        }
    }

    /// Compares what a model that watches has answered with what the application was.
    private mutating func compare(_ part: Ensemble.Part, with answer: ModelOutput, in application: ApplicationHandle) {
        guard let output = part.output else { return }
        if output.agrees(with: answer) {
            members[application]?.counters[part.model.name]?.shadowAgreed += 1
        } else {
            members[application]?.counters[part.model.name]?.shadowDisagreed += 1
        }
    }
}

extension Ensemble {
    /// Why there is no answer, where there is none: that of the only member, or that the deadline has come, or that of
    /// the first.
    fileprivate var failure: Outcome {
        let outcomes = members.compactMap(\.outcome)
        return outcomes.first { $0.defaultReason == .deadline } ?? outcomes.first ?? .defaultOutput(.noReplica)
    }
}
