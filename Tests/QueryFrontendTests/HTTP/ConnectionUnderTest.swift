import ContainerRPC
import NIOCore
import NIOHTTP1

@testable import QueryFrontend

/// A connection of the query API without a socket. Each event returns what is done for it.
struct ConnectionUnderTest {
    /// What is done, as far as it can be compared.
    enum Done: Hashable {
        case predict(String)
        case update(String)
        case metrics(asPrometheus: Bool)
        case goAhead
        case write(Int, connection: String? = nil, withBody: Bool = true)
        case awaitWritten
        case read
        case yield
        case closeOutput(Duration)
        case close

        /// A last answer.
        static func writeLast(_ status: Int) -> Done { .write(status, connection: "close") }
    }

    let server: QueryServerState
    private(set) var connection: QueryConnection
    /// The time of what comes next.
    var time = Duration.zero
    /// Queries are answered before anything else happens, as cached ones are.
    var answersAtOnce = false
    /// Answers fill the socket.
    var fillsSocket = false
    /// The last body that was handed over.
    private(set) var body = ByteBuffer()
    /// The last answer.
    private(set) var reply: QueryReply?

    /// - Parameter server: what it shares with other connections.
    init(_ limits: HTTPLimits = HTTPLimits(), server: QueryServerState = QueryServerState()) {
        self.server = server
        connection = QueryConnection(server, routes: .demo, limits: limits, now: at(.zero))
    }

    /// Bytes of bodies that all connections hold.
    var heldBytes: Int { server.load.heldBytes }

    /// These parts are read at once, and more may be read.
    @discardableResult
    mutating func send(_ parts: [HTTPServerRequestPart]) -> [Done] {
        var done: [Done] = []
        for part in parts { done += read(part) }
        connection.readComplete()
        connection.readAsked()
        return done + act()
    }

    /// A part is read, and others may come with it.
    @discardableResult
    mutating func read(_ part: HTTPServerRequestPart) -> [Done] {
        connection.read(part, now: at(time))
        return act()
    }

    @discardableResult
    mutating func answer(_ reply: QueryReply = .text(.ok, "answer")) -> [Done] {
        connection.answer(reply, now: at(time))
        return act()
    }

    @discardableResult
    mutating func setWritable(_ isWritable: Bool) -> [Done] {
        connection.writabilityChanged(isWritable, now: at(time))
        return act()
    }

    mutating func goOn() -> [Done] {
        connection.goOn(now: at(time))
        return act()
    }

    @discardableResult
    mutating func written() -> [Done] {
        connection.written()
        return act()
    }

    @discardableResult
    mutating func closeInput() -> [Done] {
        connection.inputClosed()
        return act()
    }

    @discardableResult
    mutating func breakInput(_ error: HTTPParserError = .invalidMethod) -> [Done] {
        connection.inputBroken(error)
        return act()
    }

    mutating func fail() -> [Done] {
        connection.failed()
        return act()
    }

    @discardableResult
    mutating func drain() -> [Done] {
        server.beginDraining()
        connection.drain()
        return act()
    }

    @discardableResult
    mutating func tick(bytesLeft: Int? = nil) -> [Done] {
        connection.tick(now: at(time), bytesLeft: bytesLeft)
        return act()
    }

    @discardableResult
    mutating func close() -> [Done] {
        connection.closed()
        return act()
    }

    mutating func publish(_ routes: Routes) {
        connection.routes = routes
    }

    /// A part is read, or an answer comes, and the connection is closed before anything is done for it.
    mutating func closeBehind(_ part: HTTPServerRequestPart) {
        connection.read(part, now: at(time))
        connection.closed()
    }

    mutating func closeBehind(_ reply: QueryReply) {
        connection.answer(reply, now: at(time))
        connection.closed()
    }

    private mutating func act() -> [Done] {
        var done: [Done] = []
        while let action = connection.next() { done.append(perform(action)) }
        return done
    }

    private mutating func perform(_ action: QueryConnection.Action) -> Done {
        switch action {
        case .predict(let body, _, _):
            self.body = body
            if answersAtOnce { connection.answer(.text(.ok, "answer"), now: at(time)) }
            return .predict(String(buffer: body))
        case .update(let body, _):
            return .update(String(buffer: body))
        case .metrics(let asPrometheus):
            return .metrics(asPrometheus: asPrometheus)
        case .goAhead:
            return .goAhead
        case .write(let reply, let connection, let withBody):
            self.reply = reply
            if fillsSocket { self.connection.writabilityChanged(false, now: at(time)) }
            return .write(Int(reply.status.code), connection: connection, withBody: withBody)
        case .awaitWritten:
            return .awaitWritten
        case .read:
            return .read
        case .yield:
            return .yield
        case .closeOutput(let patience):
            return .closeOutput(patience)
        case .close:
            return .close
        }
    }
}

extension Routes {
    /// Those of one application, `demo`.
    static let demo = Routes(
        Catalog(
            applications: [
                "demo": Application(
                    name: "demo", inputType: .float64, defaultOutput: "-1", latencySLO: .milliseconds(100))
            ]),
        handles: Handles())
}

extension [HTTPServerRequestPart] {
    /// A request without its end.
    static func start(
        _ body: String = "", method: HTTPMethod = .POST, path: String = "/demo/predict", headers: HTTPHeaders = [:],
        version: HTTPVersion = .http1_1
    ) -> Self {
        let head = HTTPRequestHead(version: version, method: method, uri: path, headers: headers)
        return [.head(head)] + (body.isEmpty ? [] : [.body(ByteBuffer(string: body))])
    }

    static func predict(_ body: String, headers: HTTPHeaders = [:], version: HTTPVersion = .http1_1) -> Self {
        start(body, headers: headers, version: version) + [.end(nil)]
    }

    static func get(
        _ path: String = "/health/live", headers: HTTPHeaders = [:], version: HTTPVersion = .http1_1
    ) -> Self {
        start(method: .GET, path: path, headers: headers, version: version) + [.end(nil)]
    }

    static func head(_ path: String) -> Self {
        start(method: .HEAD, path: path) + [.end(nil)]
    }

    static func * (parts: Self, count: Int) -> Self {
        Array((0..<count).map { _ in parts }.joined())
    }
}

func * <Element>(elements: [Element], count: Int) -> [Element] {
    Array((0..<count).map { _ in elements }.joined())
}
