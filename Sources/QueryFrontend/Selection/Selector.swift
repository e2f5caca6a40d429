package import ContainerRPC
import DequeModule

/// Chooses which models answer each query of those applications that have a policy, combines what comes by the deadline,
/// and learns from feedback (Clipper, NSDI 2017, section 5).
///
/// A value without I/O, beside the scheduler: a query goes in, one query for each chosen model comes out; their outcomes
/// go in, one answer comes out. The scheduler's deadline is that of the query, so by then each model's outcome has come,
/// whatever it is: nothing waits for stragglers. States that are not in memory are asked of the store; a query waits for
/// one for half of its time at most, feedback as long as it takes.
package struct Selector: Sendable {
    /// What is kept in memory.
    package struct Bounds: Hashable, Sendable {
        /// Users of each application whose states are in memory; the others' are in the store.
        package var usersInMemory: Int
        /// Queries that feedback can name.
        package var feedbackQueries: Int
        /// About what those may take, in bytes.
        package var feedbackBytes: Int
        /// How long it can.
        package var feedbackAge: Duration
        /// Inputs of feedback that the models of an application are asked for at a time: queries are to find room.
        package var feedbackInputs: Int

        package init(
            usersInMemory: Int = 50_000, feedbackQueries: Int = 100_000, feedbackBytes: Int = 128 << 20,
            feedbackAge: Duration = .seconds(600), feedbackInputs: Int = 64
        ) {
            self.usersInMemory = usersInMemory
            self.feedbackQueries = feedbackQueries
            self.feedbackBytes = feedbackBytes
            self.feedbackAge = feedbackAge
            self.feedbackInputs = feedbackInputs
        }
    }

    /// A model that an application is linked to, in its current version.
    package struct LinkedModel: Sendable, Hashable {
        package var name: String
        /// "name:version"
        package var label: String
        package var handle: ModelHandle
        /// Whether its outputs may be kept and shared.
        package var caches: Bool
        /// It gets every query, and its answers are never returned.
        package var isShadow: Bool

        package init(name: String, label: String, handle: ModelHandle, caches: Bool, isShadow: Bool = false) {
            self.name = name
            self.label = label
            self.handle = handle
            self.caches = caches
            self.isShadow = isShadow
        }
    }

    /// An application that has a policy.
    struct Member: Sendable {
        let name: String
        /// What the application is answered where no model answers.
        var defaultOutput: String
        var settings: SelectionSettings
        /// What states are kept under: the policy's name and the loss, because what was learned by another is of no use.
        var origin: String
        var models: [LinkedModel]
        /// The names of those that can be chosen.
        var candidates: [String]
        var states: any LearnedStates
        var counters: [String: SelectionCounters] = [:]
        var feedback = FeedbackCounters()
        /// How much a loss may count for.
        var lossBound = LossBound()
        /// An output that a label could be compared with lately, where the loss is not zero-one.
        var comparable: String?
        /// Feedback whose input the models are asked for, and that which waits for its turn.
        var inputsUnderWay = 0
        var inputs: Deque<SelectedFeedback> = []
    }

    /// What can be expected of a model's replicas.
    package typealias ServingOf = (ModelHandle) -> Serving

    let bounds: Bounds
    var handlesByName: [String: ApplicationHandle] = [:]
    var members = HandleTable<ApplicationHandle, Member>()
    var random: SelectionRandom
    var ensembles: [UInt64: Ensemble] = [:]
    var nextEnsemble: UInt64 = 0
    var answered: AnsweredQueries
    /// What waits for the store, by what it waits for.
    var waiting: [StoreKey: [Waiting]] = [:]
    /// How many states are among that.
    var loads = 0
    /// How many answers to loads that are under way tell what is not so any more.
    var outdatedLoads: [StateKey: Int] = [:]
    /// Feedback ids that are being learned from, and those that came under the same id meanwhile.
    var running: [FeedbackKey: [SelectedFeedback]] = [:]
    /// Feedback that is being made durable.
    var committing: [UInt64: Lesson] = [:]
    var nextCommit: UInt64 = 0
    /// Counts the store's failures.
    package internal(set) var epoch: UInt64 = 0
    var nextPatience = MonotonicTime.distantFuture

    /// What is to be carried out.
    package internal(set) var effects = SelectorEffects()

    /// - Parameter seed: what policies draw follows from it.
    package init(bounds: Bounds = Bounds(), seed: UInt64) {
        self.bounds = bounds
        random = SelectionRandom(seed: seed)
        answered = AnsweredQueries(
            capacity: bounds.feedbackQueries, capacityBytes: bounds.feedbackBytes, age: bounds.feedbackAge)
    }

    /// Takes the queries that are to be sent, and leaves the other effects.
    package mutating func takeQueries() -> [Query] {
        defer { effects.queries = [] }
        return effects.queries
    }

    /// Forgets the effects but the queries, which are taken by themselves: they have been carried out.
    package mutating func clearEffects() {
        effects.clear()
    }

    /// When `tick` has something to do.
    package var deadline: MonotonicTime? {
        nextPatience == .distantFuture ? nil : nextPatience
    }

    // MARK: Applications

    /// An application has this policy and these models.
    ///
    /// - Parameter policy: the one that its settings describe, under the name that it is registered with.
    package mutating func setApplication(
        _ handle: ApplicationHandle, _ name: String, defaultOutput: String = "", _ settings: SelectionSettings,
        policy: any SelectionPolicy, policyName: String, models: [LinkedModel]
    ) {
        let candidates = models.filter { !$0.isShadow }.map(\.name)
        let origin = "\(policyName) \(settings.loss.rawValue)"
        if members[handle]?.origin == origin, members[handle]?.settings.policy == settings.policy {
            members[handle]?.defaultOutput = defaultOutput
            members[handle]?.settings = settings
            members[handle]?.models = models
            members[handle]?.candidates = candidates
        } else {
            let old = members[handle]
            let isSameLoss = old?.settings.loss == settings.loss
            var counters = old?.counters ?? [:]
            if old?.origin != origin {
                for name in counters.keys { counters[name]?.restartMean() }
            }
            members[handle] = Member(
                name: name, defaultOutput: defaultOutput, settings: settings, origin: origin, models: models,
                candidates: candidates,
                states: policy.states(usersInMemory: bounds.usersInMemory), counters: counters,
                feedback: old?.feedback ?? FeedbackCounters(),
                lossBound: isSameLoss ? old?.lossBound ?? LossBound() : LossBound(),
                comparable: isSameLoss ? old?.comparable : nil,
                inputsUnderWay: old?.inputsUnderWay ?? 0,
                inputs: old?.inputs ?? [])
        }
        handlesByName[name] = handle
        for model in models where members[handle]?.counters[model.name] == nil {
            members[handle]?.counters[model.name] = SelectionCounters()
        }
        request(.state(handle, nil))
    }

    /// An application has no policy any more, or is gone. What waited for its states goes on without.
    ///
    /// - Parameter serving: whether a model can answer the queries that waited; none can where the application is gone.
    package mutating func removeApplication(
        _ handle: ApplicationHandle, now: MonotonicTime, serving: ServingOf = { _ in .none }
    ) {
        guard let member = members[handle] else { return }
        let first =
            member.models.first { !$0.isShadow && serving($0.handle) == .answering }
            ?? member.models.first { !$0.isShadow && serving($0.handle) != .none }
        if let first {
            var queries: [SelectedQuery] = []
            for key in waiting.keys.filter({ $0.application == handle }) {
                waiting[key]?.removeAll { waiter in
                    guard case .query(let query, _) = waiter else { return false }
                    queries.append(query)
                    return true
                }
            }
            // As any query of an application without a policy; in one order, whatever that of a dictionary is.
            effects.queries += queries.sorted { $0.id < $1.id }.map { query in
                Query(waiter: query.waiter, model: first.handle, input: query.input, trace: query.trace)
            }
        }
        for case .state(_, let user) in waiting.keys.filter({ $0.application == handle }) {
            outdatedLoads[StateKey(application: member.name, user: user), default: 0] += 1
        }
        members[handle] = nil
        handlesByName[member.name] = nil
        for feedback in member.inputs { end(feedback, .notLearning) }
        for key in waiting.keys.filter({ $0.application == handle }).sorted(by: StoreKey.inOrder) {
            resume(key, now: now) { _ in .none }
        }
    }

    /// What an application was asked is of no use any more, and what models are asked for feedback on it.
    package mutating func forgetAnswered(of application: ApplicationHandle) {
        answered.forget(application)
        let asked = ensembles.filter { $0.value.waiter.application == application }
        for (number, ensemble) in asked.sorted(by: { $0.key < $1.key }) {
            guard case .feedback(let feedback) = ensemble.purpose else {
                ensembles[number]?.isForgotten = true
                continue
            }
            ensembles[number] = nil
            if ensemble.missingMembers > 0 { end(feedback, .notLearning) }
        }
    }

    /// Whether an application has a policy.
    package func handles(_ application: ApplicationHandle) -> Bool {
        members[application] != nil
    }

    // MARK: Time and the end

    /// What waits for the store gets its default output or is not learned: the frontend ends. Call it once every query
    /// that is under way has its outcome.
    package mutating func abandonAll() {
        for waiter in waiting.sorted(by: { StoreKey.inOrder($0.key, $1.key) }).flatMap(\.value) {
            switch waiter {
            case .query(let query, _):
                finishUnanswered(query.waiter, .answer(queryID: query.id), .defaultOutput(.stopping))
            case .feedback(let feedback): acknowledge(feedback, .stopping)
            case .learning(let feedback), .judging(_, _, let feedback): end(feedback, .stopping)
            case .report(_, let reply):
                reply(nil)
            }
        }
        waiting = [:]
        loads = 0
        for (_, lesson) in committing.sorted(by: { $0.key < $1.key }) { end(lesson.feedback, .stopping) }
        committing = [:]
        for handle in handlesByName.values.sorted(by: { $0.index < $1.index }) {
            for feedback in members[handle]?.inputs ?? [] { end(feedback, .stopping) }
            members[handle]?.inputs = []
        }
        // Those that have been begun since.
        for (_, ensemble) in ensembles.sorted(by: { $0.key < $1.key }) where ensemble.missingMembers > 0 {
            switch ensemble.purpose {
            case .answer: finishUnanswered(ensemble.waiter, ensemble.purpose, .defaultOutput(.stopping))
            case .feedback(let feedback): end(feedback, .stopping)
            }
        }
        ensembles = [:]
        effects.queries = []
    }

    /// Time has passed: queries that have waited for a state as long as they can go on with the application's.
    package mutating func tick(now: MonotonicTime, serving: ServingOf) {
        guard now >= nextPatience else { return }
        nextPatience = .distantFuture
        var impatient: [SelectedQuery] = []
        for key in Array(waiting.keys) {
            waiting[key]?.removeAll { waiter in
                guard case .query(let query, let until) = waiter else { return false }
                if until <= now {
                    impatient.append(query)
                    return true
                }
                nextPatience = min(nextPatience, until)
                return false
            }
        }
        // To look at all that waits takes time, too, while the disk hangs: a small part of all time, however much waits.
        nextPatience = max(nextPatience, now + .microseconds(waiting.count))
        // A dictionary's order is another in each process; what policies draw is to follow from the seed.
        for query in impatient.sorted(by: { $0.id < $1.id }) { choose(for: query, now: now, serving: serving) }
    }
}
