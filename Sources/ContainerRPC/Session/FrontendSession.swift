/// A frontend's side of the session with one container: events and a time go in, one action comes out.
///
/// It does no I/O and reads no clock. The one who drives it sends, registers and forgets as the actions say.
public struct FrontendSession: Sendable {
    /// What is to be done after an event.
    public enum Action: Hashable, Sendable {
        case none
        /// Send the container this heartbeat.
        case send(HeartbeatKind)
        /// The container has said what it serves: it is a replica from now on.
        case register(Registration)
        /// The answer to a batch in flight, with an output for each of its inputs.
        case complete(PredictResponse)
        /// An answer to a batch that is not, or no longer, in flight here. Nobody waits for it.
        case ignore(unknownID: UInt32)
        /// The session is over. Batches in flight are lost; the container may register again.
        case end(EndReason)
    }

    /// Why a session is over.
    public enum EndReason: Hashable, Sendable {
        /// Nothing came for the silence limit, and no batch was in flight.
        case silent
        /// The connection is gone.
        case disconnected
        /// A message could not be decoded.
        case malformed(WireError)
        /// A batch was answered with another number of outputs than it has inputs.
        case wrongOutputCount(expected: Int, found: Int)
        /// The container registered as something else.
        case replaced
        /// The frontend let the container go: its model was deleted, or serves another input type.
        case dismissed
    }

    private struct BatchInFlight {
        var id: UInt32
        var inputCount: Int
    }

    private let timing: SessionTiming
    /// What the container serves; `nil` until it has said so.
    public private(set) var registration: Registration?
    /// When the container was last heard.
    public private(set) var lastReceived: MonotonicTime
    private var inFlight: [BatchInFlight] = []

    /// A session with a container of which nothing is known yet.
    public init(now: MonotonicTime, timing: SessionTiming = .standard) {
        self.timing = timing
        lastReceived = now
    }

    /// How many batches are unanswered.
    public var batchesInFlight: Int { inFlight.count }

    /// When `tick` has something to do; `nil` while a batch is in flight, because a container of RPC 3 may be busy,
    /// and therefore silent, for as long as its model takes.
    public var deadline: MonotonicTime? {
        inFlight.isEmpty ? lastReceived + timing.silenceLimit : nil
    }

    /// A message has come.
    public mutating func receive(_ message: ContainerMessage, now: MonotonicTime) -> Action {
        lastReceived = now
        switch message {
        case .heartbeat:
            return .send(registration == nil ? .requestMetadata : .keepAlive)
        case .newContainer(let announced):
            guard let registration else {
                registration = announced
                return .register(announced)
            }
            return registration == announced ? .none : .end(.replaced)
        case .response(let response):
            guard let index = inFlight.firstIndex(where: { $0.id == response.id }) else {
                return .ignore(unknownID: response.id)
            }
            let batch = inFlight.remove(at: index)
            guard response.outputs.count == batch.inputCount else {
                return .end(.wrongOutputCount(expected: batch.inputCount, found: response.outputs.count))
            }
            return .complete(response)
        }
    }

    /// A message has come that could not be decoded.
    public mutating func receive(malformed error: WireError, now: MonotonicTime) -> Action {
        lastReceived = now
        return .end(.malformed(error))
    }

    /// A batch has been sent to the container.
    public mutating func sent(batch id: UInt32, inputCount: Int) {
        inFlight.append(BatchInFlight(id: id, inputCount: inputCount))
    }

    /// Time has passed.
    public func tick(now: MonotonicTime) -> Action {
        guard let deadline, now >= deadline else { return .none }
        return .end(.silent)
    }
}

extension FrontendSession.EndReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .silent: "nothing heard for the silence limit"
        case .disconnected: "disconnected"
        case .malformed(let error): "malformed message: \(error)"
        case .wrongOutputCount(let expected, let found): "\(found) outputs for a batch of \(expected) inputs"
        case .replaced: "registered again as something else"
        case .dismissed: "its model is gone"
        }
    }
}
