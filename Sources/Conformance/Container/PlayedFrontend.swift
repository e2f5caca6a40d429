import ContainerRPC

/// A message as it came from a container.
struct ReceivedFrames {
    let peer: RoutingID
    let frames: [[UInt8]]
    let at: MonotonicTime
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
    func receive(until deadline: MonotonicTime) throws -> ReceivedFrames? {
        guard let bound else { return nil }
        while true {
            if let (peer, frames) = try bound.receive() {
                let now = MonotonicTime.now()
                transcript.append(
                    .message(
                        at: now - start, .toFrontend, peer: peer.transcriptName,
                        name: MessageNames.fromContainer(frames),
                        frames: ShownFrames(frames)))
                return ReceivedFrames(peer: peer, frames: frames, at: now)
            }
            let left = deadline - .now()
            guard left > .zero else { return nil }
            _ = try waitForInput([try bound.socket.descriptor()], timeout: left)
        }
    }
}

/// A ROUTER that is bound to a port.
private final class BoundRouter {
    let socket: Socket
    let port: Int
    private var message: ReceivedMessage

    /// - Parameter port: 0 for one that the system picks.
    init(port: Int, in context: Context) throws {
        socket = try Socket(.router, in: context)
        message = socket.makeMessage()
        let endpoint = try socket.bind("tcp://127.0.0.1:\(port)")
        self.port = endpoint.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }

    /// The next message; `nil` when none is waiting.
    func receive() throws -> (peer: RoutingID, frames: [[UInt8]])? {
        guard try socket.receive(into: &message) else { return nil }
        return (message.routingID, message.copiedFrames)
    }
}

extension RoutingID {
    /// The id for a transcript, without the quotes of its text.
    fileprivate var transcriptName: String { description.filter { $0 != "\"" } }
}
