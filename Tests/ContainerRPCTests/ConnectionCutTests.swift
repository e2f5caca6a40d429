import ContainerRPC
import Testing

@Suite("Cutting connections")
struct ConnectionCutTests {
    private let context: Context

    init() throws {
        context = try Context()
    }

    @Test("A connection that is cut ends for both sides")
    func cuts() throws {
        let router = try Socket(.router, in: context)
        let monitor = try router.monitor()
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let dealer = try Socket(.dealer, in: context)
        let ofDealer = try dealer.monitor()
        try dealer.connect(endpoint)
        try ofDealer.waitUntilReady()
        #expect(try dealer.send(.heartbeat) == .sent)
        var message = router.makeMessage()
        try router.receiveNext(into: &message)
        let source = message.sourceDescriptor
        let descriptor = try #require(source)
        let isCut = router.cutConnection(descriptor, to: ["inproc://frontend", endpoint])
        #expect(isCut)
        #expect(try monitor.waitForDisconnect() == descriptor)
        _ = try ofDealer.waitForDisconnect()
    }

    @Test("A descriptor that is something else's by now is left alone")
    func leavesOthers() throws {
        let router = try Socket(.router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:0")
        let other = try Socket(.router, in: context)
        let dealer = try context.dealer(connectedTo: try other.bind("tcp://127.0.0.1:0"))
        #expect(try dealer.send(.heartbeat) == .sent)
        var message = other.makeMessage()
        try other.receiveNext(into: &message)
        let source = message.sourceDescriptor
        let descriptor = try #require(source)
        let wakeup = try Wakeup()
        let areCut = [
            router.cutConnection(descriptor, to: [endpoint]),
            router.cutConnection(descriptor, to: ["inproc://frontend"]),
            router.cutConnection(wakeup.descriptor, to: [endpoint]),
        ]
        #expect(areCut == [false, false, false])
        #expect(try dealer.send(.heartbeat) == .sent)
        try other.receivePeer()
    }
}
