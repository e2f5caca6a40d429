import ContainerRPC

/// A container without a model: a session and its socket.
final class IdleContainer {
    private let endpoint: String
    private let context: Context
    private var session: ContainerSession
    private var connection: Connection?
    /// What is to be polled while the session stands.
    private(set) var descriptors: [Int32] = []
    /// Whether it has told the frontend what it is.
    private(set) var isRegistered = false

    init(_ registration: Registration, endpoint: String, context: Context, opening: MonotonicTime) {
        self.endpoint = endpoint
        self.context = context
        session = ContainerSession(registration, now: opening)
    }

    /// When it has something to do by itself.
    var deadline: MonotonicTime { session.deadline ?? .distantFuture }

    /// Does what is due and reads what has come, until nothing is left.
    func turn() throws {
        try perform(session.tick(now: .now()))
        while connection != nil {
            while let event = try connection?.monitor.next() {
                switch event {
                case .ready: try perform(session.connected(now: .now()))
                case .disconnected: try perform(session.disconnected(now: .now()))
                case .accepted: break
                }
            }
            while session.isReading, try connection?.receive() == true {
                try perform(connection?.handOver(to: &session) ?? .none)
            }
            // Sending may have taken the edge of what came meanwhile.
            guard session.isReading, try connection?.socket.hasInput() == true else { return }
        }
    }

    private func perform(_ action: ContainerSession.Action) throws {
        switch action {
        case .none, .finish:
            break
        case .open:
            let opened = try Connection(to: endpoint, in: context)
            descriptors = [try opened.socket.descriptor(), try opened.monitor.descriptor()]
            connection = consume opened
        case .send(let message):
            _ = try connection?.socket.send(message)
            if case .newContainer = message { isRegistered = true }
        case .run(let request):
            var outputs = Outputs()
            for _ in 0..<request.inputs.count { outputs.append("0") }
            try perform(
                session.finished(batch: request.id, ofSession: session.number, .success(outputs), now: .now()))
        case .close:
            connection = nil
            descriptors = []
            isRegistered = false
        }
    }
}

/// A socket with its monitor.
private struct Connection: ~Copyable {
    let socket: Socket
    let monitor: ConnectionMonitor
    private var message: ReceivedMessage

    init(to endpoint: String, in context: Context) throws {
        let socket = try Socket(.dealer, in: context)
        let monitor = try socket.monitor()
        try socket.connect(endpoint)
        message = socket.makeMessage()
        self.socket = socket
        self.monitor = monitor
    }

    mutating func receive() throws -> Bool {
        try socket.receive(into: &message)
    }

    func handOver(to session: inout ContainerSession) -> ContainerSession.Action {
        do {
            return session.receive(try message.decodeFrontendMessage(), now: .now())
        } catch {
            return session.receive(malformed: error, now: .now())
        }
    }
}
