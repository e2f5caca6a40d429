import ContainerRPC
import Logging

/// A container's session with its socket: carries events to it, and carries out its actions. Used by one thread at a
/// time.
struct ServedSession: ~Copyable {
    private let configuration: ContainerConfiguration
    private let context: Context
    private let logger: Logger
    private let isInProcess: Bool
    private var connection: Connection?
    /// How many there have been.
    private var connections = 0
    private var session: ContainerSession
    private var name: FrontendName
    /// Batches that wait for the model, the first one first.
    private var jobs: [BatchJob] = []
    /// How often it was told to stop.
    private var stops = 0
    private(set) var hasEnded = false
    /// Whether a registration has been sent in this session.
    private(set) var hasRegistered = false
    private var failures = FailureLimits()
    private var unanswered = UnansweredReport()

    init(_ configuration: ContainerConfiguration, context: Context, logger: Logger) {
        self.configuration = configuration
        self.context = context
        self.logger = logger
        isInProcess = configuration.endpoint.hasPrefix("inproc://")
        name = FrontendName(in: configuration.endpoint)
        session = ContainerSession(configuration.registration, now: .now(), timing: configuration.timing)
    }

    // MARK: Events

    /// It is to end after the batches that it has read; told a second time, at once.
    mutating func stop(reason: String) throws {
        stops += 1
        logger.info(stops == 1 ? "stopping after the batches in hand" : "stopping at once")
        try perform(session.stop(Goodbye(.stopping, reason: reason), now: .now()))
    }

    /// The model has done with a batch.
    mutating func finish(_ job: BatchJob, _ done: BatchJob.Done) throws {
        logFailure(of: job, done.result)
        if done.isFailure(in: session.version), session.version == .three, isInProcess, job.session == session.number {
            // A frontend in this process sees no connection end. An answer without outputs is one that it cannot take:
            // it gives the session up, too. (Others than ours may end at such an answer.)
            try perform(.send(.response(PredictResponse(id: job.request.id, outputs: []))))
        }
        try perform(
            session.finished(
                batch: job.request.id, ofSession: job.session, done.batchResult, computeTime: done.computeTime,
                now: .now()))
    }

    /// The name of the frontend's host, where it is to be resolved; the answer goes to `resolved`.
    mutating func takeNameToResolve() -> String? { name.takeToResolve() }

    /// What the resolver says of the frontend's name. Where nobody has answered yet, the other kind of address is tried.
    mutating func resolved(isOnlyIPv6: Bool?) throws {
        if name.resolved(isOnlyIPv6: isOnlyIPv6), session.isConnecting { try connect() }
        warnOfUnknownName()
    }

    private mutating func warnOfUnknownName() {
        guard let unknown = name.unknown, unanswered.admitsUnknownName() else { return }
        logger.warning(
            "the frontend's host cannot be resolved: is its name wrong? It is tried on",
            metadata: ["host": "\(unknown)", "frontend": "\(configuration.endpoint)"])
    }

    /// Takes up what has come, and does what is due.
    ///
    /// - Returns: whether there may be more at once.
    mutating func turn() throws -> Bool {
        while let event = try connection?.monitor.next() {
            switch event {
            case .ready: try perform(session.connected(now: .now()))
            case .disconnected:
                // What the frontend said last, its goodbye perhaps, came before.
                try takeMessages()
                try perform(session.disconnected(now: .now()))
            case .accepted: break
            }
        }
        try takeMessages()
        if unanswered.isDue(now: .now()) {
            logger.warning(
                """
                nobody answers there yet: is a query frontend running, and is this its RPC port? It is tried on
                """, metadata: ["frontend": "\(configuration.endpoint)"])
            warnOfUnknownName()
        }
        let due = session.tick(now: .now())
        try perform(due)
        // A monitor that has never been read does not show in its descriptor. The socket's is edge-triggered: what came
        // since the last read does not show there.
        guard due != .open, session.isReading else { return due == .open }
        return try connection?.socket.hasInput() ?? false
    }

    /// Bounded, so that a flood of messages does not keep answers and heartbeats waiting.
    private mutating func takeMessages() throws {
        for _ in 0..<256 {
            guard session.isReading, try connection?.receive() == true else { break }
            unanswered.noteAnswer()
            let (logger, endpoint) = (logger, configuration.endpoint)
            let action = connection?.handOver(to: &session) { message in
                Self.log(message, from: endpoint, logger)
            }
            try perform(action ?? .none)
        }
    }

    /// The next batch to run the model on.
    mutating func nextJob() -> BatchJob? {
        jobs.isEmpty ? nil : jobs.removeFirst()
    }

    // MARK: Waiting

    /// What the thread that attends to the session waits for.
    struct Wait: Sendable {
        var descriptors: [Int32]
        /// Which of the container's connections they are of: the next one may have the same descriptors.
        var connection: Int
        /// When something is due in any case.
        var deadline: MonotonicTime?

        /// Whether one who waits for this waits for the other as well.
        func covers(_ other: Wait) -> Bool {
            descriptors == other.descriptors && connection == other.connection
                && (deadline ?? .distantFuture) <= (other.deadline ?? .distantFuture)
        }
    }

    func wait() throws(TransportError) -> Wait {
        Wait(
            descriptors: try connection?.descriptors(isReading: session.isReading) ?? [], connection: connections,
            deadline: [session.deadline, unanswered.deadline].compactMap(\.self).min())
    }

    // MARK: Actions

    /// Carries out an action, and those that follow from it at once.
    private mutating func perform(_ action: ContainerSession.Action) throws {
        switch action {
        case .none:
            break
        case .open:
            logger.debug("connecting", metadata: ["frontend": "\(configuration.endpoint)"])
            unanswered.begin(now: .now())
            hasRegistered = false
            name.isNeeded()
            try connect()
            if isInProcess {
                // There is no handshake to wait for, and no event of one.
                try perform(session.connected(now: .now()))
            }
        case .send(let message):
            logSending(message)
            if case .newContainer = message {
                hasRegistered = true
                // Whoever asks for it anew has given up what it sent before.
                let current = session.number
                jobs.removeAll { $0.session != current }
            }
            guard let outcome = try connection?.socket.send(message, in: session.version) else { return }
            if outcome != .sent {
                logger.debug("the frontend cannot be reached", metadata: ["outcome": "\(outcome)"])
            }
        case .run(let request):
            jobs.append(
                BatchJob(
                    request: request, session: session.number, canFail: session.version == .four,
                    expires: request.budget.map { .now() + $0 }))
        case .close(let reason):
            // The frontend has given them up.
            jobs.removeAll()
            connection = nil
            guard unanswered.admits(reason, now: .now()) else { return }
            logger.warning(
                "session ended: \(PeerText.line("\(reason)"))", metadata: ["frontend": "\(configuration.endpoint)"])
        case .finish(let last):
            // The last answers may take a moment to leave, also those that were sent before.
            if stops < 2 { try connection?.socket.setLinger(.seconds(5)) }
            if let last { _ = try connection?.socket.send(last, in: session.version) }
            abandon()
        }
    }

    private mutating func connect() throws(TransportError) {
        connections += 1
        connection = try Connection(
            to: configuration.endpoint, prefersIPv6: name.isOnlyIPv6, offering: session.offered, in: context)
    }

    /// Ends it without a word.
    mutating func abandon() {
        jobs.removeAll()
        connection = nil
        hasEnded = true
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

    private static func log(_ message: FrontendMessage, from endpoint: String, _ logger: Logger) {
        switch message {
        case .accepted(let replica):
            let number: Logger.Metadata = replica.map { ["replica": "\($0)"] } ?? [:]
            logger.info("accepted", metadata: number.merging(["frontend": "\(endpoint)"]) { $1 })
        case .goodbye(let goodbye) where goodbye.code == .drained:
            logger.info("drained: the frontend sends no more batches", metadata: ["frontend": "\(endpoint)"])
        case .heartbeat, .welcome, .refused, .goodbye, .request, .feedback, .notice:
            break
        }
    }

    private mutating func logFailure(of job: BatchJob, _ result: Result<Outputs, FailureReport>) {
        guard let line = FailureLine(result),
            let unlogged = failures.admit(line, shown: logger.logLevel, now: .now())
        else { return }
        var about: Logger.Metadata = ["batch": "\(job.request.id)", "inputs": "\(job.request.inputs.count)"]
        if let failed = line.failed { about["failed"] = "\(failed)" }
        if unlogged > 0 { about["not_logged_before"] = "\(unlogged)" }
        logger.log(level: line.level, "\(line.text)", metadata: about)
    }
}
