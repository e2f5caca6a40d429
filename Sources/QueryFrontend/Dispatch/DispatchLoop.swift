import ContainerRPC
import Logging

/// The dispatch thread's own state, and its turns: what has come goes into sessions and scheduler, what they decide
/// is carried out.
///
/// Everything in here belongs to that one thread. Nothing is decided here.
final class DispatchLoop {
    /// Messages that one turn reads at most, so that a flood of them does not keep queries waiting.
    private static let messagesPerTurn = 512
    /// How often one turn sends what its answers have made room for, so that a flood of feedback does not either.
    private static let roundsPerTurn = 4
    /// After how long it is tried again at the latest when the socket has failed.
    private static let retryPause = Duration.milliseconds(100)
    /// Inputs that are brought near the processor at most before a turn takes them.
    private static let prefetchedInputs = 512

    /// Where containers connect, with the ports.
    let endpoints: [String]

    let dispatcher: Dispatcher
    private var log: DispatchLog
    private let socket: Socket
    private let monitor: ConnectionMonitor
    /// What wakes the thread; without the socket's where messages may gather.
    private let descriptors: [Int32]
    private let descriptorsWithoutSocket: [Int32]
    private var message: ReceivedMessage

    var sessions: ContainerSessions
    var scheduler: Scheduler
    var selector: Selector
    private let keeper: StateKeeper
    let policies: SelectionPolicies
    var metrics: FrontendMetrics
    var catalog = Catalog()
    var completed: [ReplicaID: (batches: Int, queries: Int)] = [:]
    /// Replicas whose containers are to end once they have answered everything.
    var toBeStopped: Set<ReplicaID> = []
    var modelNames: [ModelHandle: ModelVersion] = [:]
    /// What applications take.
    var applicationTypes: [ApplicationHandle: InputType] = [:]
    var unregistered = UnregisteredReplicas()
    private var heartbeats = HeartbeatGathering()
    private var flood = FloodWatch()
    /// When what has failed is tried again: messages that were left wake nobody.
    private var retryAt: MonotonicTime?
    /// When queries were last taken.
    private var lastTaken: MonotonicTime?

    private var inbox = Dispatcher.Inbox()
    private var backlog = SubmissionBacklog()
    var sinks: [any OutcomeSink] = []
    var deliveries: [[Delivery]] = []
    var acknowledgements: [[SelectorEffects.Acknowledgement]] = []
    var stopRequests: [CheckedContinuation<Void, Never>] = []

    init(
        _ configuration: Dispatcher.Configuration, store: any SelectionStore, policies: SelectionPolicies,
        dispatcher: Dispatcher, context: Context, logger: Logger
    ) throws(TransportError) {
        self.dispatcher = dispatcher
        log = DispatchLog(logger: logger)
        self.policies = policies
        keeper = StateKeeper(store: store, logger: logger) { dispatcher.receive($0) }
        let socket = try Socket(.router, in: context)
        let monitor = try socket.monitor()
        var endpoints: [String] = []
        for endpoint in configuration.endpoints { endpoints.append(try socket.bind(endpoint)) }
        self.endpoints = endpoints
        descriptorsWithoutSocket = [dispatcher.wakeup.descriptor, try monitor.descriptor()]
        descriptors = descriptorsWithoutSocket + [try socket.descriptor()]
        message = socket.makeMessage()
        self.socket = socket
        self.monitor = monitor
        sessions = ContainerSessions(timing: configuration.timing)
        scheduler = Scheduler(bounds: configuration.bounds, firstBatch: .random(in: 0 ... .max))
        selector = Selector(bounds: configuration.selection, seed: .random(in: 0 ... .max))
        metrics = FrontendMetrics(now: .now())
        keeper.start()
    }

    /// Works until stopped.
    ///
    /// - Returns: who waits for the end.
    func run() -> [CheckedContinuation<Void, Never>] {
        while stopRequests.isEmpty {
            let more: Bool
            do {
                more = try turn()
            } catch {
                // Only a lack of descriptors or memory comes here. Queries still get their default in time.
                log.socketFails(error, now: .now())
                scheduler.tick(now: .now())
                deliverAnswers(now: .now())
                more = false
                retryAt = .now() + Self.retryPause
            }
            if !more, stopRequests.isEmpty { sleep() }
            retryAt = nil
        }
        scheduler.abandonAll(.stopping)
        deliverAnswers(now: .now())
        // What is being written is written, and told, before the rest is refused.
        keeper.stop()
        let late = dispatcher.close()
        for answer in late.storeAnswers where answer.isOfCommits {
            selector.receive(answer, now: .now()) { _ in false }
        }
        selector.abandonAll()
        deliverAnswers(now: .now())
        sessions.sayGoodbye(Goodbye(.stopping, reason: "the query frontend stops"))
        // Whoever cannot be told sees it by the end of the connection.
        try? performSessionEffects(now: .now())
        for (submission, items) in backlog.removeAll() {
            sinks[submission.sink].deliver(Array(submission.deliveries(.defaultOutput(.stopping))[items]))
        }
        for query in late.queries { sinks[query.sink].deliver(query.deliveries(.defaultOutput(.stopping))) }
        for feedback in late.feedback { refuse(feedback) }
        return stopRequests
    }

    // MARK: Turns

    /// One turn. True when more is waiting already.
    private func turn() throws(TransportError) -> Bool {
        let now = MonotonicTime.now()
        takeInbox(now: now)
        try noteConnections()
        let isDrained = try receive(now: now)
        // After a long stall, heartbeats may still be waiting to be read: nobody is given up before they have been.
        if flood.endsWait(isDrained: isDrained, now: now) {
            sessions.endLostConnections()
            sessions.tick(now: now)
        }
        try performSessionEffects(now: now)
        if !toBeStopped.isEmpty {
            releaseDrained()
            try performSessionEffects(now: now)
        }
        selector.tick(now: now) { scheduler.isServed($0) }
        scheduler.tick(now: now)
        // An answer can make room for the next input of feedback, and that can be answered at once.
        for _ in 0..<Self.roundsPerTurn {
            submitSelected(now: now)
            scheduler.dispatch(now: now)
            while !scheduler.effects.dispatches.isEmpty { try send(now: now) }
            deliverAnswers(now: now)
            if selector.effects.queries.isEmpty { break }
        }
        guard isDrained, selector.effects.queries.isEmpty, backlog.isEmpty else { return true }
        return try socket.hasInput()
    }

    private func sleep() {
        let now = MonotonicTime.now()
        let arrivals = ArrivalGathering(lastTaken: lastTaken, openings: scheduler.openings, now: now)
        guard dispatcher.prepareToSleep(arrivals) else { return }
        let pauseEnd = heartbeats.pauseEnd(sessions: sessions.count, now: now, isAtRest: scheduler.isAtRest)
        let ends = [scheduler.deadline, sessions.deadline, selector.deadline, pauseEnd, arrivals?.end, retryAt]
        let deadline = ends.compactMap { $0 }.min()
        do {
            _ = try waitForInput(
                pauseEnd == nil ? descriptors : descriptorsWithoutSocket, timeout: deadline.map { $0 - .now() })
        } catch {
            log.cannotWait(error)
        }
        dispatcher.wokeUp()
    }

    private func takeInbox(now: MonotonicTime) {
        dispatcher.takeInbox(into: &inbox)
        for hit in inbox.hits { count(hit, now: now) }
        for command in inbox.commands { perform(command, now: now) }
        for answer in inbox.storeAnswers { selector.receive(answer, now: now) { scheduler.isServed($0) } }
        if !inbox.submissions.isEmpty { lastTaken = now }
        for submission in inbox.submissions { backlog.append(submission) }
        backlog.forEachUpcomingKey(Self.prefetchedInputs) { scheduler.prefetch(keyHash: $0.hash, of: $0.model) }
        backlog.takeTurn { submit($0, $1, now: now) }
        for feedback in inbox.feedback { selector.submit(feedback, now: now) { scheduler.isServed($0) } }
        submitSelected(now: now)
    }

    private func submit(_ submission: Submission, _ items: Range<Int>, now: MonotonicTime) {
        func waiter(_ item: Int) -> Waiter {
            Waiter(
                ticket: Ticket(sink: submission.sink, request: submission.request, item: item),
                application: submission.application, arrived: submission.arrived, deadline: submission.deadline)
        }
        func answer(_ outcome: Outcome) {
            for item in items { deliver(SchedulerEffects.Answer(waiter: waiter(item), outcome: outcome), now: now) }
        }
        // The application, or its model, was deleted on the way, and registered again for other inputs.
        if let taken = applicationTypes[submission.application], taken != submission.inputType {
            return answer(.defaultOutput(.modelDeleted))
        }
        if submission.selects, selector.handles(submission.application) {
            for item in items {
                let query = SelectedQuery(
                    waiter: waiter(item), id: submission.firstQueryID + UInt64(item), input: submission.inputs[item],
                    user: submission.user, trace: submission.trace)
                selector.submit(query, now: now) { scheduler.isServed($0) }
            }
            return
        }
        guard let model = submission.model else { return answer(.defaultOutput(.noReplica)) }
        if let taken = scheduler.inputType(of: model), taken != submission.inputType {
            return answer(.defaultOutput(.modelDeleted))
        }
        switch submission.inputs {
        case .one(let input):
            submit(
                Query(
                    waiter: waiter(0), model: model, input: input, key: submission.keys.first,
                    trace: submission.trace), now: now)
        case .many(let inputs):
            for item in items {
                let key = submission.keys.isEmpty ? nil : submission.keys[item]
                submit(
                    Query(
                        waiter: waiter(item), model: model, input: inputs[item], key: key, trace: submission.trace),
                    now: now)
            }
        }
    }

    /// Sends the queries on their way that policies have chosen models for.
    func submitSelected(now: MonotonicTime) {
        guard !selector.effects.queries.isEmpty else { return }
        for query in selector.takeQueries() { submit(query, now: now) }
    }

    private func submit(_ query: Query, now: MonotonicTime) {
        guard let key = query.key else { return scheduler.submit(query, now: now) }
        metrics.noteLookup(of: query.model)
        if let output = dispatcher.cache.output(for: key) {
            metrics.noteHit(of: query.model)
            deliver(SchedulerEffects.Answer(waiter: query.waiter, outcome: .output(output)), now: now)
        } else {
            scheduler.submit(query, now: now)
        }
    }

    /// An event loop has answered a query from the cache.
    private func count(_ hit: CacheHit, now: MonotonicTime) {
        metrics.noteLookup(of: hit.model)
        metrics.noteHit(of: hit.model)
        metrics.applications[hit.application]?.record(.output([]), after: hit.latency, now: now)
    }

    // MARK: Containers

    private func noteConnections() throws(TransportError) {
        while let event = try monitor.next() { sessions.note(event) }
    }

    /// Reads what has come from containers. True when nothing is left.
    private func receive(now: MonotonicTime) throws(TransportError) -> Bool {
        for _ in 0..<Self.messagesPerTurn {
            guard try socket.receive(into: &message) else { return true }
            heartbeats.noteRead(now: now)
            let session = try currentSession(now: now)
            do {
                sessions.receive(
                    try message.decodeContainerMessage(offersVersion4: sessions.offersVersion4(session)), from: session,
                    now: now)
            } catch {
                sessions.receive(
                    malformed: error, isRegistration: RPC4.isRegistration(message), from: session, now: now)
            }
        }
        return false
    }

    private func currentSession(now: MonotonicTime) throws(TransportError) -> ContainerSessions.SessionID {
        let descriptor = message.sourceDescriptor
        if let descriptor, let known = sessions.session(by: descriptor), message.isFrom(known.peer) { return known.id }
        do {
            return try sessions.session(with: message.routingID, by: descriptor, now: now) { sessions in
                while let event = try monitor.next() { sessions.note(event) }
            }
        } catch let error as TransportError {
            throw error
        } catch {
            preconditionFailure("draining the monitor throws TransportError alone: \(error)")
        }
    }

    private func performSessionEffects(now: MonotonicTime) throws(TransportError) {
        // Carrying one out can bring about others. Taken out first, none is carried out twice, should one fail.
        while !sessions.effects.isEmpty {
            let effects = sessions.effects
            sessions.clearEffects()
            for (index, effect) in effects.enumerated() {
                do {
                    try perform(effect, now: now)
                } catch {
                    sessions.putBack(effects[(index + 1)...])
                    throw error
                }
            }
        }
    }

    private func perform(_ effect: ContainerSessions.Effect, now: MonotonicTime) throws(TransportError) {
        switch effect {
        case .send(let message, let version, let peer):
            // One that does not read shows by other signs.
            if try socket.send(message, in: version, to: peer) == .unreachable { sessions.lose(peer) }
        case .completed(let replica, let response):
            complete(replica, response, now: now)
        case .failed(let replica, let failure):
            fail(replica, failure, now: now)
        case .added(let replica, let registration):
            if let handle = dispatcher.handles.knownHandle(for: registration.model) {
                schedule(replica, registration, of: handle, now: now)
            } else {
                unregistered.add(replica, registration)
            }
            completed[replica] = (0, 0)
            log.added(registration, registered: catalog.models[registration.model]?.inputType, now: now)
        case .leaving(let replica):
            unregistered.remove(replica)
            scheduler.setLeaving(replica)
        case .removed(let replica, let model, let reason):
            unregistered.remove(replica)
            let retried = scheduler.removeReplica(replica, now: now)
            completed[replica] = nil
            toBeStopped.remove(replica)
            metrics.replicasLost[reason.label, default: 0] += 1
            log.removed(model, reason, retried: retried, now: now)
        case .badMessage(let peer, let replica, let problem):
            metrics.badMessages[problem.label, default: 0] += 1
            log.badMessage(from: peer, isRegistered: replica != nil, problem, now: now)
        }
    }

    func schedule(_ replica: ReplicaID, _ registration: Registration, of model: ModelHandle, now: MonotonicTime) {
        modelNames[model] = registration.model
        scheduler.addReplica(
            replica, of: model, inputType: registration.inputType,
            capacity: ReplicaCapacity(of: registration.details), now: now)
    }

    private func complete(_ replica: ReplicaID, _ response: PredictResponse, now: MonotonicTime) {
        let outputs = response.outputs.rendered
        for error in outputs.errors.prefix(1) {
            log.failed(error.code, error.text, of: sessions.model(of: replica), now: now)
        }
        let batch = scheduler.complete(
            batch: response.id, on: replica, outputs, computeTime: response.computeTime, now: now)
        guard let batch else { return }
        metrics.completed(batch.size, of: batch.model, in: batch.duration, now: now)
        completed[replica]?.batches += 1
        completed[replica]?.queries += batch.size
    }

    private func fail(_ replica: ReplicaID, _ failure: BatchFailure, now: MonotonicTime) {
        log.failed(failure.code, failure.reason, of: sessions.model(of: replica), now: now)
        scheduler.fail(
            batch: failure.id, on: replica, failure.code, failure.reason ?? failure.code.description, now: now)
    }

    // MARK: What the scheduler decided

    /// Sends the batches that are due. A replica that cannot be sent to is lost, and its queries go elsewhere.
    private func send(now: MonotonicTime) throws(TransportError) {
        let effects = scheduler.effects
        scheduler.clearEffects()
        do {
            try send(effects.dispatches, now: now)
        } catch {
            // What has been decided is known nowhere else. Of its batches nobody knows which have left.
            carryOut(effects, now: now)
            for dispatch in effects.dispatches { sessions.lose(dispatch.replica) }
            throw error
        }
        carryOut(effects, now: now)
        try performSessionEffects(now: now)
        scheduler.dispatch(now: now)
    }

    private func send(_ dispatches: [SchedulerEffects.Dispatch], now: MonotonicTime) throws(TransportError) {
        for dispatch in dispatches {
            guard let peer = sessions.peer(of: dispatch.replica) else { continue }
            let outcome = try socket.sendRequest(
                id: dispatch.batch, inputType: dispatch.inputType, inputs: dispatch.inputs,
                budget: dispatch.expires - now, trace: dispatch.trace?.context,
                in: peer.version, to: peer.id)
            if outcome == .sent {
                sessions.sent(batch: dispatch.batch, inputCount: dispatch.inputs.count, to: dispatch.replica)
                metrics.sent(arrivals: dispatch.arrivals, of: dispatch.model, now: now)
            } else {
                sessions.lose(dispatch.replica)
            }
        }
    }

    private func deliverAnswers(now: MonotonicTime) {
        let effects = scheduler.effects
        scheduler.clearEffects()
        carryOut(effects, now: now)
        for sink in deliveries.indices where !deliveries[sink].isEmpty {
            sinks[sink].deliver(deliveries[sink])
            deliveries[sink].removeAll(keepingCapacity: true)
        }
        for sink in acknowledgements.indices where !acknowledgements[sink].isEmpty {
            sinks[sink].acknowledge(acknowledgements[sink])
            acknowledgements[sink].removeAll(keepingCapacity: true)
        }
    }

    /// What the scheduler decided besides batches.
    private func carryOut(_ effects: SchedulerEffects, now: MonotonicTime) {
        for answer in effects.answers { deliver(answer, now: now) }
        carryOutSelection(now: now)
        for computed in effects.computed { dispatcher.cache.insert(computed.output, for: computed.key) }
        for notice in effects.notices { log.notice(notice) { modelNames[$0] } }
    }

    private func deliver(_ answer: SchedulerEffects.Answer, now: MonotonicTime) {
        let waiter = answer.waiter
        guard waiter.ticket.sink != Selector.sink else {
            return selector.finish(waiter.ticket.request, waiter.ticket.item, answer.outcome, now: now) {
                scheduler.isServed($0)
            }
        }
        metrics.applications[waiter.application]?.record(answer.outcome, after: now - waiter.arrived, now: now)
        deliveries[waiter.ticket.sink].append(
            Delivery(request: waiter.ticket.request, item: waiter.ticket.item, outcome: answer.outcome))
    }

    /// What the selector decided besides queries.
    private func carryOutSelection(now: MonotonicTime) {
        guard !selector.effects.isEmpty else { return }
        for answer in selector.effects.answers {
            let waiter = answer.waiter
            metrics.applications[waiter.application]?.record(answer.outcome, after: now - waiter.arrived, now: now)
            deliveries[waiter.ticket.sink].append(
                Delivery(
                    request: waiter.ticket.request, item: waiter.ticket.item, outcome: answer.outcome,
                    combined: answer.combined))
        }
        for acknowledgement in selector.effects.acknowledgements {
            acknowledgements[acknowledgement.ticket.sink].append(acknowledgement)
        }
        if !selector.effects.storeRequests.isEmpty { keeper.take(selector.effects.storeRequests) }
        selector.clearEffects()
    }

    private func refuse(_ feedback: SelectedFeedback) {
        sinks[feedback.waiter.ticket.sink].acknowledge([
            SelectorEffects.Acknowledgement(ticket: feedback.waiter.ticket, result: .stopping)
        ])
    }
}
