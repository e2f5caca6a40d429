import Foundation
import Testing

@testable import ContainerRPC

@Suite("Messages that cannot be sent to their end")
struct MessageSenderTests {
    @Test("Where there is no memory for a frame, the message ends there, and the next goes whole to its own peer")
    func endsMessage() throws {
        let context = try Context()
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let first = try context.dealer(connectedTo: endpoint)
        _ = try first.send(.heartbeat)
        let firstPeer = try router.receivePeer()
        let second = try context.dealer(connectedTo: endpoint)
        _ = try second.send(.heartbeat)
        let secondPeer = try router.receivePeer()

        let error = #expect(throws: TransportError.self) {
            try router.send { sender in
                sender.append(firstPeer.bytes.span)
                sender.append(byteCount: 3) { $0.initializeMemory(as: UInt8.self, repeating: 1) }
                sender.append(byteCount: .max / 2) { _ in Issue.record("there is no such memory") }
            }
        }
        #expect(error?.code == ENOMEM)

        #expect(try router.send(.heartbeat(.keepAlive), to: secondPeer) == .sent)
        #expect(try second.receiveContent(.frontendToContainer) == .frontendHeartbeat(.keepAlive))
        var received = first.makeMessage()
        try first.receiveNext(into: &received)
        let frameCount = received.frameCount
        #expect(frameCount == 2)
        #expect(throws: WireError.self) { try received.decodeFrontendMessage() }
    }
}
