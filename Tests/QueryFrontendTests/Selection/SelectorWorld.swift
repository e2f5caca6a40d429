import ContainerRPC
import Foundation

@testable import QueryFrontend

/// A selector with one application, models that answer when a test says so, and a store that is a dictionary.
struct SelectorWorld {
    static let application = ApplicationHandle(index: 0)

    var selector: Selector
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    /// The models, by their handles.
    var models: [String]
    /// Those that have no replica.
    var unserved: Set<String> = []
    /// Those whose replicas have not answered for long.
    var silent: Set<String> = []
    /// Queries that models have not answered, by the model's name.
    var asked: [(model: String, query: Query)] = []
    var answers: [UInt64: SelectorEffects.Answer] = [:]
    var results: [UInt64: FeedbackResult] = [:]
    /// What the store keeps, as bytes: whatever is read from it has been written to it.
    var kept: [StateKey: (policy: String, state: Data)] = [:]
    var counted: Set<String> = []
    /// What the store is asked and has not done.
    var requests: [SelectionStoreRequest] = []
    /// The store does nothing until it is told to.
    var isStoreSlow = false
    /// The store fails to write.
    var isStoreFull = false
    private let defaultOutput: String
    private var settings: SelectionSettings
    private var nextRequest: UInt64 = 0

    init(
        _ policy: String = "exp3", models: [String] = ["a", "b"], _ parameters: [String: PolicyDescription.Value] = [:],
        loss: Loss = .zeroOne, minConfidence: Double = 0, shadows: [String] = [], defaultOutput: String = "",
        bounds: Selector.Bounds = Selector.Bounds()
    ) throws {
        selector = Selector(bounds: bounds, seed: 7)
        self.models = models
        self.defaultOutput = defaultOutput
        settings = SelectionSettings(
            policy: PolicyDescription(policy, parameters), loss: loss, minConfidence: minConfidence, shadows: shadows)
        try link(models)
    }

    /// The application is linked to these models.
    mutating func link(_ linked: [String], version: Int = 1) throws {
        for name in linked where !models.contains(name) { models.append(name) }
        let links = linked.map { name in
            Selector.LinkedModel(
                name: name, label: "\(name):\(version)", handle: handle(of: name), caches: false,
                isShadow: settings.shadows.contains(name))
        }
        selector.setApplication(
            Self.application, "app", defaultOutput: defaultOutput, settings,
            policy: try SelectionPolicies.standard.policy(for: settings.policy), policyName: settings.policy.name,
            models: links)
        settle()
    }

    /// The application has another policy from now on.
    mutating func set(_ settings: SelectionSettings) throws {
        self.settings = settings
        try link(models)
    }

    private func handle(of model: String) -> ModelHandle {
        ModelHandle(index: models.firstIndex(of: model) ?? -1)
    }

    private func waiter(for slo: Duration) -> Waiter {
        Waiter(
            ticket: Ticket(sink: 0, request: nextRequest, item: 0), application: Self.application, arrived: now,
            deadline: now + slo)
    }

    /// A query comes; its number is its id too.
    @discardableResult
    mutating func predict(_ input: Double = 1, user: String? = nil, slo: Duration = .milliseconds(100)) -> UInt64 {
        let number = nextRequest
        let query = SelectedQuery(
            waiter: waiter(for: slo), id: number, input: Self.payload(input), user: user)
        nextRequest += 1
        with { selector, now, serving in selector.submit(query, now: now, serving: serving) }
        return number
    }

    /// Feedback comes.
    @discardableResult
    mutating func update(_ subject: SelectedFeedback.Subject, user: String? = nil, id: String? = nil) -> UInt64 {
        let number = nextRequest
        let feedback = SelectedFeedback(waiter: waiter(for: .seconds(5)), subject: subject, user: user, id: id)
        nextRequest += 1
        with { selector, now, serving in selector.submit(feedback, now: now, serving: serving) }
        return number
    }

    static func payload(_ value: Double) -> Payload {
        InputValues(elements: .float64([value]), rowEnds: [1]).payloads[0]
    }

    /// A model answers its oldest query.
    mutating func answer(_ model: String, _ output: String) {
        finish(model, .output(ArraySlice(output.utf8)))
    }

    /// A model's oldest query has this outcome.
    mutating func finish(_ model: String, _ outcome: Outcome) {
        guard let place = asked.firstIndex(where: { $0.model == model }) else { return }
        let ticket = asked.remove(at: place).query.waiter.ticket
        with { selector, now, serving in
            selector.finish(ticket.request, ticket.item, outcome, now: now, serving: serving)
        }
    }

    /// All models answer all queries: with its name, or as told.
    mutating func answerAll(_ output: (String) -> String = { $0 }) {
        while let next = asked.first { answer(next.model, output(next.model)) }
    }

    /// Time passes.
    mutating func wait(_ duration: Duration) {
        now += duration
        with { selector, now, serving in selector.tick(now: now, serving: serving) }
    }

    /// The store does what it was asked.
    mutating func runStore() {
        while !requests.isEmpty {
            let batch = requests
            requests = []
            for request in batch { perform(request) }
        }
    }

    private mutating func perform(_ request: SelectionStoreRequest) {
        switch request {
        case .load(let key, let policy, let decode):
            let state = kept[key].flatMap { $0.policy == policy ? decode($0.state) : nil }
            receive(.loaded(key, policy: policy, state))
        case .check(let feedback, let application):
            receive(.checked(feedback: feedback, application: application, hasCounted: counted.contains(feedback)))
        case .commit(let commit):
            guard !isStoreFull else {
                return receive(.failed([commit.number], epoch: commit.epoch, "the disk is full"))
            }
            for state in commit.states {
                guard let bytes = try? JSONEncoder().encode(state.value) else { continue }
                kept[state.key] = (commit.policy, bytes)
            }
            if let feedback = commit.feedback { counted.insert(feedback) }
            receive(.committed([commit.number]))
        case .remove(let key, let reply):
            if key.user == nil { kept = kept.filter { $0.key.application != key.application } }
            kept[key] = nil
            reply(nil)
        }
    }

    mutating func receive(_ answer: SelectionStoreAnswer) {
        with { selector, now, serving in selector.receive(answer, now: now, serving: serving) }
    }

    /// A frontend begins anew with what this one's store keeps.
    mutating func restart() throws {
        selector = Selector(seed: 8)
        asked = []
        requests = []
        try link(models)
    }

    mutating func with(_ body: (inout Selector, MonotonicTime, Selector.ServingOf) -> Void) {
        let served = models.map { !unserved.contains($0) }
        let isSilent = models.map(silent.contains)
        body(&selector, now) { model in
            guard served.indices.contains(model.index), served[model.index] else { return .none }
            return isSilent[model.index] ? .silent : .answering
        }
        settle()
    }

    private mutating func settle() {
        let queries = selector.takeQueries()
        let effects = selector.effects
        selector.clearEffects()
        for query in queries { asked.append((models[query.model.index], query)) }
        for answer in effects.answers { answers[answer.waiter.ticket.request] = answer }
        for acknowledgement in effects.acknowledgements {
            results[acknowledgement.ticket.request] = acknowledgement.result
        }
        requests += effects.storeRequests
        if !isStoreSlow { runStore() }
    }

    // MARK: What came of it

    /// The output that a query was answered; `nil` where it was the default, or nothing yet.
    func output(_ query: UInt64) -> String? {
        guard case .output(let bytes) = answers[query]?.outcome else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    func reason(_ query: UInt64) -> DefaultReason? {
        answers[query]?.outcome.defaultReason
    }

    func counters(of model: String) -> SelectionCounters {
        report()?.models.first { $0.name == model }?.counters ?? SelectionCounters()
    }

    func report(user: String? = nil) -> SelectionReport? {
        selector.report(on: Self.application, user: user) { unserved.contains(models[$0.index]) ? .none : .answering }
    }

    /// What a model counts for a user.
    func weight(of model: String, for user: String? = nil) -> Double {
        guard let report = report(user: user), let place = report.models.firstIndex(where: { $0.name == model }) else {
            return -1
        }
        return report.weights()[place] ?? -1
    }
}
