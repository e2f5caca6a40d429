import ContainerRPC
import NIOCore
import NIOHTTP1

/// One connection of the query API: reads requests, and writes their answers in order.
///
/// It does for itself what NIO's pipelining handler and response encoder do: the first stops reading during every
/// request, which costs two system calls each, and the second takes an answer in three pieces.
final class QueryHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Between requests.
        case idle
        /// A body is being read.
        case reading(HTTPRequestHead, RequestPurpose, ByteBuffer, since: NIODeadline)
        /// The last answer is given; what else comes is thrown away, and the connection closes.
        case ending(isWritten: Bool)
        /// A request waits for its answer.
        case waiting(keepAlive: Bool)
    }

    /// Requests of one connection that a turn of the event loop answers at most: other connections have theirs in between.
    private static let mostPerTurn = 8

    private let loop: QueryLoop
    private let progress: RequestProgress
    private var context: ChannelHandlerContext?
    private var state = State.idle
    private var lastActivity = NIODeadline.now()
    /// Bytes of answers that a client which reads slowly has not taken yet, when last looked at.
    private var bytesLeft = 0
    /// Bytes of the body of the request that is read or waits.
    private var heldBytes = 0
    /// What came of the next requests while one was waiting for its answer.
    private var backlog: RequestBacklog
    /// Nothing is read while there is a backlog: a client that sends without waiting is held back by its own socket.
    private var isReadHeld = false
    private var isHandlingBacklog = false
    /// It goes on with the backlog in its next turn.
    private var isYielding = false
    /// Requests that have come with what is being read.
    private var requestsOfRead = 0
    /// Closes the connection once its last answer is written, should the client not do so.
    private var closing: Scheduled<Void>?
    /// Nothing more comes: the client has closed its side, and may still read answers.
    private var isInputClosed = false
    /// What came after the last good request is no HTTP: it is answered after all before it.
    private var brokenInput: QueryReply?
    /// HTTP/1.0 closes unless both sides say otherwise.
    private var saysKeepAlive = false
    /// The answer to `HEAD` is the one to `GET` without its body.
    private var isHead = false

    init(loop: QueryLoop, progress: RequestProgress) {
        self.loop = loop
        self.progress = progress
        backlog = RequestBacklog(loop.server, limit: loop.limits.bodies)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        context.fireChannelActive()
        // It was accepted just before the server stopped accepting.
        if loop.isDraining { drain() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        closing?.cancel()
        switch state {
        case .waiting: break  // What waits still has its inputs.
        case .idle, .reading, .ending: releaseBody()
        }
        backlog.removeAll()
        loop.remove(self)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        progress.note(part)
        switch state {
        case .waiting: keep(part)
        case .ending: break
        case .idle, .reading:
            if case .head = part { requestsOfRead += 1 }
            if backlog.isEmpty, !isYielding, requestsOfRead <= Self.mostPerTurn { return handle(part) }
            keep(part)
            yield()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        requestsOfRead = 0
        context.fireChannelReadComplete()
    }

    /// Keeps what was read ahead.
    private func keep(_ part: HTTPServerRequestPart) {
        // What comes after that is thrown away.
        guard brokenInput == nil else { return }
        if !backlog.append(part) {
            brokenInput = .overloaded(
                because: "the requests that wait would take more than \(loop.limits.bodies) bytes")
        }
    }

    func read(context: ChannelHandlerContext) {
        // A client that does not read its answers gets no more of them: they would pile up here.
        if backlog.isEmpty, context.channel.isWritable {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { handleBacklog() }
        context.fireChannelWritabilityChanged()
    }

    private func handle(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): append(bytes)
        case .end: finish()
        }
    }

    /// Goes on with what came meanwhile, up to the next request that has to wait.
    private func handleBacklog() {
        // An answer that is given at once comes back here from below: the loop already runs.
        guard !isHandlingBacklog, !isYielding else { return }
        isHandlingBacklog = true
        defer { isHandlingBacklog = false }
        var requests = 0
        while !backlog.isEmpty {
            switch state {
            case .waiting, .ending: return
            case .idle, .reading: break
            }
            guard context?.channel.isWritable == true else { return }
            if backlog.beginsRequest {
                requests += 1
                guard requests <= Self.mostPerTurn else { return yield() }
            }
            handle(backlog.removeFirst())
        }
        switch state {
        // What comes after a last answer is thrown away, and has to be read for that.
        case .waiting, .ending: releaseRead()
        case .idle, .reading:
            if let brokenInput {
                isHead = false
                refuse(brokenInput)
            } else if isInputClosed {
                // What is left of a request whose end cannot come needs no answer.
                closeWhenWritten()
            } else {
                releaseRead()
            }
        }
    }

    /// A client that sends thousands of requests at once keeps nobody else waiting.
    private func yield() {
        guard !isYielding else { return }
        isYielding = true
        loop.letOthers(before: self)
    }

    /// Others have had their turn.
    func goOn() {
        isYielding = false
        handleBacklog()
    }

    private func releaseRead() {
        guard isReadHeld, let context else { return }
        isReadHeld = false
        read(context: context)
    }

    // MARK: Reading

    private func begin(_ head: HTTPRequestHead) {
        lastActivity = .now()
        isHead = head.method == .HEAD
        let purpose = RequestPurpose(of: head, routes: loop.routes, isDraining: loop.isDraining)
        if let problem = head.problem(largestBody: loop.limits.largestBody) { return refuse(problem) }
        if head.expectation == .goAhead {
            if case .reply(let reply) = purpose { return refuse(reply) }
            context?.writeAndFlush(
                wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        state = .reading(head, purpose, ByteBuffer(), since: lastActivity)
    }

    private func append(_ bytes: ByteBuffer) {
        guard case .reading(let head, let purpose, var body, let since) = state else { return }
        lastActivity = .now()
        guard body.readableBytes + bytes.readableBytes <= loop.limits.largestBody else {
            return refuse(.tooLarge(largestBody: loop.limits.largestBody))
        }
        guard let route = purpose.route else { return }
        guard loop.server.holdBody(bytes: bytes.readableBytes, limit: loop.limits.bodies) else {
            loop.server.noteRejected(route.handle)
            return refuse(
                .overloaded(
                    because: "the bodies of the requests under way would take more than \(loop.limits.bodies) bytes"))
        }
        heldBytes += bytes.readableBytes
        // While the state holds the buffer too, appending would copy it.
        state = .idle
        if body.readableBytes == 0 {
            body = bytes
        } else {
            var bytes = bytes
            body.writeBuffer(&bytes)
        }
        state = .reading(head, purpose, body, since: since)
    }

    /// Answers a request whose rest is not worth reading.
    private func refuse(_ reply: QueryReply) {
        state = .waiting(keepAlive: false)
        answer(reply)
    }

    private func finish() {
        guard case .reading(let head, let purpose, let body, _) = state else { return }
        state = .waiting(keepAlive: head.keepsConnection)
        saysKeepAlive = head.version.minor == 0
        switch purpose.renewed(from: loop.routes) {
        case .predict(let route, let trace): predict(body, route, trace)
        case .update(let route): update(body, route)
        case .metrics(let asPrometheus): loop.sendMetrics(asPrometheus: asPrometheus, to: self)
        case .reply(let reply): answer(reply)
        }
    }

    // MARK: Answering

    private func predict(_ bytes: ByteBuffer, _ route: Route, _ trace: QueryTrace?) {
        let arrived = loop.arrival()
        do {
            let body = try loop.parser.parse(bytes, inputType: route.inputType, readsUser: route.learns)
            var model = route.current
            if let version = body.version {
                guard let known = route.versions[version] else {
                    return answer(.error(.badRequest, "Query processing error", cause: route.unknown(version)))
                }
                model = known
            }
            guard body.inputs.count > 0 else {
                return answer(QueryReply(status: .ok, body: ByteBuffer(string: "{\"batch_predictions\":[]}")))
            }
            loop.submit(body, model: model, route: route, trace: trace, arrived: arrived, handler: self)
        } catch {
            answer(.error(.badRequest, "Json error", cause: error.cause))
        }
    }

    private func update(_ bytes: ByteBuffer, _ route: Route) {
        do {
            let feedback = try loop.parser.parseFeedback(
                bytes, inputType: route.inputType, isStrict: !route.learns)
            loop.submit(feedback, route: route, arrived: loop.arrival(), handler: self)
        } catch {
            answer(.error(.badRequest, "Json error", cause: error.cause))
        }
    }

    private func releaseBody() {
        guard heldBytes > 0 else { return }
        loop.server.releaseBody(bytes: heldBytes)
        heldBytes = 0
    }

    /// Writes the answer to the request that waits. A connection that is gone meanwhile needs none.
    func answer(_ reply: QueryReply) {
        releaseBody()
        guard let context, case .waiting(let keepAlive) = state else {
            return loop.server.releaseBody(bytes: reply.heldBytes)
        }
        if reply.status.code >= 400 { loop.server.noteError(reply.status) }
        lastActivity = .now()
        let isLast = isInputClosed || loop.isDraining
        let closes = !keepAlive || (isLast && backlog.isEmpty && brokenInput == nil)
        state = closes ? .ending(isWritten: false) : .idle
        let connection = closes ? "close" : saysKeepAlive ? "keep-alive" : nil
        let response = reply.response(date: loop.date.text(), connection: connection, withBody: !isHead)
        guard closes else {
            write(response, heldBytes: reply.heldBytes, in: context)
            if !backlog.isEmpty || brokenInput != nil { handleBacklog() }
            return
        }
        backlog.removeAll()
        releaseRead()
        write(response, heldBytes: reply.heldBytes, in: context)
        // Behind it.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in self.end() }
    }

    private func write(_ response: (ByteBuffer, rest: ByteBuffer?), heldBytes: Int, in context: ChannelHandlerContext) {
        if response.rest != nil { context.write(wrapOutboundOut(response.0), promise: nil) }
        let last = wrapOutboundOut(response.rest ?? response.0)
        // Of most answers nobody needs to know when they have left.
        guard heldBytes > 0 else { return context.writeAndFlush(last, promise: nil) }
        let server = loop.server
        context.writeAndFlush(last).whenComplete { _ in server.releaseBody(bytes: heldBytes) }
    }

    /// The last answer is written.
    private func end() {
        guard let channel = context?.channel else { return }
        state = .ending(isWritten: true)
        if isInputClosed { return channel.close(promise: nil) }
        // Input that is still on its way would make the system reset the connection and with it the answer: what comes is
        // read and thrown away, for a few seconds at most.
        channel.close(mode: .output, promise: nil)
        let patience = loop.isDraining ? TimeAmount.milliseconds(250) : .seconds(5)
        closing = loop.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    // MARK: Trouble and time

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser has given up already; what else comes is thrown away.
        if case ByteToMessageDecoderError.dataReceivedInErrorState = error { return }
        guard let error = error as? HTTPParserError else {
            context.close(promise: nil)
            return
        }
        brokenInput = brokenInput ?? .broken(error)
        switch state {
        case .waiting, .ending:
            break
        case .idle, .reading:
            handleBacklog()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            switch state {
            case .waiting: break
            // A client that reads slowly may still be owed answers to what it has sent.
            case .idle, .reading: if backlog.isEmpty, brokenInput == nil { closeWhenWritten() }
            case .ending(let isWritten): if isWritten { context.close(promise: nil) }
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Looked at once a second.
    func closeIfIdle(now: NIODeadline) {
        noteProgress(now: now)
        switch state {
        case .waiting:
            break
        case .reading(_, _, _, let since):
            if now - since > TimeAmount(loop.limits.bodyTime) {
                refuse(.tooLate)
            }
        case .idle, .ending:
            guard now - lastActivity > TimeAmount(loop.limits.idleTime) else { return }
            // What the decoder says of half a request then is no error of anybody's.
            state = .ending(isWritten: true)
            context?.close(promise: nil)
        }
    }

    /// A client that reads a long answer slowly is not idle.
    private func noteProgress(now: NIODeadline) {
        guard let channel = context?.channel, !channel.isWritable,
            let left = try? channel.syncOptions?.getOption(.bufferedWritableBytes), left != bytesLeft
        else { return }
        bytesLeft = left
        lastActivity = now
    }

    /// The server stops: a connection that waits for nothing closes now, any other after its answer.
    func drain() {
        switch state {
        case .idle: if backlog.isEmpty, brokenInput == nil { closeWhenWritten() }
        case .ending(let isWritten): if isWritten { context?.close(promise: nil) }
        case .waiting, .reading: break
        }
    }

    /// Closes the connection once all answers have left.
    private func closeWhenWritten() {
        guard let context else { return }
        state = .ending(isWritten: false)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in self.end() }
    }
}

extension Route {
    /// Why a version that was asked for cannot answer.
    fileprivate func unknown(_ version: String) -> String {
        guard let modelName else {
            return "Requested version: \(version) does not exist: no model is linked to application: \(name)"
        }
        return "Requested version: \(version) does not exist for model: \(modelName)"
    }
}
