import ContainerRPC

/// A message as it came from a container.
struct ReceivedFrames {
    let peer: RoutingID
    let frames: [[UInt8]]
    let at: MonotonicTime
    /// Of the connection that it came by; `nil` where libzmq does not tell it.
    let descriptor: Int32?
}

/// The frontend's socket, played: sends any frames, and records what passes. It is used by one thread.
final class PlayedFrontend {
    /// Where containers connect.
    let port: Int
    /// What has passed.
    private(set) var transcript = Transcript()

    private var context: Context?
    private var bound: BoundRouter?
    private var start = MonotonicTime.now()
    private var flood = Flood()
    /// The connections of the peers that are watched, and those of them whose connection has ended.
    private var ledger = ConnectionLedger<RoutingID>()
    private var lost: Set<RoutingID> = []

    /// Binds a port that the system picks.
    init() throws {
        let context = try Context()
        let bound = try BoundRouter(port: 0, in: context)
        port = bound.port
        self.context = context
        self.bound = bound
    }

    /// Begins another transcript.
    func beginTranscript() {
        transcript = Transcript()
        start = .now()
    }

    /// Writes a remark into the transcript.
    func remark(_ text: String) {
        transcript.append(.remark(at: .now() - start, text))
    }

    /// Closes the socket, as a frontend that ends does.
    func close() {
        remark("the frontend closes its socket")
        bound = nil
        context?.terminate()
        context = nil
        ledger = ConnectionLedger()
        lost = []
    }

    /// Binds the same port again, as a frontend that comes back does.
    func reopen() throws {
        let context = try Context()
        let limit = MonotonicTime.now() + .seconds(5)
        while true {
            do {
                bound = try BoundRouter(port: port, in: context)
                self.context = context
                remark("the frontend binds the same port again")
                return
            } catch  where MonotonicTime.now() < limit {
                // The system may hold the port for a moment.
                _ = try waitForInput([], timeout: .milliseconds(20))
            }
        }
    }

    /// Sends a message of these frames.
    ///
    /// - Parameter remark: what is wrong with it, for the transcript.
    /// - Returns: false where the container's connection is gone.
    @discardableResult
    func send(_ frames: [[UInt8]], to peer: RoutingID, remark: String? = nil) throws -> Bool {
        let name = MessageNames.fromFrontend(frames) + (remark.map { " – \($0)" } ?? "")
        transcript.append(
            .message(
                at: .now() - start, .toContainer, peer: peer.transcriptName, name: name, frames: ShownFrames(frames)))
        // A queue to a container that does not read is full after a thousand messages.
        let limit = MonotonicTime.now() + .seconds(10)
        while true {
            let outcome = try bound?.socket.send(frames: frames, to: peer)
            switch outcome {
            case .sent: return true
            case .full where MonotonicTime.now() < limit: _ = try waitForInput([], timeout: .milliseconds(5))
            case .full:
                throw Fault(expected: "the container to read what it is sent", but: "its queue is full for 10 s")
            case .unreachable, nil:
                self.remark("it could not be delivered: the connection is gone")
                return false
            }
        }
    }

    /// The next message from any container; `nil` if none has come when the time is up.
    ///
    /// - Throws: `Fault` where they come without an end.
    func receive(until deadline: MonotonicTime) throws -> ReceivedFrames? {
        guard let bound else {
            _ = try waitForInput([], timeout: max(.zero, deadline - .now()))
            return nil
        }
        while true {
            if let received = try bound.receive() {
                transcript.append(
                    .message(
                        at: received.at - start, .toFrontend, peer: received.peer.transcriptName,
                        name: MessageNames.fromContainer(received.frames), frames: ShownFrames(received.frames)))
                try flood.note(at: received.at, until: deadline, from: "the container")
                return received
            }
            flood.notePause()
            // What came last by a connection that is gone has been read by now.
            lost.formUnion(ledger.takeLost())
            try noteEvents(of: bound)
            if ledger.hasLosses { continue }
            let left = deadline - .now()
            guard left > .zero else { return nil }
            _ = try waitForInput(try bound.descriptors(), timeout: left)
        }
    }

    // MARK: Connections

    /// From now on the end of this peer's connection is noticed; a message of the peer's has come by it.
    func watch(_ peer: RoutingID, by descriptor: Int32?) throws {
        guard let bound, let descriptor else { return }
        // What happened to earlier connections, whose descriptor may be the same, is none of this one's.
        try noteEvents(of: bound)
        _ = ledger.takeLost()
        _ = ledger.bind(peer, to: descriptor)
        lost.remove(peer)
    }

    /// Whether the connection of a peer that is watched has ended. Messages that come from it by now come by another.
    func hasLost(_ peer: RoutingID) -> Bool {
        lost.contains(peer)
    }

    private func noteEvents(of bound: BoundRouter) throws {
        while let event = try bound.nextEvent() { ledger.note(event) }
    }
}

/// A ROUTER that is bound to a port.
private final class BoundRouter {
    let socket: Socket
    let port: Int
    private let monitor: ConnectionMonitor
    private var message: ReceivedMessage

    /// - Parameter port: 0 for one that the system picks.
    init(port: Int, in context: Context) throws {
        let socket = try Socket(.router, in: context)
        let monitor = try socket.monitor()
        message = socket.makeMessage()
        let endpoint = try socket.bind("tcp://127.0.0.1:\(port)")
        self.port = endpoint.split(separator: ":").last.flatMap { Int($0) } ?? 0
        self.socket = socket
        self.monitor = monitor
    }

    /// The next message; `nil` when none is waiting.
    func receive() throws -> ReceivedFrames? {
        guard try socket.receive(into: &message) else { return nil }
        return ReceivedFrames(
            peer: message.routingID, frames: message.copiedFrames, at: .now(), descriptor: message.sourceDescriptor)
    }

    /// The next event of a connection; `nil` when none is waiting.
    func nextEvent() throws -> ConnectionEvent? {
        try monitor.next()
    }

    /// What shows that there may be a message or an event.
    func descriptors() throws -> [Int32] {
        [try socket.descriptor(), try monitor.descriptor()]
    }
}

extension RoutingID {
    /// The id for a transcript, without the quotes of its text.
    fileprivate var transcriptName: String { description.filter { $0 != "\"" } }
}
