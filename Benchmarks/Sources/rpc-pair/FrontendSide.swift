import ContainerRPC
import Foundation

/// What is exchanged: batches of equal shape, a constant number of them in flight.
struct Load {
    var inputCount: Int
    /// Bytes per input.
    var byteCount: Int
    var batchesInFlight: Int
}

/// Batches that were answered in a measured time.
struct Measurement {
    var batches: Int
    var elapsed: Duration
    /// Of the whole process: both sides, and libzmq's threads.
    var cpuSeconds: Double
}

/// Something that both sides must never do to each other here.
struct UnexpectedEvent: Error, CustomStringConvertible {
    var description: String
}

/// The frontend's side of one session: asks, and sends the next batch with every answer.
///
/// It finds the session of each message by the connection that the message came by, as a frontend with many containers
/// does.
struct FrontendSide: ~Copyable {
    private let socket: Socket
    private let monitor: ConnectionMonitor
    private let descriptors: [Int32]
    private var message: ReceivedMessage
    private var session = FrontendSession(now: .now(), version: .four)
    private var peer: RoutingID?
    private var ledger = ConnectionLedger<Int>()
    private let load: Load
    private let inputs: [Payload]
    private var nextID: UInt32 = 0
    private var answered = 0
    private var isAsking = true

    init(load: Load) throws {
        let socket = try Socket(.router, in: Context())
        let monitor = try socket.monitor()
        descriptors = [try socket.descriptor(), try monitor.descriptor()]
        message = socket.makeMessage()
        self.socket = socket
        self.monitor = monitor
        self.load = load
        // As a frontend has them: each query's input is a payload of its own.
        inputs = (0..<load.inputCount).map { _ in Payload(PayloadStorage(byteCount: load.byteCount) { _ in }) }
    }

    func bind(_ endpoint: String) throws -> String {
        try socket.bind(endpoint)
    }

    /// Waits for a container, keeps batches in flight, and counts those answered after the warm-up.
    mutating func measure(warmUp: Duration, duration: Duration) throws -> Measurement {
        while session.registration == nil { try turn() }
        let begin = MonotonicTime.now() + warmUp
        while session.lastReceived < begin { try turn() }
        let first = session.lastReceived
        let cpu = Self.cpuSeconds
        answered = 0
        while session.lastReceived < begin + duration { try turn() }
        let measurement = Measurement(
            batches: answered, elapsed: session.lastReceived - first, cpuSeconds: Self.cpuSeconds - cpu)
        // libzmq 4.3 aborts when both ends of a connection close in the middle of a multi-part message.
        isAsking = false
        while session.batchesInFlight > 0 { try turn() }
        return measurement
    }

    /// What the process has used so far.
    private static var cpuSeconds: Double {
        Double(clock()) / Double(CLOCKS_PER_SEC)
    }

    /// Reads what is there, at one time as the dispatch thread does, then waits for more.
    private mutating func turn() throws {
        let now = MonotonicTime.now()
        while let event = try monitor.next() {
            if case .disconnected = event { throw UnexpectedEvent(description: "the container disconnected") }
            ledger.note(event)
        }
        // Bounded, so that the caller looks at the time while there is always another message.
        for _ in 0..<load.batchesInFlight {
            guard try socket.receive(into: &message) else { break }
            try handle(now: now)
        }
        guard try !socket.hasInput() else { return }
        _ = try waitForInput(descriptors, timeout: .seconds(10))
    }

    private mutating func handle(now: MonotonicTime) throws {
        let sender = try sender()
        switch session.receive(try message.decodeContainerMessage(offersVersion4: sender.offersVersion4), now: now) {
        case .none:
            break
        case .send(let heartbeat):
            let version: RPCVersion = sender.offersVersion4 ? .four : .three
            _ = try socket.send(.heartbeat(heartbeat), in: version, to: sender)
        case .register:
            for _ in 0..<load.batchesInFlight { try sendBatch(to: sender) }
        case .complete(let response):
            // As a frontend does: applications get text.
            let outputs = response.outputs.rendered
            guard outputs.count == load.inputCount else {
                throw UnexpectedEvent(description: "\(outputs.count) outputs")
            }
            answered += 1
            if isAsking { try sendBatch(to: sender) }
        case .confirm:
            break
        case .fail(let failure):
            throw UnexpectedEvent(description: "a batch failed: \(failure)")
        case .release(let goodbye):
            throw UnexpectedEvent(description: "the container goes: \(goodbye)")
        case .ignore(let id):
            throw UnexpectedEvent(description: "an answer to batch \(id), which is not in flight")
        case .end(let reason):
            throw UnexpectedEvent(description: "the session ended: \(reason)")
        }
    }

    private mutating func sender() throws -> RoutingID {
        if let descriptor = message.sourceDescriptor, ledger.session(by: descriptor) != nil,
            let peer, message.isFrom(peer)
        {
            return peer
        }
        // The acceptance of this connection is waiting at the monitor by now, if it has not been noted.
        while let event = try monitor.next() { ledger.note(event) }
        let sender = message.routingID
        if let descriptor = message.sourceDescriptor { _ = ledger.bind(0, to: descriptor) }
        peer = sender
        return sender
    }

    private mutating func sendBatch(to peer: RoutingID) throws {
        let id = nextID
        nextID &+= 1
        // A frontend collects a batch's inputs from its queries: an array for each batch.
        var batch: [Payload] = []
        batch.reserveCapacity(inputs.count)
        for input in inputs { batch.append(input) }
        let outcome = try socket.sendRequest(
            id: id, inputType: .float64, inputs: batch, budget: .milliseconds(100), in: session.version, to: peer)
        guard outcome == .sent else { throw UnexpectedEvent(description: "a batch could not be sent: \(outcome)") }
        session.sent(batch: id, inputCount: batch.count, now: .now())
    }
}
