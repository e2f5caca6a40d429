import ContainerRPC
import Foundation
import Testing

@Suite("Sockets")
struct TransportTests {
    private let context: Context

    init() throws {
        context = try Context()
    }

    // MARK: Messages

    @Test("Every message arrives as it was sent", arguments: ["tcp://127.0.0.1:0", "inproc://frontend"])
    func roundTrip(_ endpoint: String) throws {
        let pair = try ConnectedPair(endpoint, in: context)
        for content in try GoldenVector.messages().compactMap(\.message) {
            if let message = content.containerMessage {
                #expect(try pair.dealer.send(message) == .sent)
                #expect(try pair.router.receivePeer(content) == pair.peer)
                continue
            }
            let outcome: SendOutcome
            switch content {
            case .frontendHeartbeat(let kind):
                outcome = try pair.router.send(.heartbeat(kind), to: pair.peer)
            case .request(let id, .predict, let type, let inputs):
                let payloads = inputs.map { Payload(copying: $0) }
                outcome = try pair.router.sendRequest(id: id, inputType: type, inputs: payloads, to: pair.peer)
            default:
                // A frontend sends no feedback.
                continue
            }
            #expect(outcome == .sent)
            #expect(try pair.dealer.receiveContent(.frontendToContainer) == content)
        }
    }

    @Test("Messages of one peer arrive in order")
    func order() throws {
        let pair = try ConnectedPair(in: context)
        for id in 0..<500 as Range<UInt32> {
            #expect(try pair.router.sendRequest(id: id, inputType: .bytes, inputs: [], to: pair.peer) == .sent)
        }
        for id in 0..<500 as Range<UInt32> {
            let content = MessageContent.request(id: id, .predict, .bytes, inputs: [])
            #expect(try pair.dealer.receiveContent(.frontendToContainer) == content)
        }
    }

    @Test("A message that is received into again holds the new frames only")
    func messageIsUsedAgain() throws {
        let pair = try ConnectedPair(in: context)
        let many = Outputs((0..<64).map { "\($0)" })
        for message in [.response(1, many), .heartbeat, .response(2, ["a"])] as [ContainerMessage] {
            #expect(try pair.dealer.send(message) == .sent)
        }
        var received = pair.router.makeMessage()
        try pair.router.receiveNext(into: &received)
        #expect(try received.decodeContainerMessage() == .response(1, many))
        try pair.router.receiveNext(into: &received)
        #expect(try received.decodeContainerMessage() == .heartbeat)
        try pair.router.receiveNext(into: &received)
        #expect(try received.decodeContainerMessage() == .response(2, ["a"]))
        // #expect cannot take apart what has one owner: the conditions come as values.
        let (isFromPeer, isFromOther) = (received.isFrom(pair.peer), received.isFrom(RoutingID([1, 2, 3])))
        #expect(isFromPeer && !isFromOther)
        let hasNext = try pair.router.receive(into: &received)
        let leftFrames = received.frameCount
        #expect(!hasNext && leftFrames == 0)
    }

    @Test("A message of RPC 4 is malformed to a container that has offered RPC 3 alone")
    func version4NotOffered() throws {
        let pair = try ConnectedPair(in: context)
        #expect(try pair.router.send(.heartbeat(.keepAlive), in: .four, to: pair.peer) == .sent)
        var received = pair.dealer.makeMessage()
        try pair.dealer.receiveNext(into: &received)
        #expect(try received.decodeFrontendMessage() == .heartbeat(.keepAlive))
        do {
            _ = try received.decodeFrontendMessage(offered: .three)
            Issue.record("it is read")
        } catch {
            #expect(error.kind == .notEmpty)
            #expect(error.frame == 0)
        }
    }

    // MARK: Shared payloads

    /// Sends inputs of such lengths, to be followed by a heartbeat, and returns what they hold.
    private func sendShared(
        _ lengths: [Int], by router: borrowing Socket, to peer: RoutingID, watch: (PayloadStorage) -> Void
    ) throws -> [[UInt8]] {
        let payloads = lengths.map { length in
            let storage = PayloadStorage(byteCount: length) { bytes in
                for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 31 &+ length) }
            }
            watch(storage)
            return Payload(storage)
        }
        #expect(try router.sendRequest(id: 1, inputType: .bytes, inputs: payloads, to: peer) == .sent)
        #expect(try router.send(.heartbeat(.keepAlive), to: peer) == .sent)
        return payloads.map(\.bytes)
    }

    @Test(
        "Inputs that are sent without a copy arrive intact, and their memory goes when they have left",
        arguments: ["tcp://127.0.0.1:0", "inproc://frontend"])
    func sharedPayloads(_ endpoint: String) throws {
        let pair = try ConnectedPair(endpoint, in: context)
        var storages: [WeakStorage] = []
        let inputs = try sendShared([0, 1, 2047, 2048, 2049, 100_000, 3 << 20], by: pair.router, to: pair.peer) {
            storages.append(WeakStorage($0))
        }
        let request = MessageContent.request(id: 1, .predict, .bytes, inputs: inputs)
        #expect(try pair.dealer.receiveContent(.frontendToContainer) == request)
        // libzmq lets go of a frame before it takes up the next message.
        #expect(try pair.dealer.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
        #expect(storages.map { $0.storage == nil } == storages.map { _ in true })
    }

    @Test("A payload can be sent again, to another peer, while the first message is under way")
    func payloadSentTwice() throws {
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let payload = Payload(copying: [UInt8](repeating: 7, count: 1 << 20))
        let first = try context.dealer(connectedTo: endpoint)
        _ = try first.send(.heartbeat)
        let peers = [try router.receivePeer()]
        let second = try context.dealer(connectedTo: endpoint)
        _ = try second.send(.heartbeat)
        for peer in peers + [try router.receivePeer()] {
            #expect(try router.sendRequest(id: 1, inputType: .bytes, inputs: [payload, payload], to: peer) == .sent)
        }
        let content = MessageContent.request(id: 1, .predict, .bytes, inputs: [payload.bytes, payload.bytes])
        #expect(try first.receiveContent(.frontendToContainer) == content)
        #expect(try second.receiveContent(.frontendToContainer) == content)
    }

    // MARK: Peers that are not there

    @Test("A message to a peer that is not known is unreachable, and its memory goes at once")
    func unknownPeer() throws {
        let router = try Socket(.router, in: context)
        try router.bind("tcp://127.0.0.1:0")
        let nobody = RoutingID([0, 1, 2, 3, 4])
        #expect(try router.send(.heartbeat(.keepAlive), to: nobody) == .unreachable)
        weak var watched: AnyObject?
        do {
            let storage = PayloadStorage(byteCount: 1 << 20) { _ in }
            watched = storage.buffer
            let inputs = [Payload(storage)]
            #expect(try router.sendRequest(id: 1, inputType: .bytes, inputs: inputs, to: nobody) == .unreachable)
        }
        #expect(watched == nil)
    }

    @Test("After a failed send the socket sends to others as before")
    func sendAfterFailure() throws {
        let pair = try ConnectedPair(in: context)
        let payload = Payload(copying: [UInt8](repeating: 7, count: 4096))
        _ = try pair.router.sendRequest(id: 1, inputType: .bytes, inputs: [payload], to: RoutingID([9]))
        #expect(try pair.router.send(.heartbeat(.keepAlive), to: pair.peer) == .sent)
        #expect(try pair.dealer.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
    }

    @Test("A message to a peer that has gone is unreachable")
    func gonePeer() throws {
        let router = try Socket(.router, in: context)
        let monitor = try router.monitor()
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let peer: RoutingID
        do {
            let dealer = try context.dealer(connectedTo: endpoint)
            _ = try dealer.send(.heartbeat)
            peer = try router.receivePeer()
        }
        _ = try monitor.waitForDisconnect()
        // The event may come a moment before the router knows.
        let outcome = try waiting(on: try router.descriptor()) {
            let outcome = try router.send(.heartbeat(.keepAlive), to: peer)
            _ = try router.hasInput()
            return outcome == .sent ? nil : outcome
        }
        #expect(outcome == .unreachable)
    }

    @Test("A container without a frontend queues nothing")
    func noFrontend() throws {
        let dealer = try Socket(.dealer, in: context)
        // Port 1 is reserved, and nobody listens there.
        try dealer.connect("tcp://127.0.0.1:1")
        #expect(try dealer.send(.heartbeat) != .sent)
    }

    @Test("A peer that does not read is told from one that is gone")
    func fullQueue() throws {
        let pair = try ConnectedPair("inproc://frontend", in: context)
        var outcome = SendOutcome.sent
        var count = 0
        while outcome == .sent, count < 100_000 {
            outcome = try pair.router.send(.heartbeat(.keepAlive), to: pair.peer)
            count += 1
        }
        #expect(outcome == .full)
        #expect(try pair.dealer.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
    }

    // MARK: Endpoints

    @Test("A frontend is found at an IPv6 address", .enabled(if: speaksIPv6))
    func version6() throws {
        let pair = try ConnectedPair("tcp://[::1]:0", in: context)
        #expect(try pair.router.send(.heartbeat(.keepAlive), to: pair.peer) == .sent)
        #expect(try pair.dealer.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
    }

    @Test("Port 0 is one that the system picks")
    func anyPort() throws {
        let first = try Socket(.router, in: context)
        let second = try Socket(.router, in: context)
        let endpoints = [try first.bind("tcp://127.0.0.1:0"), try second.bind("tcp://127.0.0.1:0")]
        #expect(Set(endpoints).count == 2)
        #expect(endpoints.allSatisfy { $0.hasPrefix("tcp://127.0.0.1:") && !$0.hasSuffix(":0") })
    }

    @Test("A port that is taken is an error with the system's words")
    func takenPort() throws {
        let first = try Socket(.router, in: context)
        let second = try Socket(.router, in: context)
        let endpoint = try first.bind("tcp://127.0.0.1:0")
        let error = #expect(throws: TransportError.self) { try second.bind(endpoint) }
        #expect(error.map { "\($0)" } == "binding \(endpoint): Address already in use")
    }

    @Test("An endpoint that is none is an error", arguments: ["", "7000", "tcp://127.0.0.1", "http://127.0.0.1:1"])
    func badEndpoint(_ endpoint: String) throws {
        let router = try Socket(.router, in: context)
        #expect(throws: TransportError.self) { try router.bind(endpoint) }
        let dealer = try Socket(.dealer, in: context)
        #expect(throws: TransportError.self) { try dealer.connect(endpoint) }
    }

    @Test("The last message leaves within the linger when its socket is closed")
    func linger() throws {
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let large = String(repeating: "x", count: 1 << 20)
        do {
            let dealer = try context.dealer(connectedTo: endpoint)
            try dealer.setLinger(.seconds(10))
            #expect(try dealer.send(.response(1, [large])) == .sent)
        }
        #expect(try router.receiveContent(.containerToFrontend) == .response(id: 1, outputs: [Array(large.utf8)]))
    }
}

/// Tells whether a storage is still there.
private struct WeakStorage {
    weak var storage: AnyObject?

    init(_ storage: PayloadStorage) {
        self.storage = storage.buffer
    }
}
