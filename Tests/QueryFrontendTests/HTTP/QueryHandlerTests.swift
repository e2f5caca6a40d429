import ContainerRPC
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API on a channel")
struct QueryHandlerTests {
    private let channel: EmbeddedChannel
    private let loop: QueryLoop

    private static let live = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"

    private static let halves = [
        "GET /hea", "POST /demo/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{\"input\":",
    ]

    init() throws {
        let eventLoop = EmbeddedEventLoop()
        // No thread is started: what it would tell, the tests tell.
        loop = QueryLoop(
            eventLoop: eventLoop, dispatcher: try Dispatcher(), sink: 0, routes: .demo,
            limits: HTTPLimits(), server: QueryServerState())
        channel = EmbeddedChannel(loop: eventLoop)
    }

    private func connect() throws {
        let progress = RequestProgress()
        try channel.pipeline.syncOperations.addHandler(RequestDecoder.makeHandler(progress))
        try channel.pipeline.syncOperations.addHandler(QueryHandler(loop: loop, progress: progress))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// The text is read at once.
    private func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    private func query(_ body: String) -> String {
        "POST /demo/predict HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// All that was written since the last look.
    private func written() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    /// The statuses of all answers that were written since the last look.
    private func statuses() throws -> [Int] {
        try written().matches(of: /HTTP\/1\.1 (\d+)/).compactMap { Int($0.1) }
    }

    @Test("Requests that come at once, and the last in pieces, are answered in their order")
    func requests() throws {
        try connect()
        try send(Self.live + "GET /x HTTP/1.1\r\nHost: x\r\n\r\n" + Self.live + "GET /health/li")
        #expect(try statuses() == [200, 404, 200])
        try send("ve HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try statuses() == [200])
        #expect(channel.isActive)
    }

    @Test("A query is answered when its outcome comes, and those behind it then")
    func query() throws {
        try connect()
        try send(query(#"{"input":[1]}"#) + query(#"{"input":[2]}"#) + query("nonsense"))
        #expect(try written() == "")
        loop.deliver([Delivery(request: 0, item: 0, outcome: .output(ArraySlice("42".utf8)))], sent: .now())
        #expect(try written().hasSuffix(#"{"query_id":0,"output":42,"default":false}"#))
        loop.deliver([Delivery(request: 1, item: 0, outcome: .output(ArraySlice("43".utf8)))], sent: .now())
        #expect(try statuses() == [200, 400])
        #expect(loop.server.load.heldBytes == 0)
    }

    @Test("It is read on behind offers to change the protocol")
    func offers() throws {
        try connect()
        let offer = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        try send(offer + offer + Self.live + offer)
        try send(Self.live)
        #expect(try statuses() == [200, 200, 200, 200, 200])
    }

    @Test("What is no HTTP is answered behind good requests, and the connection closes")
    func broken() throws {
        try connect()
        try send(query(#"{"input":[1]}"#) + Self.live + "nonsense\r\n\r\n")
        #expect(try statuses() == [])
        loop.deliver([Delivery(request: 0, item: 0, outcome: .output(ArraySlice("42".utf8)))], sent: .now())
        #expect(try statuses() == [200, 200, 400])
        #expect(!channel.isActive)
    }

    @Test("A client that speaks HTTP/2 is told that HTTP/1.1 is spoken here")
    func speaksOneVersion() throws {
        try connect()
        try send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        let answer = try written()
        #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("Only HTTP/1.1 is spoken here"), "\(answer)")
        #expect(!channel.isActive)
    }

    @Test("A client that has closed its side gets its answers before the connection closes")
    func halfClosed() throws {
        try connect()
        try send(query(#"{"input":[1]}"#) + Self.live)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(channel.isActive)
        loop.deliver([Delivery(request: 0, item: 0, outcome: .output(ArraySlice("42".utf8)))], sent: .now())
        #expect(try statuses() == [200, 200])
        #expect(!channel.isActive)
    }

    @Test("Of requests that come at once a turn answers eight")
    func turns() throws {
        try connect()
        try send(String(repeating: Self.live, count: 20))
        for count in [8, 8, 4, 0] {
            #expect(try statuses().count == count)
            channel.embeddedEventLoop.advanceTime(by: .microseconds(50))
        }
    }

    @Test("A client that does not read its answers gets them when it does")
    func slowClient() throws {
        try connect()
        try send(query(#"{"input":[1]}"#) + Self.live)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        loop.deliver([Delivery(request: 0, item: 0, outcome: .output(ArraySlice("42".utf8)))], sent: .now())
        #expect(try statuses() == [200])
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(try statuses() == [200])
    }

    @Test("Who waits with the body is told to go ahead")
    func goAhead() throws {
        try connect()
        try send("POST /demo/predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 13\r\n\r\n")
        #expect(try written() == "HTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test("A long answer counts until it is written, or cannot be")
    func longAnswer() throws {
        try connect()
        let text = String(repeating: "long ", count: 20_000)
        try send(query(#"{"input":[1]}"#) + query(#"{"input":[2]}"#))
        loop.deliver([Delivery(request: 0, item: 0, outcome: .output(ArraySlice(text.utf8)))], sent: .now())
        #expect(try written().contains(text))
        #expect(loop.server.load.heldBytes == 13)
        try channel.close().wait()
        loop.deliver([Delivery(request: 1, item: 0, outcome: .output(ArraySlice(text.utf8)))], sent: .now())
        #expect(loop.server.load.heldBytes == 0)
    }

    @Test("Connections hear of applications that come and go")
    func applications() throws {
        try connect()
        loop.routes = Routes(Catalog(), handles: Handles())
        try send(query(#"{"input":[1]}"#))
        #expect(try statuses() == [404])
    }

    @Test("So does one that is made meanwhile")
    func applicationsMeanwhile() throws {
        let progress = RequestProgress()
        try channel.pipeline.syncOperations.addHandler(RequestDecoder.makeHandler(progress))
        try channel.pipeline.syncOperations.addHandler(QueryHandler(loop: loop, progress: progress))
        loop.routes = Routes(Catalog(), handles: Handles())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try send(query(#"{"input":[1]}"#))
        #expect(try statuses() == [404])
    }

    @Test("When the server stops, idle connections close, also one that was accepted just before")
    func draining() throws {
        loop.server.beginDraining()
        try connect()
        #expect(!channel.isActive)
    }

    @Test(
        "Half a request of a connection that is reset is no error that anybody was answered", arguments: halves)
    func reset(text: String) throws {
        try connect()
        try send(text)
        channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
        #expect(!channel.isActive)
        #expect(loop.server.errors == [:])
        #expect(loop.server.load.heldBytes == 0)
    }

    @Test("Nor is it one where the system closes it without a word", arguments: halves)
    func closedReading(text: String) throws {
        try connect()
        try send(text)
        try channel.close().wait()
        #expect(try written() == "")
        #expect(loop.server.errors == [:])
        #expect(loop.server.load.heldBytes == 0)
    }

    @Test("A connection that closes in the middle of a query costs nothing, and its outcome nobody")
    func closed() throws {
        try connect()
        try send(query(#"{"input":[1]}"#) + query(#"{"input":[2]}"#))
        try channel.close().wait()
        loop.deliver([Delivery(request: 0, item: 0, outcome: .output(ArraySlice("42".utf8)))], sent: .now())
        #expect(try written() == "")
        #expect(loop.server.load.heldBytes == 0)
    }
}
