import ContainerRPC
import Logging

/// The thread that owns a container's socket: carries events to the session and carries out its actions.
final class ContainerLoop: Sendable {
    private enum Event: Sendable {
        case finished(BatchWorker.Job, BatchWorker.Done)
        case stop(reason: String)
    }

    private let configuration: ContainerConfiguration
    private let context: Context
    private let model: ModelContainer.Model
    private let logger: Logger
    private let inbox = Locked<[Event]>([])
    private let wakeup: Wakeup

    init(
        _ configuration: ContainerConfiguration, model: ModelContainer.Model, context: Context, logger: Logger
    ) throws(TransportError) {
        self.configuration = configuration
        self.model = model
        self.context = context
        self.logger = logger
        wakeup = try Wakeup()
    }

    /// Ends the container after the batches that it has read; a second time ends it at once, whatever its model does.
    ///
    /// - Parameter reason: why, for whoever reads the frontend's log.
    func stop(_ reason: String) {
        post(.stop(reason: reason))
    }

    private func post(_ event: Event) {
        inbox.withLock { $0.append(event) }
        wakeup.signal()
    }

    /// Serves until stopped. Blocks the calling thread.
    func run() throws {
        let worker = BatchWorker(model) { [weak self] job, done in self?.post(.finished(job, done)) }
        var connection: Connection? = nil
        var session = ContainerSession(configuration.registration, now: .now(), timing: configuration.timing)
        var ended = false
        /// How often it was told to stop.
        var stops = 0
        let isInProcess = configuration.endpoint.hasPrefix("inproc://")

        /// Carries out an action, and those that follow from it at once.
        func perform(_ action: ContainerSession.Action) throws {
            switch action {
            case .none:
                break
            case .open:
                logger.debug("connecting", metadata: ["frontend": "\(configuration.endpoint)"])
                connection = try Connection(to: configuration.endpoint, offering: session.offered, in: context)
                if isInProcess {
                    // There is no handshake to wait for, and no event of one.
                    try perform(session.connected(now: .now()))
                }
            case .send(let message):
                logSending(message)
                if case .newContainer = message { worker.beginSession(session.number) }
                guard let outcome = try connection?.socket.send(message, in: session.version) else { return }
                if outcome != .sent {
                    logger.debug("the frontend cannot be reached", metadata: ["outcome": "\(outcome)"])
                }
            case .run(let request):
                worker.run(
                    BatchWorker.Job(
                        request: request, session: session.number, canFail: session.version == .four,
                        expires: request.budget.map { .now() + $0 }))
            case .close(let reason):
                worker.beginSession(session.number)
                connection = nil
                logger.warning("session ended: \(reason)", metadata: ["frontend": "\(configuration.endpoint)"])
            case .finish(let last):
                // The last answers may take a moment to leave, also those that were sent before.
                if stops < 2 { try connection?.socket.setLinger(.seconds(5)) }
                if let last { _ = try connection?.socket.send(last, in: session.version) }
                connection = nil
                ended = true
            }
        }

        while !ended {
            for event in inbox.withLock({ exchange(&$0, with: []) }) {
                switch event {
                case .stop(let reason):
                    stops += 1
                    logger.info(stops == 1 ? "stopping after the batches in hand" : "stopping at once")
                    try perform(session.stop(Goodbye(.stopping, reason: reason), now: .now()))
                case .finished(let job, let done):
                    logFailure(of: job, done.result)
                    let hasFailed = done.isFailure(in: session.version)
                    if hasFailed, session.version == .three, isInProcess, job.session == session.number {
                        // A frontend in this process sees no connection end. An answer without outputs is one that it
                        // cannot take: it gives the session up, too. (Others than ours may end at such an answer.)
                        try perform(.send(.response(PredictResponse(id: job.request.id, outputs: []))))
                    }
                    try perform(
                        session.finished(
                            batch: job.request.id, ofSession: job.session, done.result.asBatchResult,
                            computeTime: done.computeTime, now: .now()))
                }
            }
            while let event = try connection?.monitor.next() {
                switch event {
                case .ready: try perform(session.connected(now: .now()))
                case .disconnected: try perform(session.disconnected(now: .now()))
                case .accepted: break
                }
            }
            // Bounded, so that a flood of messages does not keep answers and heartbeats waiting.
            for _ in 0..<256 {
                guard session.isReading, try connection?.receive() == true else { break }
                try perform(connection?.handOver(to: &session) ?? .none)
            }
            let due = session.tick(now: .now())
            try perform(due)
            if ended { break }
            // A monitor that has never been read does not show in its descriptor.
            if due == .open { continue }

            var descriptors = [wakeup.descriptor]
            if session.isReading, let open = try connection?.descriptors() {
                // The socket's descriptor is edge-triggered: what came since the last read does not show there.
                guard open.idle else { continue }
                descriptors += [open.socket, open.monitor]
            } else if let open = try connection?.descriptors() {
                descriptors.append(open.monitor)
            }
            let ready = try waitForInput(descriptors, timeout: session.deadline.map { $0 - .now() })
            if ready[0] { wakeup.clear() }
        }
        logger.info("stopped")
    }

    private func logSending(_ message: ContainerMessage) {
        switch message {
        case .newContainer(let registration):
            logger.info("registering as \(registration)", metadata: ["frontend": "\(configuration.endpoint)"])
        case .goodbye:
            logger.info("taking leave of the frontend")
        case .heartbeat, .response, .failure, .notice:
            logger.trace("sending", metadata: ["message": "\(message)"])
        }
    }

    private func logFailure(of job: BatchWorker.Job, _ result: Result<Outputs, any Error>) {
        switch result {
        case .success(let outputs):
            guard let first = outputs.errors.first else { return }
            logger.error(
                "the model failed: \(first.text)",
                metadata: [
                    "batch": "\(job.request.id)", "inputs": "\(job.request.inputs.count)",
                    "failed": "\(outputs.errors.count)",
                ])
        case .failure(ContainerError.tooLate(let delay)):
            logger.debug("batch refused: too late", metadata: ["batch": "\(job.request.id)", "by": "\(delay)"])
        case .failure(let error):
            logger.error(
                "batch failed: \(error)",
                metadata: ["batch": "\(job.request.id)", "inputs": "\(job.request.inputs.count)"])
        }
    }
}

/// One session's socket with its monitor and the message being read.
private struct Connection: ~Copyable {
    let socket: Socket
    let monitor: ConnectionMonitor
    private var message: ReceivedMessage

    init(to endpoint: String, offering version: RPCVersion, in context: Context) throws(TransportError) {
        let socket = try Socket(.dealer, in: context)
        if version == .four {
            var generator = SystemRandomNumberGenerator()
            try socket.setRoutingID(.offeringVersion4(using: &generator))
        }
        let monitor = try socket.monitor()
        try socket.connect(endpoint)
        message = socket.makeMessage()
        self.socket = socket
        self.monitor = monitor
    }

    mutating func receive() throws(TransportError) -> Bool {
        try socket.receive(into: &message)
    }

    func handOver(to session: inout ContainerSession) -> ContainerSession.Action {
        do {
            let content = try message.decodeFrontendMessage(offered: session.offered)
            return session.receive(content, in: message.isVersion4 ? .four : .three, now: .now())
        } catch {
            return session.receive(malformed: error, now: .now())
        }
    }

    func descriptors() throws(TransportError) -> (socket: Int32, monitor: Int32, idle: Bool) {
        (try socket.descriptor(), try monitor.descriptor(), try !socket.hasInput())
    }
}

extension Result<Outputs, any Error> {
    fileprivate var asBatchResult: ContainerSession.BatchResult {
        switch self {
        case .success(let outputs): .success(outputs)
        case .failure(let error): .failure(code: FailureCode(of: error), reason: "\(error)")
        }
    }
}

/// Puts a new value in a variable's place and returns the old one.
private func exchange<Value>(_ variable: inout Value, with value: Value) -> Value {
    let old = variable
    variable = value
    return old
}

extension BatchWorker.Done {
    /// Whether the batch counts as failed: RPC 3 cannot say that one input of it has.
    fileprivate func isFailure(in version: RPCVersion) -> Bool {
        switch result {
        case .success(let outputs): version == .three && !outputs.errors.isEmpty
        case .failure: true
        }
    }
}
