import ContainerRPC
import Foundation
import TestSupport
import Testing

/// A frontend that a test plays: a ROUTER on a thread of its own, which sends what the test says and keeps what comes.
final class PlayedFrontend: Sendable {
    /// What came, and from whom.
    struct Received: Hashable, Sendable {
        var peer: RoutingID
        var message: ContainerMessage
    }

    private enum Outgoing {
        case message(FrontendMessage, RPCVersion)
        case malformed
    }

    private struct State {
        var outgoing: [(to: RoutingID, what: Outgoing)] = []
        var incoming: [Received] = []
        var endpoint: String?
        var isClosing = false
        var isClosed = false
        var failure: (any Error)?
    }

    private let state = Locked(State())
    private let wakeup: Wakeup
    let context: Context

    private init(_ endpoint: String, in context: Context) throws {
        self.context = context
        wakeup = try Wakeup()
        Thread { [self] in
            do {
                try work(endpoint)
            } catch {
                state.withLock { $0.failure = error }
            }
            state.withLock { $0.isClosed = true }
        }.start()
    }

    /// A frontend that is bound; port 0 lets the system pick one.
    static func bound(to endpoint: String = "tcp://127.0.0.1:0", in context: Context) async throws -> PlayedFrontend {
        let frontend = try PlayedFrontend(endpoint, in: context)
        _ = try await frontend.endpoint
        return frontend
    }

    /// Where containers connect.
    var endpoint: String {
        get async throws {
            try await eventually("the frontend is bound") {
                try state.withLock { state in
                    if let failure = state.failure { throw failure }
                    return state.endpoint
                }
            }
        }
    }

    func send(_ message: FrontendMessage, in version: RPCVersion, to peer: RoutingID) {
        state.withLock { $0.outgoing.append((peer, .message(message, version))) }
        wakeup.signal()
    }

    func send(_ heartbeat: HeartbeatKind, to peer: RoutingID) {
        send(.heartbeat(heartbeat), in: .three, to: peer)
    }

    /// Sends a batch of doubles, one number each.
    func sendBatch(_ id: UInt32, _ numbers: Double..., to peer: RoutingID) {
        send(.request(.batch(id, numbers)), in: .three, to: peer)
    }

    func sendBatch(_ id: UInt32, _ inputs: InputValues, to peer: RoutingID) {
        send(.request(PredictRequest(id: id, inputs: inputs)), in: .three, to: peer)
    }

    /// Sends a batch of doubles whose only input is three bytes long.
    func sendMalformed(to peer: RoutingID) {
        state.withLock { $0.outgoing.append((peer, .malformed)) }
        wakeup.signal()
    }

    /// Waits for the next message of which the condition is true; others before it do not matter.
    func receive(_ what: String, where condition: (Received) -> Bool) async throws -> Received {
        try await eventually("the container sends \(what)") {
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                guard let index = state.incoming.firstIndex(where: condition) else { return nil }
                defer { state.incoming.removeFirst(index + 1) }
                return state.incoming[index]
            }
        }
    }

    /// Waits for the answer to a batch; heartbeats before it do not matter.
    func receiveResponse() async throws -> PredictResponse {
        let received = try await receive("an answer") { if case .response = $0.message { true } else { false } }
        guard case .response(let response) = received.message else { throw NotInTime(what: "an answer") }
        return response
    }

    /// Waits for the failure of a batch, as RPC 4 tells it.
    func receiveFailure() async throws -> BatchFailure {
        let received = try await receive("a failure") { if case .failure = $0.message { true } else { false } }
        guard case .failure(let failure) = received.message else { throw NotInTime(what: "a failure") }
        return failure
    }

    /// Waits for a container's goodbye, which has been answered then.
    func receiveGoodbye() async throws -> Goodbye {
        let received = try await receive("a goodbye") { if case .goodbye = $0.message { true } else { false } }
        guard case .goodbye(let goodbye) = received.message else { throw NotInTime(what: "a goodbye") }
        return goodbye
    }

    /// Waits for a container that offers RPC 4 and registers in it.
    func welcomeContainer() async throws -> RoutingID {
        let peer = try await receive("its first heartbeat") { $0.message == .heartbeat }.peer
        send(.welcome(SessionTiming.short.welcome), in: .four, to: peer)
        var registration = Registration.test
        registration.rpcVersion = .four
        let expected = Received(peer: peer, message: .newContainer(registration))
        _ = try await receive("its registration") { $0 == expected }
        return peer
    }

    /// Waits for a container that registers, as a frontend that does not know it yet.
    ///
    /// - Parameter old: a session that is over; it is not taken for the new one.
    func acceptContainer(
        _ registration: Registration = .test, after old: RoutingID? = nil
    ) async throws -> RoutingID {
        let peer = try await receive("its first heartbeat") { $0.message == .heartbeat && $0.peer != old }.peer
        send(.requestMetadata, to: peer)
        _ = try await receive("its metadata") { $0 == Received(peer: peer, message: .newContainer(registration)) }
        return peer
    }

    /// Closes the socket, as a frontend that ends.
    func close() async throws {
        state.withLock { $0.isClosing = true }
        wakeup.signal()
        try await eventually("the frontend's socket closes") { state.withLock { $0.isClosed } }
    }

    // MARK: The frontend's thread

    /// Binds; libzmq gives the port of a socket that was just closed back a moment later.
    private func bind(_ socket: borrowing Socket, to endpoint: String) throws -> String {
        let end = ContinuousClock.now + patience
        while true {
            do {
                return try socket.bind(endpoint)
            } catch {
                guard error.code == EADDRINUSE, ContinuousClock.now < end else { throw error }
            }
            _ = try waitForInput([wakeup.descriptor], timeout: .milliseconds(1))
        }
    }

    private func work(_ endpoint: String) throws {
        let socket = try Socket(.router, in: context)
        let bound = try bind(socket, to: endpoint)
        state.withLock { $0.endpoint = bound }
        var message = socket.makeMessage()
        let descriptors = [wakeup.descriptor, try socket.descriptor()]
        while !state.withLock({ $0.isClosing }) {
            for (peer, what) in state.withLock({ $0.outgoing.takeAll() }) {
                switch what {
                case .message(let content, let version): _ = try socket.send(content, in: version, to: peer)
                case .malformed:
                    let input = Payload(copying: [1, 2, 3])
                    _ = try socket.sendRequest(id: 0, inputType: .float64, inputs: [input], to: peer)
                }
            }
            while try socket.receive(into: &message) {
                let peer = message.routingID
                let content = try message.decodeContainerMessage(offersVersion4: peer.offersVersion4)
                if case .goodbye(let said) = content {
                    // Unanswered, it would be waited for.
                    _ = try socket.send(.goodbye(Goodbye(said.code)), in: .four, to: peer)
                }
                state.withLock { $0.incoming.append(Received(peer: peer, message: content)) }
            }
            guard try !socket.hasInput() else { continue }
            _ = try waitForInput(descriptors, timeout: nil)
            wakeup.clear()
        }
    }
}

extension PredictRequest {
    /// A batch of doubles, one number each.
    static func batch(_ id: UInt32, _ numbers: [Double], budget: Duration? = nil) -> PredictRequest {
        PredictRequest(
            id: id, inputs: InputValues(elements: .float64(numbers), rowEnds: Array(1...numbers.count)), budget: budget)
    }
}

extension Registration {
    static let test = Registration(modelName: "test", modelVersion: "1", inputType: .float64)
}
