import ContainerRPC
import Foundation
import TestSupport
import Testing

@testable import QueryFrontend

/// A container that a test plays: a socket on a thread of its own, which sends what the test says and keeps what comes.
final class PlayedContainer: Sendable {
    private struct State {
        /// What is to be sent; `nil` stands for a message that no frontend can decode.
        var outgoing: [ContainerMessage?] = []
        var incoming: [FrontendMessage] = []
        var isClosing = false
        var isClosed = false
        var failure: (any Error)?
    }

    private let state = Locked(State())
    private let wakeup: Wakeup

    /// A container whose socket connects to the endpoint. It has said nothing yet.
    init(to endpoint: String, in context: Context) throws {
        wakeup = try Wakeup()
        Thread { [self] in
            do {
                try work(endpoint, context)
            } catch {
                state.withLock { $0.failure = error }
            }
            state.withLock { $0.isClosed = true }
        }.start()
    }

    /// Sends a message once the connection stands.
    func send(_ message: ContainerMessage) {
        state.withLock { $0.outgoing.append(message) }
        wakeup.signal()
    }

    /// Sends frames that are no message.
    func sendGarbage() {
        state.withLock { $0.outgoing.append(nil) }
        wakeup.signal()
    }

    /// Answers a batch with these outputs, or with each input's first number.
    func answer(_ request: PredictRequest, _ outputs: Outputs? = nil) {
        send(.response(request.id, outputs ?? Outputs(request.inputs.firstNumbers)))
    }

    /// Waits for the frontend's next message.
    func receive() async throws -> FrontendMessage {
        try await eventually("the frontend sends a message to the container") {
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                return state.incoming.isEmpty ? nil : state.incoming.removeFirst()
            }
        }
    }

    /// Waits for the next batch; heartbeats before it do not matter.
    func receiveRequest() async throws -> PredictRequest {
        while true {
            if case .request(let request) = try await receive() { return request }
        }
    }

    /// Whether a batch has come that nobody has looked at.
    var hasRequest: Bool { state.withLock { !$0.incoming.requests.isEmpty } }

    /// Answers all batches that come until the condition holds.
    func serve(until isDone: () async throws -> Bool) async throws {
        try await eventually("the container has served enough") {
            for request in state.withLock({ $0.incoming.takeAll() }).requests { answer(request) }
            return try await isDone()
        }
    }

    /// Says what it serves, and returns when the frontend has taken it up.
    func register(_ registration: Registration = .sum) async throws {
        send(.heartbeat)
        #expect(try await receive() == .heartbeat(.requestMetadata))
        send(.newContainer(registration))
        // There is no answer to metadata; that to the next heartbeat tells.
        send(.heartbeat)
        #expect(try await receive() == .heartbeat(.keepAlive))
    }

    /// Ends as a process that is killed: without a word.
    func vanish() async throws {
        state.withLock { $0.isClosing = true }
        wakeup.signal()
        try await eventually("the container's socket closes") { state.withLock { $0.isClosed } }
    }

    // MARK: The container's thread

    private func work(_ endpoint: String, _ context: Context) throws {
        let socket = try Socket(.dealer, in: context)
        let monitor = try socket.monitor()
        try socket.connect(endpoint)
        var isConnected = endpoint.hasPrefix("inproc:")
        var message = socket.makeMessage()
        let descriptors = [wakeup.descriptor, try socket.descriptor(), try monitor.descriptor()]
        while !state.withLock({ $0.isClosing }) {
            while let event = try monitor.next() {
                if case .ready = event { isConnected = true }
            }
            if isConnected {
                for message in state.withLock({ $0.outgoing.takeAll() }) {
                    // To a ROUTER a message from a ROUTER is none: there is an empty frame too many.
                    let outcome =
                        try message.map { try socket.send($0) }
                        ?? socket.send(.heartbeat(.keepAlive), to: RoutingID([]))
                    #expect(outcome == .sent)
                }
            }
            while try socket.receive(into: &message) {
                let content = try message.decodeFrontendMessage()
                state.withLock { $0.incoming.append(content) }
            }
            guard try !socket.hasInput() else { continue }
            _ = try waitForInput(descriptors, timeout: nil)
            wakeup.clear()
        }
    }
}

extension [FrontendMessage] {
    fileprivate var requests: [PredictRequest] {
        compactMap { if case .request(let request) = $0 { request } else { nil } }
    }
}

extension InputValues {
    /// The first number of each input of doubles, as text.
    var firstNumbers: [String] {
        guard case .float64(let numbers) = elements else { return [] }
        return rowEnds.indices.map { row in
            let start = row == 0 ? 0 : rowEnds[row - 1]
            return numbers[start..<rowEnds[row]].first.map { "\($0)" } ?? "empty"
        }
    }
}
