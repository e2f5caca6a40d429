import ContainerRPC
import Logging

/// The dispatch thread's turns over its socket: what has come goes into the core, what that decides is carried out.
///
/// Everything in here belongs to that one thread. Nothing is decided here.
final class DispatchLoop {
    /// Messages that one turn reads at most, so that a flood of them does not keep queries waiting.
    private static let messagesPerTurn = 512
    /// Frames that it reads at most, but for those of its last message: a message can have any number.
    private static let framesPerTurn = 8192
    /// After how long it is tried again at the latest when the socket has failed.
    private static let retryPause = Duration.milliseconds(100)

    /// Where containers connect, with the ports.
    let endpoints: [String]

    private let dispatcher: Dispatcher
    private var log: DispatchLog
    private let socket: Socket
    private let monitor: ConnectionMonitor
    /// What wakes the thread; without the socket's where messages may gather.
    private let descriptors: [Int32]
    private let descriptorsWithoutSocket: [Int32]
    private var message: ReceivedMessage
    private let keeper: StateKeeper

    var core: DispatchCore
    private var inbox = Dispatcher.Inbox()
    /// By their numbers in the core.
    var sinks: [any OutcomeSink] = []
    var stopRequests: [CheckedContinuation<Void, Never>] = []

    private var heartbeats = HeartbeatGathering()
    private var stalls = StallWatch()
    /// When what has failed is tried again: messages that were left wake nobody.
    private var retryAt: MonotonicTime?
    /// When queries were last taken.
    private var lastTaken: MonotonicTime?

    init(
        _ configuration: Dispatcher.Configuration, store: any SelectionStore, policies: SelectionPolicies,
        dispatcher: Dispatcher, context: Context, logger: Logger
    ) throws(TransportError) {
        self.dispatcher = dispatcher
        log = DispatchLog(logger: logger)
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
        core = DispatchCore(
            configuration.core, handles: dispatcher.handles, cache: dispatcher.cache, policies: policies,
            firstBatch: .random(in: 0 ... .max), seed: .random(in: 0 ... .max), now: .now())
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
                // Only a lack of descriptors or memory comes here.
                log.socketFails(error, now: .now())
                core.expire(now: .now())
                deliver(now: .now())
                more = false
                retryAt = .now() + Self.retryPause
            }
            if !more, stopRequests.isEmpty { sleep() }
            retryAt = nil
        }
        end()
        return stopRequests
    }

    private func end() {
        core.abandonQueries(now: .now())
        deliver(now: .now())
        keeper.stop()
        let late = dispatcher.close()
        core.abandonAll(late.storeAnswers, now: .now())
        // Whoever cannot be told sees it by the end of the connection.
        try? send(now: .now())
        deliver(now: .now())
        for query in late.queries { sinks[query.sink].deliver(query.deliveries(.defaultOutput(.stopping))) }
        for feedback in late.feedback {
            let ticket = feedback.waiter.ticket
            sinks[ticket.sink].acknowledge([SelectorEffects.Acknowledgement(ticket: ticket, result: .stopping)])
        }
    }

    // MARK: Turns

    /// One turn. True when more is waiting already.
    private func turn() throws(TransportError) -> Bool {
        let now = MonotonicTime.now()
        stalls.look(now: now)
        takeInbox(now: now)
        try noteConnections()
        let isDrained = try receive(now: now)
        core.advance(isDrained: isDrained, judges: stalls.judges(now: now), now: now)
        var rounds = 0
        repeat {
            // Whoever waits hears of it even where the socket fails: what has been decided is known nowhere else.
            defer { deliver(now: now) }
            try send(now: now)
            rounds += 1
        } while rounds < DispatchCore.roundsPerTurn && core.goOn(now: now)
        guard isDrained, !core.hasMore else { return true }
        return try socket.hasInput()
    }

    private func sleep() {
        let now = MonotonicTime.now()
        stalls.look(now: now)
        let arrivals = ArrivalGathering(
            lastTaken: lastTaken, openings: core.scheduler.openings, models: core.scheduler.inUse, now: now)
        guard dispatcher.prepareToSleep(arrivals) else { return }
        let pauseEnd = heartbeats.pauseEnd(
            sessions: core.sessions.count, now: now, isAtRest: core.scheduler.isAtRest)
        // Where the socket fails, nothing but queries' deadlines is looked after before it is tried again; nor is it while
        // nobody is to be judged.
        let due = retryAt == nil && stalls.pauseEnd == nil ? core.deadline : core.queryDeadline
        let deadline = [due, pauseEnd, arrivals?.end, retryAt ?? stalls.pauseEnd].compactMap { $0 }.min()
        stalls.sleep(until: deadline)
        do {
            _ = try waitForInput(
                pauseEnd == nil ? descriptors : descriptorsWithoutSocket, timeout: deadline.map { $0 - .now() })
        } catch {
            log.cannotWait(error, now: now)
        }
        dispatcher.wokeUp()
    }

    private func takeInbox(now: MonotonicTime) {
        dispatcher.takeInbox(into: &inbox)
        for hit in inbox.hits { core.count(hit, now: now) }
        perform(inbox.commands, now: now)
        for answer in inbox.storeAnswers { core.receive(answer, now: now) }
        if !inbox.submissions.isEmpty { lastTaken = now }
        core.takeQueries(inbox.submissions, inbox.feedback, now: now)
    }

    // MARK: Containers

    private func noteConnections() throws(TransportError) {
        while let event = try monitor.next() { core.sessions.note(event) }
    }

    /// Reads what has come from containers. True when nothing is left.
    private func receive(now: MonotonicTime) throws(TransportError) -> Bool {
        var frames = 0
        for _ in 0..<Self.messagesPerTurn where frames < Self.framesPerTurn {
            guard try socket.receive(into: &message) else { return true }
            heartbeats.noteRead(now: now)
            frames += message.frameCount
            let session = try currentSession(now: now)
            if message.frameCount > ContainerSessions.usualFrames,
                core.sessions.isBeyondBounds(frames: message.frameCount)
            {
                core.sessions.receive(
                    beyondBounds: message.frameCount, from: session, by: message.sourceDescriptor, now: now)
                continue
            }
            do {
                let offersVersion4 = core.sessions.offersVersion4(session)
                core.sessions.receive(
                    try message.decodeContainerMessage(offersVersion4: offersVersion4), from: session, now: now)
            } catch {
                core.sessions.receive(
                    malformed: error, isRegistration: RPC4.isRegistration(message), from: session, now: now)
            }
        }
        return false
    }

    private func currentSession(now: MonotonicTime) throws(TransportError) -> ContainerSessions.SessionID {
        let descriptor = message.sourceDescriptor
        if let descriptor, let known = core.sessions.session(by: descriptor), message.isFrom(known.peer) {
            return known.id
        }
        do {
            return try core.sessions.session(with: message.routingID, by: descriptor, now: now) { sessions in
                while let event = try monitor.next() { sessions.note(event) }
            }
        } catch let error as TransportError {
            throw error
        } catch {
            preconditionFailure("draining the monitor throws TransportError alone: \(error)")
        }
    }

    // MARK: What the core has decided

    /// Sends what is to be sent. A container that cannot be sent to is lost, and its queries go elsewhere.
    private func send(now: MonotonicTime) throws(TransportError) {
        // It may be gone by now, and its descriptor another connection's.
        if !core.effects.cuts.isEmpty { try noteConnections() }
        for descriptor in core.effects.takeCuts() where core.sessions.connections.isCut(descriptor) {
            socket.cutConnection(descriptor, to: endpoints)
        }
        let (messages, batches) = core.effects.takeSendings()
        var sent = 0
        do {
            for message in messages {
                sent += 1
                // One that does not read shows by other signs.
                let outcome = try socket.send(message.message, in: message.version, to: message.peer)
                if outcome == .unreachable { core.sessions.lose(message.peer) }
            }
            for batch in batches { try send(batch, now: now) }
        } catch {
            core.effects.putBack(messages[sent...])
            // Of the batches nobody knows which have left.
            for batch in batches { core.sessions.lose(batch.dispatch.replica) }
            throw error
        }
    }

    private func send(_ batch: DispatchEffects.Batch, now: MonotonicTime) throws(TransportError) {
        let dispatch = batch.dispatch
        let outcome = try socket.sendRequest(
            id: dispatch.batch, inputType: dispatch.inputType, inputs: dispatch.inputs,
            budget: dispatch.expires - now, trace: dispatch.trace?.context, in: batch.version, to: batch.peer)
        if outcome != .sent { core.sessions.lose(dispatch.replica) }
    }

    /// Hands over what has been decided for others.
    private func deliver(now: MonotonicTime) {
        for sink in core.effects.deliveries.indices where !core.effects.deliveries[sink].isEmpty {
            sinks[sink].deliver(core.effects.deliveries[sink])
            core.effects.deliveries[sink].removeAll(keepingCapacity: true)
        }
        for sink in core.effects.acknowledgements.indices where !core.effects.acknowledgements[sink].isEmpty {
            sinks[sink].acknowledge(core.effects.acknowledgements[sink])
            core.effects.acknowledgements[sink].removeAll(keepingCapacity: true)
        }
        if !core.effects.storeRequests.isEmpty { keeper.take(core.effects.takeStoreRequests()) }
        if !core.effects.events.isEmpty {
            for event in core.effects.takeEvents() { log.note(event, now: now) }
        }
    }
}
