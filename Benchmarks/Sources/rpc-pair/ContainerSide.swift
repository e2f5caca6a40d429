import ContainerRPC
import Foundation
import Synchronization

/// The container's side of one session: answers each batch at once with a constant for each input.
final class ContainerSide: Sendable {
    private static let output = 4950.0

    private let endpoint: String
    private let version: RPCVersion
    private let wakeup: Wakeup
    private let isStopped = Atomic<Bool>(false)

    init(endpoint: String, version: RPCVersion) throws {
        self.endpoint = endpoint
        self.version = version
        wakeup = try Wakeup()
    }

    /// Makes `run` return.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Serves until stopped; ends the process where that fails, because nothing is measured then.
    func run() {
        do {
            try serve()
        } catch {
            // The frontend's side may be gone before this one has noticed that the measurement is over.
            if isStopped.load(ordering: .acquiring) { return }
            FileHandle.standardError.write(Data("rpc-pair: the container's side: \(error)\n".utf8))
            exit(1)
        }
    }

    private func serve() throws {
        // A context of its own, as in a process of its own: each side has an I/O thread.
        let socket = try Socket(.dealer, in: Context())
        let monitor = try socket.monitor()
        let descriptors = [wakeup.descriptor, try socket.descriptor(), try monitor.descriptor()]
        var message = socket.makeMessage()
        var session = ContainerSession(
            Registration(modelName: "constant", modelVersion: "1", inputType: .float64, rpcVersion: version),
            now: .now())

        while !isStopped.load(ordering: .acquiring) {
            while let event = try monitor.next() {
                switch event {
                case .ready: try perform(session.connected(now: .now()), &session, socket)
                case .disconnected: try perform(session.disconnected(now: .now()), &session, socket)
                case .accepted: break
                }
            }
            while session.isReading, try socket.receive(into: &message) {
                let action = session.receive(try message.decodeFrontendMessage(), now: .now())
                try perform(action, &session, socket)
            }
            try perform(session.tick(now: .now()), &session, socket)
            guard try !socket.hasInput() else { continue }
            _ = try waitForInput(descriptors, timeout: session.deadline.map { $0 - .now() })
        }
    }

    private func perform(
        _ action: ContainerSession.Action, _ session: inout ContainerSession, _ socket: borrowing Socket
    ) throws {
        switch action {
        case .none:
            break
        case .open:
            if version == .four {
                var generator = SystemRandomNumberGenerator()
                try socket.setRoutingID(.offeringVersion4(using: &generator))
            }
            try socket.connect(endpoint)
        case .send(let answer):
            guard try socket.send(answer, in: session.version) == .sent else {
                throw UnexpectedEvent(description: "an answer could not be sent")
            }
        case .run(let request):
            var outputs = Outputs(type: .float64)
            outputs.reserveCapacity(outputs: request.inputs.count, bytes: request.inputs.count * 8)
            for _ in 0..<request.inputs.count {
                outputs.appendElement(Self.output.bitPattern)
                outputs.end()
            }
            try perform(
                session.finished(batch: request.id, ofSession: session.number, .success(outputs), now: .now()),
                &session, socket)
        case .close(let reason):
            throw UnexpectedEvent(description: "the session ended: \(reason)")
        case .finish:
            break
        }
    }
}
