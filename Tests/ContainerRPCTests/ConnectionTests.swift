import ContainerRPC
import Foundation
import Testing

@Suite("Connections")
struct ConnectionTests {
    private let context: Context

    init() throws {
        context = try Context()
    }

    // MARK: The monitor

    @Test("The monitor's disconnect names the descriptor that the peer's messages came by")
    func disconnect() throws {
        let router = try Socket(.router, in: context)
        let monitor = try router.monitor()
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        var message = router.makeMessage()
        // The second connection is likely to get the first one's descriptor.
        for _ in 0..<2 {
            do {
                let dealer = try context.dealer(connectedTo: endpoint)
                #expect(try dealer.send(.response(1, ["a", "b"])) == .sent)
                try router.receiveNext(into: &message)
            }
            let descriptor = message.sourceDescriptor
            #expect(try monitor.waitForDisconnect() == descriptor)
        }
    }

    @Test("A connection is accepted, ready and gone, in this order and under one descriptor")
    func events() throws {
        let router = try Socket(.router, in: context)
        let monitor = try router.monitor()
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        #expect(try monitor.next() == nil)
        do {
            _ = try context.dealer(connectedTo: endpoint)
        }
        let events = try (0..<3).map { _ in try monitor.wait { $0 } }
        guard case .accepted(let descriptor)? = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(
            events == [
                .accepted(descriptor: descriptor), .ready, .disconnected(descriptor: descriptor),
            ])
    }

    @Test("A connection is noted as accepted before its first message can be read")
    func acceptedBeforeMessages() throws {
        let router = try Socket(.router, in: context)
        let monitor = try router.monitor()
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        for _ in 0..<20 {
            let dealer = try context.dealer(connectedTo: endpoint)
            #expect(try dealer.send(.heartbeat) == .sent)
            var message = router.makeMessage()
            try router.receiveNext(into: &message)
            let descriptor = message.sourceDescriptor
            var accepted: [Int32] = []
            while let event = try monitor.next() {
                if case .accepted(let descriptor) = event { accepted.append(descriptor) }
            }
            #expect(accepted.last == descriptor)
        }
    }

    @Test("A container's monitor tells when the frontend is there and when it has gone")
    func frontendGoes() throws {
        let dealer = try Socket(.dealer, in: context)
        let monitor = try dealer.monitor()
        do {
            let router = try Socket(.router, in: context)
            try dealer.connect(try router.bind("tcp://127.0.0.1:0"))
            try monitor.waitUntilReady()
        }
        _ = try monitor.waitForDisconnect()
    }

    @Test("A monitor that is closed before its socket stops nothing, whatever happens to the connection")
    func monitorIsClosed() throws {
        for _ in 0..<10 {
            let dealer: Socket
            do {
                let router = try Socket(.router, in: context)
                // The container's monitor is closed when its connection stands.
                dealer = try context.dealer(connectedTo: try router.bind("tcp://127.0.0.1:0"))
                #expect(try dealer.send(.heartbeat) == .sent)
                try router.receivePeer()
            }
            // The context's thread is alive, and so are other connections.
            let pair = try ConnectedPair(in: context)
            #expect(try pair.router.send(.heartbeat(.keepAlive), to: pair.peer) == .sent)
            #expect(try pair.dealer.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
        }
    }

    @Test("A context that has ended opens no socket")
    func endedContext() {
        context.terminate()
        let error = #expect(throws: TransportError.self) { _ = try Socket(.dealer, in: context) }
        #expect(error.map { "\($0)" } == "zmq_socket: Context was terminated")
    }

    @Test("Messages within the process come by no descriptor")
    func inprocDescriptor() throws {
        let router = try Socket(.router, in: context)
        try router.bind("inproc://frontend")
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect("inproc://frontend")
        #expect(try dealer.send(.heartbeat) == .sent)
        var message = router.makeMessage()
        try router.receiveNext(into: &message)
        let descriptor = message.sourceDescriptor
        #expect(descriptor == nil)
    }

    @Test("Messages of a peer older than ZMTP 3 arrive, and come by no descriptor")
    func oldPeer() throws {
        let router = try Socket(.router, in: context)
        let plain = try PlainConnection(to: try router.bind("tcp://127.0.0.1:0"))
        plain.write(messages: [MessageContent.newContainer(name: [0x6d], version: [0x31], .bytes).frames])
        var message = router.makeMessage()
        try router.receiveNext(into: &message)
        let registration = Registration(modelName: "m", modelVersion: "1", inputType: .bytes)
        #expect(try message.decodeContainerMessage() == .newContainer(registration))
        let descriptor = message.sourceDescriptor
        #expect(descriptor == nil)
        #expect(try router.send(.heartbeat(.keepAlive), to: message.routingID) == .sent)
    }

    // MARK: Peers that misbehave

    @Test("A frame beyond the limit costs its sender the connection, and nobody else anything")
    func oversizedFrame() throws {
        let router = try Socket(.router, in: context, largestFrame: 4096)
        let monitor = try router.monitor()
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let other = try context.dealer(connectedTo: endpoint)
        let sender = try context.dealer(connectedTo: endpoint)
        #expect(try sender.send(.heartbeat) == .sent)
        var message = router.makeMessage()
        try router.receiveNext(into: &message)
        let descriptor = message.sourceDescriptor

        #expect(try sender.send(.response(1, [String(repeating: "x", count: 4097)])) == .sent)
        #expect(try monitor.waitForDisconnect() == descriptor)
        let isDelivered = try router.receive(into: &message)
        #expect(!isDelivered)

        #expect(try other.send(.response(2, [String(repeating: "x", count: 4096)])) == .sent)
        try router.receiveNext(into: &message)
        #expect(try MessageContent(message, .containerToFrontend).frames.frames.last?.count == 4096)
    }

    @Test("Malformed messages that really arrive are refused as their vectors say")
    func malformedMessages() throws {
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let vectors = try GoldenVector.all().filter {
            $0.direction == .containerToFrontend && $0.message == nil && $0.frames.frameCount > 0
        }
        #expect(!vectors.isEmpty)
        let plain = try PlainConnection(to: endpoint)
        plain.write(messages: vectors.map(\.frames))
        var message = router.makeMessage()
        for vector in vectors {
            try router.receiveNext(into: &message)
            guard case .error(let kind, let frame) = vector.outcome else { continue }
            let error = #expect(throws: WireError.self) { try MessageContent(message, .containerToFrontend) }
            #expect(error?.kind == kind, "\(vector.name)")
            #expect(error?.frame == frame, "\(vector.name)")
        }
    }

    @Test("Bytes that are no ZeroMQ do not stop the others")
    func garbage() throws {
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        var generator = SplitMix64(seed: 1)
        let http = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4096\r\n\r\n"
        let greeting: [UInt8] = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + Array("NULL".utf8)
        var connections: [PlainConnection] = []
        for bytes in [
            Array(http.utf8) + [UInt8](repeating: 0x20, count: 4096),
            greeting, greeting + [UInt8](repeating: 0xff, count: 1000),
            // A frame of 2^63 - 1 bytes, half a message, and a message that never ends.
            [1, 0, 0xff, 0x7f] + [UInt8](repeating: 0xff, count: 7),
            [1, 0, 1, 1, 5, 1, 2, 0], [1, 0] + [UInt8](repeating: 1, count: 10_000),
        ] {
            connections.append(try PlainConnection(to: endpoint))
            connections.last?.write(bytes)
        }
        for _ in 0..<20 {
            let noise = (0..<4096).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            connections.append(try PlainConnection(to: endpoint))
            connections.last?.write(noise)
        }
        // Half of them stay open.
        connections.removeFirst(connections.count / 2)

        let dealer = try context.dealer(connectedTo: endpoint)
        #expect(try dealer.send(.newContainer(.sum)) == .sent)
        var message = router.makeMessage()
        var decoded: ContainerMessage?
        while decoded == nil {
            try router.receiveNext(into: &message)
            decoded = try? message.decodeContainerMessage()
        }
        #expect(decoded == .newContainer(.sum))
        #expect(try router.send(.heartbeat(.keepAlive), to: message.routingID) == .sent)
        #expect(try dealer.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
    }
}

@Suite("Waiting")
struct WaitingTests {
    @Test("Another thread wakes a waiting one")
    func wakeup() throws {
        let wakeup = try Wakeup()
        Thread.detachNewThread { wakeup.signal() }
        #expect(try waitForInput([wakeup.descriptor], timeout: .seconds(180)) == [true])
    }

    @Test("A signal before the wait ends it at once; many signals are one")
    func signalBeforeWait() throws {
        let wakeup = try Wakeup()
        for _ in 0..<1000 { wakeup.signal() }
        #expect(try waitForInput([wakeup.descriptor], timeout: .seconds(180)) == [true])
        wakeup.clear()
        #expect(try waitForInput([wakeup.descriptor], timeout: .zero) == [false])
    }

    @Test("To clear what was not signalled does not block")
    func clearTwice() throws {
        let wakeup = try Wakeup()
        wakeup.clear()
        wakeup.signal()
        wakeup.clear()
        wakeup.clear()
        #expect(try waitForInput([wakeup.descriptor], timeout: .zero) == [false])
    }

    @Test("A wait says which descriptor has input")
    func which() throws {
        let (first, second) = (try Wakeup(), try Wakeup())
        second.signal()
        let ready = try waitForInput([first.descriptor, second.descriptor], timeout: .seconds(180))
        #expect(ready == [false, true])
    }

    @Test("A wait ends when its time is up, and not before", arguments: [Duration.microseconds(200), .milliseconds(3)])
    func timeout(_ timeout: Duration) throws {
        let wakeup = try Wakeup()
        let start = MonotonicTime.now()
        #expect(try waitForInput([wakeup.descriptor], timeout: timeout) == [false])
        #expect(MonotonicTime.now() - start >= timeout)
    }

    @Test("A time that is over does not wait")
    func negativeTimeout() throws {
        let wakeup = try Wakeup()
        #expect(try waitForInput([wakeup.descriptor], timeout: .seconds(-1)) == [false])
    }

    @Test("A message ends a wait for its socket")
    func message() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        try router.bind("inproc://frontend")
        Thread.detachNewThread {
            _ = try? Self.sendHeartbeat(in: context)
        }
        #expect(try router.receiveContent(.containerToFrontend) == .containerHeartbeat)
    }

    private static func sendHeartbeat(in context: Context) throws {
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect("inproc://frontend")
        _ = try dealer.send(.heartbeat)
    }

    @Test("Times stay within their bounds")
    func times() {
        #expect(MonotonicTime.distantFuture + .seconds(1) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: 0) + .seconds(Int64.max) == .distantFuture)
        #expect(at(.seconds(2)) - at(.seconds(1)) == .seconds(1))
        #expect(at(.seconds(2)) - .seconds(1) == at(.seconds(1)))
        #expect(MonotonicTime.now() <= .now())
    }
}
