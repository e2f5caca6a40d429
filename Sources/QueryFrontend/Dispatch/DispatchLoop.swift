import ContainerRPC
import Logging

/// The dispatch thread's own state, and its turns: what has come goes into sessions and scheduler, what they decide
/// is carried out.
///
/// Everything in here belongs to that one thread. Nothing is decided here.
final class DispatchLoop {
    /// Messages that one turn reads at most, so that a flood of them does not keep queries waiting.
    private static let messagesPerTurn = 512

    /// Where containers connect, with the ports.
    let endpoints: [String]

    private let dispatcher: Dispatcher
    private let logger: Logger
    private let socket: Socket
    private let monitor: ConnectionMonitor
    private let descriptors: [Int32]
    private var message: ReceivedMessage

    private var sessions: ContainerSessions
    private var scheduler: Scheduler
    private var metrics: FrontendMetrics
    private var catalog = Catalog()
    private var completed: [ReplicaID: (batches: Int, queries: Int)] = [:]
    private var modelNames: [ModelHandle: ModelVersion] = [:]
    private var badMessageLog = LogLimit(interval: .milliseconds(100))

    private var inbox = Dispatcher.Inbox()
    private var sinks: [any OutcomeSink] = []
    private var deliveries: [[Delivery]] = []
    private var stopRequests: [CheckedContinuation<Void, Never>] = []

    init(
        _ configuration: Dispatcher.Configuration, dispatcher: Dispatcher, context: Context, logger: Logger
    ) throws(TransportError) {
        self.dispatcher = dispatcher
        self.logger = logger
        let socket = try Socket(.router, in: context)
        let monitor = try socket.monitor()
        var endpoints: [String] = []
        for endpoint in configuration.endpoints { endpoints.append(try socket.bind(endpoint)) }
        self.endpoints = endpoints
        descriptors = [dispatcher.wakeup.descriptor, try socket.descriptor(), try monitor.descriptor()]
        message = socket.makeMessage()
        self.socket = socket
        self.monitor = monitor
        sessions = ContainerSessions(timing: configuration.timing)
        scheduler = Scheduler(slotsPerReplica: configuration.slotsPerReplica, firstBatch: .random(in: 0 ... .max))
        metrics = FrontendMetrics(now: .now())
    }

    /// Works until stopped.
    func run() {
        while stopRequests.isEmpty {
            let more: Bool
            do {
                more = try turn()
            } catch {
                // Only a lack of descriptors or memory comes here. Queries still get their default in time.
                logger.critical("the RPC socket fails", metadata: ["error": "\(error)"])
                scheduler.tick(now: .now())
                deliverAnswers(now: .now())
                more = false
            }
            if !more, stopRequests.isEmpty { sleep() }
        }
        scheduler.abandonAll(.stopping)
        deliverAnswers(now: .now())
        for late in dispatcher.close() { sinks[late.sink].deliver(late.deliveries(.defaultOutput(.stopping))) }
        for request in stopRequests { request.resume() }
    }

    // MARK: Turns

    /// One turn. True when more is waiting already.
    private func turn() throws(TransportError) -> Bool {
        let now = MonotonicTime.now()
        takeInbox(now: now)
        try noteConnections()
        let isDrained = try receive(now: now)
        if isDrained { sessions.endLostConnections() }
        sessions.tick(now: now)
        try performSessionEffects(now: now)
        scheduler.tick(now: now)
        scheduler.dispatch(now: now)
        while !scheduler.dispatches.isEmpty { try send(now: now) }
        deliverAnswers(now: now)
        guard isDrained else { return true }
        return try socket.hasInput()
    }

    private func sleep() {
        guard dispatcher.prepareToSleep() else { return }
        let deadline = [scheduler.deadline, sessions.deadline].compactMap { $0 }.min()
        do {
            _ = try waitForInput(descriptors, timeout: deadline.map { $0 - .now() })
        } catch {
            logger.critical("the dispatch thread cannot wait", metadata: ["error": "\(error)"])
        }
        dispatcher.wokeUp()
    }

    private func takeInbox(now: MonotonicTime) {
        dispatcher.takeInbox(into: &inbox)
        for command in inbox.commands { perform(command, now: now) }
        for submission in inbox.submissions { submit(submission, now: now) }
    }

    private func submit(_ submission: Submission, now: MonotonicTime) {
        func query(_ item: Int, _ input: Payload, _ model: ModelHandle) -> Query {
            Query(
                ticket: Ticket(sink: submission.sink, request: submission.request, item: item),
                application: submission.application, model: model, input: input, arrived: submission.arrived,
                deadline: submission.deadline)
        }
        guard let model = submission.model else {
            for item in 0..<submission.inputs.count {
                deliver(
                    Delivery(request: submission.request, item: item, outcome: .defaultOutput(.noReplica)),
                    to: submission.sink, submission.application, arrived: submission.arrived, now: now)
            }
            return
        }
        switch submission.inputs {
        case .one(let input):
            scheduler.submit(query(0, input, model), now: now)
        case .many(let inputs):
            for (item, input) in inputs.enumerated() { scheduler.submit(query(item, input, model), now: now) }
        }
    }

    // MARK: Containers

    private func noteConnections() throws(TransportError) {
        while let event = try monitor.next() { sessions.note(event) }
    }

    /// Reads what has come from containers. True when nothing is left.
    private func receive(now: MonotonicTime) throws(TransportError) -> Bool {
        for _ in 0..<Self.messagesPerTurn {
            guard try socket.receive(into: &message) else { return true }
            let session = try currentSession(now: now)
            do {
                sessions.receive(try message.decodeContainerMessage(), from: session, now: now)
            } catch {
                sessions.receive(malformed: error, from: session, now: now)
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
            for effect in effects { try perform(effect, now: now) }
        }
    }

    private func perform(_ effect: ContainerSessions.Effect, now: MonotonicTime) throws(TransportError) {
        switch effect {
        case .send(let heartbeat, let peer):
            // One that does not read shows by other signs.
            if try socket.send(heartbeat, to: peer) == .unreachable { sessions.lose(peer) }
        case .completed(let replica, let response):
            complete(replica, response, now: now)
        case .added(let replica, let model, let inputType):
            let handle = dispatcher.handles.handle(for: model)
            modelNames[handle] = model
            scheduler.addReplica(replica, of: handle, inputType: inputType)
            completed[replica] = (0, 0)
            logAdded(model, inputType)
        case .removed(let replica, let model, let reason):
            let retried = scheduler.removeReplica(replica, now: now)
            completed[replica] = nil
            metrics.models[model]?.retries += retried
            metrics.replicasLost[reason.label, default: 0] += 1
            logger.warning(
                "replica lost: \(reason)", metadata: ["model": "\(model)", "queries sent elsewhere": "\(retried)"])
        case .badMessage(let peer, let replica, let problem):
            metrics.badMessages[problem.label, default: 0] += 1
            if let suppressed = badMessageLog.admit(now: now) {
                logger.warning(
                    "bad message from a container: \(problem)",
                    metadata: [
                        "peer": "\(peer)", "registered": "\(replica != nil)", "not logged before": "\(suppressed)",
                    ])
            }
        }
    }

    private func complete(_ replica: ReplicaID, _ response: PredictResponse, now: MonotonicTime) {
        let batch = scheduler.complete(batch: response.id, on: replica, response.outputs, now: now)
        guard let batch, let model = modelNames[batch.model] else { return }
        metrics.completed(batch.size, of: model, in: batch.duration, now: now)
        completed[replica]?.batches += 1
        completed[replica]?.queries += batch.size
    }

    private func logAdded(_ model: ModelVersion, _ inputType: InputType) {
        logger.info("replica added", metadata: ["model": "\(model)", "input type": "\(inputType)"])
        if let registered = catalog.models[model], registered.inputType != inputType {
            logger.warning(
                "the replica gets no queries: its input type is not the one that its model is registered with",
                metadata: ["model": "\(model)", "replica": "\(inputType)", "registered": "\(registered.inputType)"])
        }
    }

    // MARK: What the scheduler decided

    /// Sends the batches that are due. A replica that cannot be sent to is lost, and its queries go elsewhere.
    private func send(now: MonotonicTime) throws(TransportError) {
        let dispatches = scheduler.dispatches
        let answers = scheduler.answers
        for dispatch in dispatches {
            guard let peer = sessions.peer(of: dispatch.replica) else { continue }
            let outcome = try socket.sendRequest(
                id: dispatch.batch, inputType: dispatch.inputType, inputs: dispatch.inputs, to: peer)
            if outcome == .sent {
                sessions.sent(batch: dispatch.batch, inputCount: dispatch.inputs.count, to: dispatch.replica)
                metrics.queueingDelay.record(now - dispatch.oldestArrival)
            } else {
                sessions.lose(dispatch.replica)
            }
        }
        scheduler.clearEffects()
        deliver(answers, now: now)
        try performSessionEffects(now: now)
        scheduler.dispatch(now: now)
    }

    private func deliverAnswers(now: MonotonicTime) {
        let answers = scheduler.answers
        scheduler.clearEffects()
        deliver(answers, now: now)
        for sink in deliveries.indices where !deliveries[sink].isEmpty {
            sinks[sink].deliver(deliveries[sink])
            deliveries[sink].removeAll(keepingCapacity: true)
        }
    }

    private func deliver(_ answers: [Scheduler.Answer], now: MonotonicTime) {
        for answer in answers {
            let ticket = answer.ticket
            deliver(
                Delivery(request: ticket.request, item: ticket.item, outcome: answer.outcome), to: ticket.sink,
                answer.application, arrived: answer.arrived, now: now)
        }
    }

    private func deliver(
        _ delivery: Delivery, to sink: Int, _ application: ApplicationHandle, arrived: MonotonicTime,
        now: MonotonicTime
    ) {
        metrics.applications[application]?.record(delivery.outcome, after: now - arrived, now: now)
        deliveries[sink].append(delivery)
    }

    // MARK: Commands

    private func perform(_ command: Dispatcher.Command, now: MonotonicTime) {
        switch command {
        case .addSink(let sink, let continuation):
            sinks.append(sink)
            deliveries.append([])
            continuation.resume(returning: sinks.count - 1)
        case .publish(let new, let continuation):
            takeOver(new, now: now)
            continuation.resume()
        case .report(let continuation):
            continuation.resume(returning: report(now: now))
        case .stop(let continuation):
            stopRequests.append(continuation)
        }
    }

    private func takeOver(_ new: Catalog, now: MonotonicTime) {
        for id in catalog.models.keys where new.models[id] == nil {
            scheduler.removeModel(dispatcher.handles.handle(for: id))
            sessions.dismiss(id)
            metrics.models[id] = nil
        }
        for (id, model) in new.models where catalog.models[id] != model {
            let limit: BatchLimit =
                switch model.batchSize {
                case .adaptive: .adaptiveDefault
                case .fixed(let size): .fixed(size)
                }
            let handle = dispatcher.handles.handle(for: id)
            modelNames[handle] = id
            metrics.noteModel(id, now: now)
            scheduler.setModel(handle, inputType: model.inputType, limit: limit)
            sessions.recall(id)
        }
        for name in catalog.applications.keys where new.applications[name] == nil {
            metrics.applications[dispatcher.handles.handle(forApplication: name)] = nil
        }
        for name in new.applications.keys {
            metrics.noteApplication(dispatcher.handles.handle(forApplication: name), name, now: now)
        }
        catalog = new
    }

    private func report(now: MonotonicTime) -> DispatchReport {
        var report = DispatchReport(now: now)
        report.metrics = metrics
        report.catalog = catalog
        report.replicas = sessions.listings
        report.completed = completed
        for replica in report.replicas { report.inFlight[replica.id] = scheduler.inFlightCount(on: replica.id) }
        for id in catalog.models.keys {
            report.queued[id] = scheduler.queuedCount(of: dispatcher.handles.handle(for: id))
        }
        return report
    }
}
