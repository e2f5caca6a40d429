package import ContainerRPC

/// What the dispatch thread decides: sessions with containers, scheduler, policies and cache, and the order in which a turn
/// carries events from one to the other.
///
/// A value without I/O. A turn brings what has come, in this order: commands, what the store has answered, queries and
/// feedback (`takeQueries`), connection events and messages (`sessions`). It calls `advance`, carries out `effects`, and
/// goes on with `goOn` while that brings about more. The dispatch thread does so over sockets, and a simulation over
/// simulated ones.
package struct DispatchCore {
    package struct Configuration: Sendable {
        package var timing = SessionTiming.standard
        /// Containers that may be connected.
        package var mostConnections: Int
        package var bounds = Scheduler.Bounds()
        package var selection = Selector.Bounds()

        package init(
            timing: SessionTiming = .standard, mostConnections: Int = .max,
            bounds: Scheduler.Bounds = Scheduler.Bounds(), selection: Selector.Bounds = Selector.Bounds()
        ) {
            self.timing = timing
            self.mostConnections = mostConnections
            self.bounds = bounds
            self.selection = selection
        }
    }

    /// How often one turn carries out what has come of carrying out, so that a flood of feedback keeps nobody waiting.
    package static let roundsPerTurn = 4
    /// Inputs that one turn takes at most.
    package static let inputsPerTurn = SubmissionBacklog.inputsPerTurn
    /// Inputs that are brought near the processor at most before a turn takes them.
    private static let prefetchedInputs = 512

    package var sessions: ContainerSessions
    package internal(set) var scheduler: Scheduler
    package var selector: Selector
    package var effects = DispatchEffects()
    /// The scheduler's of the turn before, which have been taken up.
    private var spentEffects = SchedulerEffects()
    package let cache: SharedPredictionCache
    let handles: Handles
    let policies: SelectionPolicies
    private let tellsQueries: Bool
    var metrics: FrontendMetrics
    var catalog = Catalog()
    /// Answered batches and queries of each replica.
    var completed: [ReplicaID: ReplicaCounts] = [:]
    /// Replicas whose containers are to end once they have answered everything.
    var toBeStopped: Set<ReplicaID> = []
    /// What applications take.
    var applicationTypes: [ApplicationHandle: InputType] = [:]
    var unregistered = UnregisteredReplicas()
    private var flood = FloodWatch()
    private var backlog = SubmissionBacklog()

    /// - Parameters:
    ///   - firstBatch: where the ids of batches begin; a random one keeps late answers to an earlier frontend from being
    ///     taken for answers to this one.
    ///   - seed: what policies draw follows from it.
    ///   - tellsQueries: tell also of what happens many times a second, which only a simulation's oracle wants to know.
    package init(
        _ configuration: Configuration, handles: Handles, cache: SharedPredictionCache, policies: SelectionPolicies,
        firstBatch: UInt32, seed: UInt64, tellsQueries: Bool = false, now: MonotonicTime
    ) {
        sessions = ContainerSessions(
            timing: configuration.timing, mostConnections: configuration.mostConnections,
            patience: configuration.bounds.patience)
        scheduler = Scheduler(bounds: configuration.bounds, firstBatch: firstBatch)
        selector = Selector(bounds: configuration.selection, seed: seed)
        metrics = FrontendMetrics(now: now)
        self.tellsQueries = tellsQueries
        self.handles = handles
        self.cache = cache
        self.policies = policies
    }

    /// Takes a number for a sink, by which submissions name it.
    package mutating func addSink() -> Int {
        effects.deliveries.append([])
        effects.acknowledgements.append([])
        return effects.deliveries.count - 1
    }

    // MARK: A turn

    /// When a turn is due at the latest, though nothing comes.
    package var deadline: MonotonicTime? {
        [scheduler.deadline, sessions.deadline, selector.deadline].compactMap { $0 }.min()
    }

    /// Whether there is more to do at once than one turn did.
    package var hasMore: Bool { !backlog.isEmpty || !isSettled || sessions.hasLosses }

    /// The store of learned states has answered.
    package mutating func receive(_ answer: SelectionStoreAnswer, now: MonotonicTime) {
        selector.receive(answer, now: now, serving: scheduler.served.serving(of:))
    }

    /// Takes queries and feedback that have come; of queries as many as one turn takes.
    package mutating func takeQueries(_ submissions: [Submission], _ feedback: [SelectedFeedback], now: MonotonicTime) {
        for submission in submissions { backlog.append(submission) }
        backlog.forEachUpcomingKey(Self.prefetchedInputs) { scheduler.prefetch(keyHash: $0.hash, of: $0.model) }
        var turn = backlog.beginTurn()
        while let (submission, items) = backlog.next(in: &turn, now: now) { submit(submission, items, now: now) }
        for feedback in feedback { submit(feedback, now: now) }
        submitChosen(now: now)
    }

    /// Everything has come: decides what follows.
    ///
    /// - Parameters:
    ///   - isDrained: whether every message that was waiting has been read.
    ///   - judges: whether what has come can be among those by now, so that whoever was not heard has been silent.
    /// - Returns: whether those who are lost or silent have been given up. After a long stall, heartbeats may still be
    ///   waiting to be read: nobody is given up before they have been.
    @discardableResult
    package mutating func advance(isDrained: Bool, judges: Bool = true, now: MonotonicTime) -> Bool {
        let givesUp = flood.endsWait(isDrained: isDrained, now: now)
        if givesUp {
            sessions.endLostConnections()
            if judges { sessions.tick(now: now) }
        }
        takeUpSessions(now: now)
        if !toBeStopped.isEmpty {
            releaseDrained()
            takeUpSessions(now: now)
        }
        selector.tick(now: now, serving: scheduler.served.serving(of:))
        // Nor is anybody called stuck, or late, whose answer may be among what has not been read.
        scheduler.tick(judgesReplicas: givesUp && judges, now: now)
        decide(now: now)
        if !toBeStopped.isEmpty {
            // Those who waited for what a stuck one has may just have been answered, and nothing may come for long.
            releaseDrained()
            takeUpSessions(now: now)
        }
        return givesUp
    }

    /// Decides what follows from what was carried out: containers that could not be sent to are lost, and an answer can
    /// make room for the next input of feedback.
    ///
    /// - Returns: whether there was anything.
    package mutating func goOn(now: MonotonicTime) -> Bool {
        if isSettled { return false }
        takeUpSessions(now: now)
        decide(now: now)
        return true
    }

    private var isSettled: Bool { sessions.effects.isEmpty && selector.effects.queries.isEmpty }

    /// When a query has to be looked after at the latest.
    var queryDeadline: MonotonicTime? {
        [scheduler.deadline, selector.deadline].compactMap { $0 }.min()
    }

    /// Messages cannot be read or sent for now. Queries still get their default in time.
    mutating func expire(now: MonotonicTime) {
        selector.tick(now: now, serving: scheduler.served.serving(of:))
        submitChosen(now: now)
        scheduler.tick(judgesReplicas: false, now: now)
        takeUpScheduler(now: now)
    }

    private mutating func decide(now: MonotonicTime) {
        submitChosen(now: now)
        scheduler.dispatch(now: now)
        takeUpScheduler(now: now)
    }

    // MARK: Queries

    private mutating func submit(_ submission: Submission, _ items: Range<Int>, now: MonotonicTime) {
        // The application, or its model, was deleted on the way, and registered again for other inputs.
        if let taken = applicationTypes[submission.application], taken != submission.inputType {
            return answer(submission, items, .defaultOutput(.modelDeleted), now: now)
        }
        // Whoever waits for many waits for the last of them: what comes too late for a model costs no more of its time.
        if case .many = submission.inputs, submission.deadline <= now {
            return answer(submission, items, .defaultOutput(.deadline), now: now)
        }
        if submission.selects, selector.handles(submission.application) {
            for item in items {
                let query = SelectedQuery(
                    waiter: submission.waiter(item), id: submission.firstQueryID + UInt64(item),
                    input: submission.inputs[item], user: submission.user, trace: submission.trace)
                selector.submit(query, now: now, serving: scheduler.served.serving(of:))
            }
            return
        }
        guard let model = submission.model else {
            return answer(submission, items, .defaultOutput(.noReplica), now: now)
        }
        if let taken = scheduler.inputType(of: model), taken != submission.inputType {
            return answer(submission, items, .defaultOutput(.modelDeleted), now: now)
        }
        switch submission.inputs {
        case .one(let input):
            submit(
                Query(
                    waiter: submission.waiter(0), model: model, input: input, key: submission.keys.first,
                    trace: submission.trace), now: now)
        case .many(let inputs):
            for item in items {
                let key = submission.keys.isEmpty ? nil : submission.keys[item]
                submit(
                    Query(
                        waiter: submission.waiter(item), model: model, input: inputs[item], key: key,
                        trace: submission.trace), now: now)
            }
        }
    }

    private mutating func submit(_ feedback: SelectedFeedback, now: MonotonicTime) {
        if let type = feedback.inputType, let taken = applicationTypes[feedback.waiter.application], taken != type {
            // As with queries.
            let ticket = feedback.waiter.ticket
            return effects.acknowledgements[ticket.sink].append(
                SelectorEffects.Acknowledgement(ticket: ticket, result: .notLearning))
        }
        selector.submit(feedback, now: now, serving: scheduler.served.serving(of:))
    }

    private mutating func answer(
        _ submission: Submission, _ items: Range<Int>, _ outcome: Outcome, now: MonotonicTime
    ) {
        for item in items {
            deliver(SchedulerEffects.Answer(waiter: submission.waiter(item), outcome: outcome), now: now)
        }
    }

    /// Sends the queries on their way that policies have chosen models for.
    private mutating func submitChosen(now: MonotonicTime) {
        guard !selector.effects.queries.isEmpty else { return }
        for query in selector.takeQueries() {
            if tellsQueries { effects.events.append(.chosen(query)) }
            submit(query, now: now)
        }
    }

    private mutating func submit(_ query: Query, now: MonotonicTime) {
        guard let key = query.key else { return scheduler.submit(query, now: now) }
        metrics.noteLookup(of: query.model)
        if let output = cache.output(for: key) {
            metrics.noteHit(of: query.model)
            deliver(
                SchedulerEffects.Answer(waiter: query.waiter, outcome: .output(output)), isCached: true, now: now)
        } else {
            scheduler.submit(query, now: now)
        }
    }

    /// An event loop has answered a query from the cache.
    mutating func count(_ hit: CacheHit, now: MonotonicTime) {
        metrics.noteLookup(of: hit.model)
        metrics.noteHit(of: hit.model)
        metrics.applications[hit.application]?.record(.output([]), after: hit.latency, now: now)
    }

    // MARK: What follows

    mutating func takeUpSessions(now: MonotonicTime) {
        while !sessions.effects.isEmpty {
            let effects = sessions.effects
            sessions.clearEffects()
            for effect in effects { takeUp(effect, now: now) }
        }
    }

    private mutating func takeUp(_ effect: ContainerSessions.Effect, now: MonotonicTime) {
        switch effect {
        case .send(let message, let version, let peer):
            effects.messages.append(DispatchEffects.Message(message: message, version: version, peer: peer))
        case .completed(let replica, let response):
            complete(replica, response, now: now)
        case .failed(let replica, let failure):
            effects.events.append(.failed(replica, failure))
            if failure.code.isReplicas { noteFailure(of: replica) }
            scheduler.fail(
                batch: failure.id, on: replica, failure.code, failure.reason ?? failure.code.description, now: now)
        case .added(let replica, let registration, let number):
            completed[replica] = ReplicaCounts()
            let taken = catalog.models[registration.model]?.inputType
            effects.events.append(.added(replica, registration, number: number, taken: taken))
            if let handle = handles.knownHandle(for: registration.model) {
                schedule(replica, registration, of: handle, now: now)
            } else {
                unregistered.add(replica, registration)
            }
        case .leaving(let replica):
            effects.events.append(.leaving(replica))
            unregistered.remove(replica)
            scheduler.setLeaving(replica)
        case .drains(let replica):
            effects.events.append(.drains(replica))
            set(.begin, replica)
        case .removed(let replica, _, let reason):
            unregistered.remove(replica)
            let retried = scheduler.removeReplica(replica, now: now)
            completed[replica] = nil
            toBeStopped.remove(replica)
            metrics.replicasLost[reason.label, default: 0] += 1
            effects.events.append(.removed(replica, reason, retried: retried))
        case .refused(let registration, let refusal):
            metrics.refusedRegistrations[refusal.code.label, default: 0] += 1
            if let registration { effects.events.append(.refused(registration, refusal)) }
        case .badMessage(let peer, let replica, let problem):
            metrics.badMessages[problem.label, default: 0] += 1
            effects.events.append(.badMessage(from: peer, replica: replica, problem))
        case .cut(let descriptor, let isExcess):
            effects.cuts.append(descriptor)
            // Else it is told of its message.
            guard isExcess else { break }
            metrics.cutConnections += 1
            effects.events.append(.cut(connections: sessions.connections.count))
        }
    }

    mutating func schedule(
        _ replica: ReplicaID, _ registration: Registration, of model: ModelHandle, now: MonotonicTime
    ) {
        scheduler.addReplica(
            replica, of: model, inputType: registration.inputType,
            capacity: ReplicaCapacity(of: registration.details), now: now)
    }

    private mutating func complete(_ replica: ReplicaID, _ response: PredictResponse, now: MonotonicTime) {
        if tellsQueries { effects.events.append(.completed(replica, response)) }
        let outputs = response.outputs.rendered
        // Where a model has failed, that is told rather than what it refused.
        if let error = outputs.errors.first(where: { $0.code.isReplicas }) ?? outputs.errors.first {
            effects.events.append(.inputFailed(replica, error.code, error.text))
            if outputs.errors.contains(where: { $0.code.isReplicas }) { noteFailure(of: replica) }
        }
        let batch = scheduler.complete(
            batch: response.id, on: replica, outputs, computeTime: response.computeTime, now: now)
        guard let batch else { return }
        metrics.completed(batch.size, of: batch.model, in: batch.duration, now: now)
        completed[replica]?.batches += 1
        completed[replica]?.queries += batch.size
    }

    /// A replica has failed for a batch, or for some of its inputs.
    private mutating func noteFailure(of replica: ReplicaID) {
        completed[replica]?.failedBatches += 1
        if let model = scheduler.model(of: replica) { metrics.noteFailure(of: model) }
    }

    /// Takes up what the scheduler has decided.
    private mutating func takeUpScheduler(now: MonotonicTime) {
        var decided = SchedulerEffects()
        swap(&decided, &spentEffects)
        scheduler.exchangeEffects(&decided)
        for dispatch in decided.dispatches {
            guard let peer = sessions.peer(of: dispatch.replica) else { continue }
            sessions.sent(batch: dispatch.batch, inputCount: dispatch.inputs.count, to: dispatch.replica, now: now)
            // Should it turn out that it cannot be sent, its queries have waited until now all the same.
            metrics.sent(arrivals: dispatch.arrivals, of: dispatch.model, now: now)
            effects.batches.append(
                DispatchEffects.Batch(dispatch: dispatch, version: peer.version, peer: peer.id))
        }
        for answer in decided.answers { deliver(answer, now: now) }
        for computed in decided.computed { cache.insert(computed.output, for: computed.key) }
        for replica in decided.givenUp {
            sessions.giveUp(replica, drains: scheduler.isDraining(replica), now: now)
        }
        for notice in decided.notices { effects.events.append(.noticed(notice)) }
        decided.clear()
        swap(&decided, &spentEffects)
        takeUpSelector(now: now)
    }

    private mutating func deliver(_ answer: SchedulerEffects.Answer, isCached: Bool = false, now: MonotonicTime) {
        let waiter = answer.waiter
        guard waiter.ticket.sink != Selector.sink else {
            if tellsQueries { effects.events.append(.finished(waiter.ticket, answer.outcome, isCached: isCached)) }
            return selector.finish(
                waiter.ticket.request, waiter.ticket.item, answer.outcome, now: now,
                serving: scheduler.served.serving(of:))
        }
        handOver(answer.outcome, to: waiter, now: now)
    }

    private mutating func handOver(
        _ outcome: Outcome, to waiter: Waiter, combined: Combined? = nil, now: MonotonicTime
    ) {
        metrics.applications[waiter.application]?.record(outcome, after: now - waiter.arrived, now: now)
        effects.deliveries[waiter.ticket.sink].append(
            Delivery(
                request: waiter.ticket.request, item: waiter.ticket.item, outcome: outcome, combined: combined))
    }

    /// Takes up what policies have decided besides queries.
    private mutating func takeUpSelector(now: MonotonicTime) {
        for answer in selector.effects.answers {
            handOver(answer.outcome, to: answer.waiter, combined: answer.combined, now: now)
        }
        for acknowledgement in selector.effects.acknowledgements {
            effects.acknowledgements[acknowledgement.ticket.sink].append(acknowledgement)
        }
        effects.storeRequests += selector.effects.storeRequests
        selector.clearEffects()
    }

    // MARK: The end

    /// The frontend ends: every query that is under way gets the default. What is being written is written, and told,
    /// before the rest is refused.
    package mutating func abandonQueries(now: MonotonicTime) {
        scheduler.abandonAll(.stopping)
        takeUpScheduler(now: now)
    }

    /// The store has ended, too: what waits for it is refused, and containers are told that the frontend goes.
    ///
    /// - Parameter answers: what it has said last.
    package mutating func abandonAll(_ answers: [SelectionStoreAnswer], now: MonotonicTime) {
        for answer in answers where answer.isOfCommits { selector.receive(answer, now: now) { _ in .none } }
        selector.abandonAll()
        takeUpSelector(now: now)
        for (submission, items) in backlog.removeAll() {
            effects.deliveries[submission.sink] += submission.deliveries(.defaultOutput(.stopping))[items]
        }
        sessions.sayGoodbye(Goodbye(.stopping, reason: "the query frontend stops"))
        takeUpSessions(now: now)
    }
}
