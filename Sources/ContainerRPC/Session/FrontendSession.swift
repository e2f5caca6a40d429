/// A frontend's side of the session with one container: events and a time go in, one action comes out.
///
/// It does no I/O and reads no clock. The one who drives it sends, registers and forgets as the actions say.
public struct FrontendSession: Sendable {
    /// What is to be done after an event.
    public enum Action: Hashable, Sendable {
        /// Nothing.
        case none
        /// Answer the container's heartbeat, in the session's version: that the session is known, or that it is not.
        case send(HeartbeatKind)
        /// The container has said what it serves: it is a replica from now on.
        case register(Registration)
        /// It has said so again, and waits to hear that the registration holds (RPC 4).
        case confirm
        /// The answer to a batch in flight, with an output for each of its inputs.
        case complete(PredictResponse)
        /// A batch in flight failed, or was not computed.
        case fail(BatchFailure)
        /// The container is about to go: it is to get no more batches, and to hear that (RPC 4).
        case release(Goodbye)
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
        /// The container said goodbye, and has answered all that it had.
        case left(Goodbye)
        /// The frontend did not take its registration.
        case refused(Refusal)
        /// A batch was never answered, and nobody waits for it any more: the container may have forgotten it.
        case unanswered
        /// An operator has drained it, and its last batch is answered.
        case drained
    }

    private struct BatchInFlight {
        var id: UInt32
        var inputCount: Int
        var sent: MonotonicTime
        /// Nobody wants its answer any more.
        var isVoid = false
    }

    private let timing: SessionTiming
    /// What the container serves; `nil` until it has said so.
    public private(set) var registration: Registration?
    /// When the container was last heard.
    public private(set) var lastReceived: MonotonicTime
    private var inFlight: [BatchInFlight] = []
    /// The version that the container is spoken to in.
    public private(set) var version: RPCVersion
    /// What the container said when it left.
    public private(set) var goodbye: Goodbye?

    /// A session with a container of which nothing is known yet.
    ///
    /// - Parameter version: the best that the container's routing id offers.
    public init(now: MonotonicTime, timing: SessionTiming = .standard, version: RPCVersion = .three) {
        self.timing = timing
        self.version = version
        lastReceived = now
    }

    /// How many batches are unanswered.
    public var batchesInFlight: Int { inFlight.count }

    /// How many of them were sent before `voidBatches`.
    package var voidBatchCount: Int { inFlight.count(where: \.isVoid) }

    /// When the first batch was sent that is unanswered.
    package var firstSent: MonotonicTime? { inFlight.first?.sent }

    /// When `tick` has something to do; `nil` while a batch is in flight, because a container may be busy, and therefore
    /// silent, for as long as its model takes, unless it has stated otherwise.
    public var deadline: MonotonicTime? {
        let mayBeSilent = !inFlight.isEmpty && registration?.details.beatsWhileBusy != true
        return mayBeSilent ? nil : lastReceived + timing.silenceLimit
    }

    /// Whether the container has said goodbye and answered everything.
    public var hasLeft: Bool { goodbye != nil && inFlight.isEmpty }

    /// A message has come.
    public mutating func receive(_ message: ContainerMessage, now: MonotonicTime) -> Action {
        lastReceived = now
        switch message {
        case .heartbeat:
            return .send(registration == nil ? .requestMetadata : .keepAlive)
        case .newContainer(let announced):
            version = announced.rpcVersion
            guard let registration else {
                registration = announced
                return .register(announced)
            }
            guard registration == announced else { return .end(.replaced) }
            return version == .four ? .confirm : .none
        case .response(let response):
            guard let batch = takeBatch(response.id) else { return .ignore(unknownID: response.id) }
            guard response.outputs.count == batch.inputCount else {
                return .end(.wrongOutputCount(expected: batch.inputCount, found: response.outputs.count))
            }
            return .complete(response)
        case .failure(let failure):
            return takeBatch(failure.id) == nil ? .ignore(unknownID: failure.id) : .fail(failure)
        case .goodbye(let said):
            guard goodbye == nil else { return .none }
            goodbye = said
            return .release(said)
        case .notice:
            return .none
        }
    }

    private mutating func takeBatch(_ id: UInt32) -> BatchInFlight? {
        inFlight.firstIndex { $0.id == id }.map { inFlight.remove(at: $0) }
    }

    /// A message has come that could not be decoded.
    ///
    /// - Parameter isRegistration: whether it is one of RPC 4 that was to be a registration.
    public mutating func receive(
        malformed error: WireError, isRegistration: Bool = false, now: MonotonicTime
    ) -> Action {
        lastReceived = now
        // One that cannot register, or not once more, is told why, where there is a way to say it.
        guard version == .four, isRegistration else { return .end(.malformed(error)) }
        return .end(
            .refused(Refusal(error.kind == .unknownField ? .unknownField : .invalid, reason: error.description)))
    }

    /// A batch has been sent to the container.
    public mutating func sent(batch id: UInt32, inputCount: Int, now: MonotonicTime) {
        inFlight.append(BatchInFlight(id: id, inputCount: inputCount, sent: now))
    }

    /// Nobody wants the answers to the batches in flight any more. The container may be busy with them all the same.
    package mutating func voidBatches() {
        for index in inFlight.indices { inFlight[index].isVoid = true }
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
        case .dismissed: "its model is gone, or takes other inputs"
        case .left(let goodbye): "it said goodbye" + (goodbye.reason.map { ": \($0)" } ?? "")
        case .refused(let refusal): "refused: \(refusal.reason ?? "code \(refusal.code.rawValue)")"
        case .unanswered: "a batch was never answered"
        case .drained: "drained"
        }
    }
}
