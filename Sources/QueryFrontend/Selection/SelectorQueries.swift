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

extension Selector {
    /// The sink that tickets of an ensemble's queries name.
    package static let sink = -1
    /// States that queries wait for at most: where the disk is that late, more would only make everything later.
    static let mostLoads = 4096

    /// A query has come.
    package mutating func submit(_ query: SelectedQuery, now: MonotonicTime, serving: ServingOf) {
        if let missing = missingState(query.waiter.application, query.user),
            loads < Self.mostLoads || waiting[missing] != nil
        {
            // Half of its time for the store, the other half for the models.
            let until = query.waiter.arrived + (query.waiter.deadline - query.waiter.arrived) / 2
            if until > now { return wait(.query(query, until: until), for: missing) }
        }
        choose(for: query, now: now, serving: serving)
    }

    /// Chooses models for a query, and sends it to them.
    mutating func choose(for query: SelectedQuery, now: MonotonicTime, serving: ServingOf) {
        start(
            query.waiter, user: query.user, input: query.input, trace: query.trace,
            purpose: .answer(queryID: query.id), serving: serving)
    }

    /// Sends an input to the models that the policy chooses.
    ///
    /// - Returns: false where there is none, which has been told.
    @discardableResult
    mutating func start(
        _ waiter: Waiter, user: String?, input: Payload, trace: QueryTrace?, purpose: Ensemble.Purpose,
        serving: ServingOf
    ) -> Bool {
        guard let (parts, candidates) = parts(for: waiter.application, user: user, serving: serving) else {
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
        let ensemble = Ensemble(
            waiter: waiter, user: user, input: input, trace: trace, purpose: purpose, candidates: candidates,
            parts: parts, memberPlaces: 0..<memberCount, missingMembers: memberCount, missing: parts.count)
        ensembles[number] = ensemble
        // The same for all: only the model differs.
        let hash = parts.contains { $0.model.caches } ? CacheKey.hash(of: input) : 0
        for item in parts.indices { send(ensemble, number, to: item, inputHash: hash) }
        return true
    }

    /// Sends an ensemble's input to one of its models.
    private mutating func send(_ ensemble: Ensemble, _ number: UInt64, to item: Int, inputHash: Int) {
        let model = ensemble.parts[item].model
        var waiter = ensemble.waiter
        waiter.ticket = Ticket(sink: Self.sink, request: number, item: item)
        effects.queries.append(
            Query(
                waiter: waiter, model: model.handle, input: ensemble.input,
                key: model.caches
                    ? CacheKey(model: model.handle, input: ensemble.input, inputHash: inputHash) : nil,
                trace: ensemble.trace))
    }

    /// The models that a query goes to, those that answer first, and the names of all that it could have gone to; `nil`
    /// where none has a replica.
    ///
    /// - Parameter among: the names of those that it may go to; `nil`: all.
    private mutating func parts(
        for application: ApplicationHandle, user: String?, among: [String]? = nil, serving: ServingOf
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
        // Those whose replicas have not answered for long are asked where nobody else is there.
        var silent: [LinkedModel] = []
        for model in models {
            let expected = serving(model.handle)
            guard expected != .none else { continue }
            if model.isShadow {
                shadows.append(model)
            } else if among?.contains(model.name) ?? true {
                if expected == .silent { silent.append(model) } else { served.append(model) }
            }
        }
        if served.isEmpty { served = silent }
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
        _ number: UInt64, _ part: Int, _ outcome: Outcome, now: MonotonicTime, serving: ServingOf
    ) {
        guard let index = ensembles.index(forKey: number),
            ensembles.values[index].parts.indices.contains(part), ensembles.values[index].parts[part].outcome == nil
        else { return }
        ensembles.values[index].parts[part].outcome = outcome
        ensembles.values[index].missing -= 1
        let isMember = ensembles.values[index].memberPlaces.contains(part)
        if isMember {
            ensembles.values[index].missingMembers -= 1
            if outcome.defaultReason?.isOverload == true {
                if passOn(number, now: now, serving: serving) { return }
                ensembles.values[index].comeBack()
            }
        }
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
                endInput(of: ensemble.waiter.application, now: now, serving: serving)
            }
        }
    }

    /// How often one query is passed on: each time costs a choice, and where everybody has too much to do those are many.
    private static let mostPasses = 8

    /// The model that a policy has chosen turns the query away, because it has too much to do: the query goes to another
    /// one, as if that model had no replica, and feedback is on the choice among the others.
    ///
    /// Else that model would seem the best of all: what is turned away may be judged by nobody, and only its successes
    /// would count. A policy that learns nothing means what it chooses, and an ensemble goes on with its other members.
    ///
    /// - Returns: false where there is nobody to pass it on to.
    private mutating func passOn(_ number: UInt64, now: MonotonicTime, serving: ServingOf) -> Bool {
        guard let ensemble = ensembles[number], !ensemble.isForgotten, ensemble.memberPlaces.count == 1,
            now < ensemble.waiter.deadline, ensemble.turnedAway.count < Self.mostPasses,
            members[ensemble.waiter.application]?.states.learns == true
        else { return false }
        // One that watches has the query already.
        let asked = ensemble.parts.map(\.model.name)
        let others = ensemble.candidates.filter { !asked.contains($0) }
        guard !others.isEmpty,
            let (parts, candidates) = parts(
                for: ensemble.waiter.application, user: ensemble.user, among: others, serving: serving),
            let next = parts.first, parts.count(where: { $0.probability != nil }) == 1
        else { return false }
        let place = ensemble.parts.count
        ensembles[number]?.firstCandidates = ensemble.firstCandidates ?? ensemble.candidates
        ensembles[number]?.candidates = candidates
        ensembles[number]?.parts.append(next)
        ensembles[number]?.memberPlaces = place..<place + 1
        ensembles[number]?.missing += 1
        ensembles[number]?.missingMembers += 1
        if case .answer = ensemble.purpose {
            members[ensemble.waiter.application]?.counters[next.model.name]?.chosen += 1
        }
        guard let passed = ensembles[number] else { return false }
        send(passed, number, to: place, inputHash: next.model.caches ? CacheKey.hash(of: passed.input) : 0)
        return true
    }

    /// All members have answered, or the deadline has come.
    private mutating func combine(_ ensemble: Ensemble, _ number: UInt64, id: UInt64, now: MonotonicTime) {
        let application = ensemble.waiter.application
        countStragglers(of: ensemble)
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
        let combined = combination.places(of: outputs)
        for place in combined { members[application]?.counters[answers.models[place]]?.combined += 1 }
        let models = combined.map { ensemble.members[ensemble.memberPlaces.lowerBound + $0].model.label }
        effects.answers.append(
            SelectorEffects.Answer(
                waiter: ensemble.waiter,
                outcome: isSure ? .output(output.bytes) : .defaultOutput(.lowConfidence),
                combined: settings.policy == .standard
                    ? nil : Combined(models: models, confidence: combination.confidence)))
        // What the application is answered, whatever the models have said.
        let answer = isSure ? output : ModelOutput(members[application]?.defaultOutput ?? "")
        for part in ensemble.parts where part.probability == nil { compare(part, with: answer, in: application) }
        if ensemble.missing > 0 { ensembles[number]?.answer = answer }
        keep(ensemble, id: id, output: isSure ? combination.output : nil, combined: combined, now: now)
    }

    /// Notes a query, so that feedback can name it. Where nothing is learned, none does.
    private mutating func keep(
        _ ensemble: Ensemble, id: UInt64, output: Combination.Output?, combined: [Int] = [], now: MonotonicTime
    ) {
        guard !ensemble.isForgotten, members[ensemble.waiter.application]?.settings.isStandard == false else { return }
        if let query = judged(ensemble, output: output, combined: combined) {
            answered.insert(query, id: id, now: now)
        }
    }

    /// What feedback has to know of an ensemble; `nil` where its application has no policy any more.
    ///
    /// - Parameter combined: the places among the members of those whose answers the output is made of.
    func judged(
        _ ensemble: Ensemble, output: Combination.Output?, combined: [Int] = []
    ) -> AnsweredQueries.Answered? {
        guard members[ensemble.waiter.application] != nil else { return nil }
        var asked = ensemble.parts.indices.map { place in
            let part = ensemble.parts[place]
            // Whoever turned the query away and was passed over is as one that could not be chosen.
            let isMember = ensemble.memberPlaces.contains(place)
            return AnsweredQueries.Answered.Member(
                model: part.model.name, probability: isMember ? part.probability.map { Float($0) } : nil,
                output: part.output?.text,
                hasFailed: (isMember || part.probability == nil) && part.outcome?.defaultReason?.isModels == true)
        }
        let first = ensemble.memberPlaces.lowerBound
        for place in combined { asked[first + place].isCombined = true }
        var output = output
        if case .answer(let place) = output { output = .answer(first + place) }
        return AnsweredQueries.Answered(
            application: ensemble.waiter.application, user: ensemble.user, members: asked,
            candidates: ensemble.candidates, output: output)
    }

    /// No model has answered: whoever asked gets the outcome, and feedback that this was computed for teaches nothing.
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

    private mutating func countStragglers(of ensemble: Ensemble) {
        for part in ensemble.members + ensemble.turnedAway where part.outcome?.defaultReason?.isLateness == true {
            members[ensemble.waiter.application]?.counters[part.model.name]?.straggled += 1
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
