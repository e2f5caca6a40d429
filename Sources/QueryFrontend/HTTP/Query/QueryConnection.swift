import ContainerRPC
import DequeModule
import NIOCore
import NIOHTTP1

/// One connection of the query API: which request is answered when, how much is read ahead, and when the connection ends.
///
/// It does no I/O. Events go in, and `next` tells what to do, one action at a time: so what it decides next knows what
/// has become of the one before, such as an answer that was there at once, or one that fills the socket.
///
/// Requests are answered in their order, one after the other. What comes meanwhile waits in the backlog, and nothing more
/// is read: a client that sends without waiting is held back by its own socket.
struct QueryConnection {
    private enum State {
        /// Between requests.
        case idle
        /// A body is being read.
        case reading(IncomingRequest)
        /// A request waits for its answer.
        case waiting(keepAlive: Bool)
        /// The last answer is given; what else comes is thrown away, and the connection closes.
        case ending(isWritten: Bool)
        case closed
    }

    /// Requests that a turn of the event loop answers at most: other connections have theirs in between.
    static let mostPerTurn = 8

    private let server: QueryServerState
    private let limits: HTTPLimits
    /// The applications as they are now.
    var routes: Routes
    private var state = State.idle
    /// What is decided and not done yet.
    private var actions = Deque<Action>()
    /// The time of the last event that had one.
    private var now: MonotonicTime
    private var lastActivity: MonotonicTime
    /// Bytes of answers that a client which reads slowly has not taken yet, when last looked at.
    private var bytesLeft = 0
    /// Bytes of the body of the request that is read or waits.
    private var heldBytes = 0
    /// What came of the next requests while one was waiting for its answer.
    private var backlog: RequestBacklog
    /// A read was asked for, and not done yet: there is a backlog, or the client does not read its answers, of which more
    /// would pile up here.
    private var isReadDue = false
    private var isWritable = true
    /// It goes on with the backlog in its next turn.
    private var isYielding = false
    /// Requests that have come with what is being read.
    private var requestsOfRead = 0
    /// Those that were taken from the backlog since there was nothing to do.
    private var requestsOfTurn = 0
    /// Nothing more comes: the client has closed its side, and may still read answers.
    private var isInputClosed = false
    /// What came after the last good request is no HTTP, or too much: it is answered after all before it.
    private var brokenInput: QueryReply?
    /// HTTP/1.0 closes unless both sides say otherwise.
    private var saysKeepAlive = false
    /// The answer to `HEAD` is the one to `GET` without its body.
    private var isHead = false

    /// - Parameter server: tells whether it stops, and counts what all connections hold.
    init(_ server: QueryServerState, routes: Routes, limits: HTTPLimits, now: MonotonicTime) {
        self.server = server
        self.routes = routes
        self.limits = limits
        self.now = now
        lastActivity = now
        backlog = RequestBacklog(server, limit: limits.bodies)
    }

    // MARK: What to do

    /// The next thing to do; `nil` until something comes.
    mutating func next() -> Action? {
        repeat {
            if let action = actions.popFirst() { return action }
        } while decide()
        requestsOfTurn = 0
        return nil
    }

    /// Goes on with what has come, up to the next request that has to wait. False where there is nothing to go on with.
    private mutating func decide() -> Bool {
        switch state {
        case .closed:
            return false
        case .idle where !isYielding, .reading where !isYielding:
            if !backlog.isEmpty {
                guard isWritable else { return false }
                takeFromBacklog()
                return true
            }
            if let brokenInput {
                isHead = false
                refuse(brokenInput)
                return true
            }
            if isInputClosed {
                // What is left of a request whose end cannot come needs no answer.
                closeWhenWritten()
                return true
            }
        // What comes after a last answer is thrown away, and has to be read for that.
        case .idle, .reading, .waiting, .ending:
            break
        }
        guard isReadDue, isWritable, backlog.isEmpty else { return false }
        isReadDue = false
        actions.append(.read)
        return true
    }

    private mutating func takeFromBacklog() {
        if backlog.beginsRequest {
            guard requestsOfTurn < Self.mostPerTurn else { return yield() }
            requestsOfTurn += 1
        }
        handle(backlog.removeFirst())
    }

    /// A client that sends thousands of requests at once keeps nobody else waiting.
    private mutating func yield() {
        guard !isYielding else { return }
        isYielding = true
        actions.append(.yield)
    }

    /// Others have had their turn.
    mutating func goOn(now: MonotonicTime) {
        self.now = now
        isYielding = false
    }

    // MARK: Reading

    /// A part of a request was read.
    mutating func read(_ part: HTTPServerRequestPart, now: MonotonicTime) {
        self.now = now
        switch state {
        case .waiting: keep(part)
        case .ending, .closed: break
        case .idle, .reading:
            var mayBegin = true
            if case .head = part {
                requestsOfRead += 1
                // Nothing more is read until the answers have left: its body would seem to be late.
                mayBegin = isWritable
            }
            if backlog.isEmpty, !isYielding, mayBegin, requestsOfRead <= Self.mostPerTurn { return handle(part) }
            keep(part)
            if isWritable { yield() }
        }
    }

    /// All is told that was read at once.
    mutating func readComplete() {
        requestsOfRead = 0
    }

    /// More may be read.
    mutating func readAsked() {
        isReadDue = true
    }

    /// The client takes answers again, or does not.
    mutating func writabilityChanged(_ isWritable: Bool, now: MonotonicTime) {
        self.now = now
        self.isWritable = isWritable
    }

    /// Keeps what was read ahead.
    private mutating func keep(_ part: HTTPServerRequestPart) {
        // What comes after that is thrown away.
        guard brokenInput == nil else { return }
        if !backlog.append(part) {
            brokenInput = .overloaded(because: "the requests that wait would take more than \(limits.bodies) bytes")
        }
    }

    private mutating func handle(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): append(bytes)
        case .end: finish()
        }
    }

    private mutating func begin(_ head: HTTPRequestHead) {
        lastActivity = now
        isHead = head.method == .HEAD
        saysKeepAlive = head.version.minor == 0
        let purpose = RequestPurpose(of: head, routes: routes, isStopping: server.isStopping)
        if let problem = head.problem(largestBody: limits.largestBody) { return refuse(problem) }
        if head.expectation == .goAhead {
            if case .reply(let reply) = purpose { return refuse(reply) }
            actions.append(.goAhead)
        }
        state = .reading(IncomingRequest(head, purpose: purpose, now: now))
    }

    private mutating func append(_ bytes: ByteBuffer) {
        guard case .reading(var request) = state else { return }
        lastActivity = now
        // While the state holds the buffer too, appending would copy it.
        state = .idle
        switch request.append(bytes, server, limits) {
        case .held(let bytes):
            heldBytes += bytes
            state = .reading(request)
        case .refused(let reply):
            refuse(reply)
        }
    }

    private mutating func finish() {
        guard case .reading(let request) = state else { return }
        state = .waiting(keepAlive: request.keepsConnection)
        switch request.purpose.renewed(from: routes) {
        case .predict(let route, let trace): actions.append(.predict(request.body, route, trace))
        case .update(let route): actions.append(.update(request.body, route))
        case .metrics(let asPrometheus): actions.append(.metrics(asPrometheus: asPrometheus))
        case .reply(let reply): answer(reply, now: now)
        }
    }

    // MARK: Answering

    /// Answers a request whose rest is not worth reading.
    private mutating func refuse(_ reply: QueryReply) {
        state = .waiting(keepAlive: false)
        answer(reply, now: now)
    }

    /// The answer to the request that waits is there. A connection that is gone meanwhile needs none.
    mutating func answer(_ reply: QueryReply, now: MonotonicTime) {
        releaseBody()
        guard case .waiting(let keepAlive) = state else { return server.releaseBody(bytes: reply.heldBytes) }
        self.now = now
        lastActivity = now
        if reply.status.code >= 400 { server.noteError(reply.status) }
        let isLast = isInputClosed || server.isDraining
        let closes = !keepAlive || (isLast && backlog.isEmpty && brokenInput == nil)
        let connection = closes ? "close" : saysKeepAlive ? "keep-alive" : nil
        actions.append(.write(reply, connection: connection, withBody: !isHead))
        if closes {
            backlog.removeAll()
            closeWhenWritten()
        } else {
            state = .idle
        }
    }

    private mutating func releaseBody() {
        guard heldBytes > 0 else { return }
        server.releaseBody(bytes: heldBytes)
        heldBytes = 0
    }

    // MARK: Trouble, time and the end

    /// What came is no HTTP.
    mutating func inputBroken(_ error: HTTPParserError) {
        brokenInput = brokenInput ?? .broken(error)
    }

    /// The client has closed its side. One that reads slowly may still be owed answers to what it has sent.
    mutating func inputClosed() {
        isInputClosed = true
        if case .ending(isWritten: true) = state { actions.append(.close) }
    }

    /// The connection cannot go on.
    mutating func failed() {
        switch state {
        // What the decoder says of half a request then is no error of anybody's.
        case .idle, .reading: state = .ending(isWritten: true)
        case .waiting, .ending, .closed: break
        }
        actions.append(.close)
    }

    /// A second has passed.
    ///
    /// - Parameter bytesLeft: those of answers that are not written yet; `nil` where the client takes them.
    mutating func tick(now: MonotonicTime, bytesLeft: Int?) {
        self.now = now
        // A client that reads a long answer slowly is not idle.
        if let bytesLeft, bytesLeft != self.bytesLeft {
            self.bytesLeft = bytesLeft
            lastActivity = now
        }
        switch state {
        case .waiting, .closed: break
        case .reading(let request): if now - request.since > limits.bodyTime { refuse(.tooLate) }
        case .idle, .ending: if now - lastActivity > limits.idleTime { failed() }
        }
    }

    /// The server stops: a connection that waits for nothing closes now, any other after its answer.
    mutating func drain() {
        switch state {
        case .idle: if backlog.isEmpty, brokenInput == nil { closeWhenWritten() }
        // It may have left only just before.
        case .ending(isWritten: true): closeOutput()
        case .reading, .waiting, .ending, .closed: break
        }
    }

    /// Closes the connection once all answers have left.
    private mutating func closeWhenWritten() {
        state = .ending(isWritten: false)
        actions.append(.awaitWritten)
    }

    /// All that was written has left.
    mutating func written() {
        guard case .ending = state else { return }
        state = .ending(isWritten: true)
        if isInputClosed { actions.append(.close) } else { closeOutput() }
    }

    private mutating func closeOutput() {
        // Input that is still on its way would make the system reset the connection and with it the answer: what comes is
        // read and thrown away, for a few seconds at most.
        actions.append(.closeOutput(patience: server.isDraining ? .milliseconds(250) : .seconds(5)))
    }

    /// The connection is closed.
    mutating func closed() {
        while let action = actions.popFirst() {
            switch action {
            case .write(let reply, _, _): server.releaseBody(bytes: reply.heldBytes)
            // Nobody was asked, and nobody answers.
            case .predict, .update, .metrics: state = .idle
            case .goAhead, .awaitWritten, .read, .yield, .closeOutput, .close: break
            }
        }
        // What waits still has its inputs.
        if case .waiting = state {} else { releaseBody() }
        backlog.removeAll()
        state = .closed
    }
}
