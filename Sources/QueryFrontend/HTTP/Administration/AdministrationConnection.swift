import NIOCore
import NIOHTTP1

/// What a connection of the administration port does besides handing requests on and answers back.
final class AdministrationConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Limits: Sendable {
        /// Connections at a time; what comes beyond is told so.
        var connections: Int
        /// A connection on which nothing happens for so long is closed.
        var idleTime: TimeAmount
        /// A request whose body is not there after so long is refused.
        var bodyTime: TimeAmount
        /// After the last answer, input that is still on its way is thrown away for so long: closing at once would make the
        /// system reset the connection, and with it the answer.
        var closeTime = TimeAmount.seconds(5)

        init(_ limits: HTTPLimits) {
            connections = limits.administrationConnections
            idleTime = TimeAmount(limits.idleTime)
            bodyTime = TimeAmount(limits.bodyTime)
        }
    }

    /// A request that was handed on and has no answer yet.
    private struct Pending {
        var head: HTTPRequestHead
        /// Its client waits for a word before it sends the body.
        var owesGoAhead: Bool
    }

    private let limits: Limits
    private let progress: RequestProgress
    private var pending = CircularBuffer<Pending>()
    /// The body of the last one is being read.
    private var isReading = false
    /// What else comes is thrown away.
    private var isLastRead = false
    /// What is said after all other answers, instead of one.
    private var refusal: QueryReply?
    /// The last answer is given, and written.
    private var isEnding = false
    private var isWritten = false
    /// The end of the last answer so far is written.
    private var lastWritten: EventLoopFuture<Void>?
    private var isInputClosed = false
    private var bodyTimer: Scheduled<Void>?
    private var closeTimer: Scheduled<Void>?

    /// - Parameter refusal: what the client is told, whatever it asks.
    init(_ limits: Limits, progress: RequestProgress, refusal: QueryReply?) {
        self.limits = limits
        self.progress = progress
        self.refusal = refusal
        isLastRead = refusal != nil
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if refusal != nil { refuseIfNothingWaits(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        bodyTimer?.cancel()
        closeTimer?.cancel()
        context.fireChannelInactive()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        progress.note(part)
        guard !isLastRead else { return }
        switch part {
        case .head(let head):
            begin(head, context)
        case .body:
            context.fireChannelRead(data)
        case .end:
            isReading = false
            bodyTimer?.cancel()
            isLastRead = pending.last?.head.keepsConnection == false
            context.fireChannelRead(data)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let problem = head.problem(largestBody: AdministrationAPI.longestBody) { return refuse(problem, context) }
        isReading = true
        pending.append(Pending(head: head, owesGoAhead: head.expectation == .goAhead))
        if head.expectation == .goAhead { welcomeFirst(context) } else { startBodyTimer(context) }
        var head = head
        // The one word that Hummingbird looks for.
        head.headers.replaceOrAdd(name: "connection", value: head.keepsConnection ? "keep-alive" : "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Interim answers come after the answers to what was asked before.
    private func welcomeFirst(_ context: ChannelHandlerContext) {
        guard pending.first?.owesGoAhead == true else { return }
        pending[pending.startIndex].owesGoAhead = false
        // It may have sent the body unasked.
        guard isReading, pending.count == 1 else { return }
        context.writeAndFlush(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        startBodyTimer(context)
    }

    private func startBodyTimer(_ context: ChannelHandlerContext) {
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        bodyTimer = context.eventLoop.scheduleTask(in: limits.bodyTime) {
            guard handler.value.isReading else { return }
            handler.value.giveUpReading(because: .tooLate, bound.value)
        }
    }

    /// The rest of the request that is being read does not come, or is no HTTP.
    private func giveUpReading(because reply: QueryReply, _ context: ChannelHandlerContext) {
        if isReading {
            // It was answered without it.
            guard !pending.isEmpty else { return end(context) }
            // It has been handed on, and is not answered.
            pending.removeLast()
        }
        refuse(reply, context)
    }

    private func refuse(_ reply: QueryReply, _ context: ChannelHandlerContext) {
        refusal = reply
        isLastRead = true
        isReading = false
        bodyTimer?.cancel()
        refuseIfNothingWaits(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser has given up already; what else comes is thrown away.
        if case ByteToMessageDecoderError.dataReceivedInErrorState = error { return }
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        guard !isLastRead else { return }
        giveUpReading(because: .broken(error), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            if isWritten { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isEnding, let first = pending.first else {
            // The answer to a request that was given up meanwhile.
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if !first.head.keepsConnection {
                head.headers.replaceOrAdd(name: "connection", value: "close")
            } else if first.head.version.minor == 0 {
                head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            pending.removeFirst()
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            lastWritten = written.futureResult
            context.writeAndFlush(data, promise: written)
            if !first.head.keepsConnection { return end(context) }
            welcomeFirst(context)
            refuseIfNothingWaits(context)
        }
    }

    private func refuseIfNothingWaits(_ context: ChannelHandlerContext) {
        guard let refusal, pending.isEmpty, !isEnding, context.channel.isActive else { return }
        var headers: HTTPHeaders = [
            "content-type": refusal.contentType, "content-length": "\(refusal.body.readableBytes)",
            "connection": "close",
        ]
        if let retryAfter = refusal.retryAfter {
            headers.add(name: "retry-after", value: "\(retryAfter.components.seconds)")
        }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(refusal.body))), promise: nil)
        lastWritten = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        end(context)
    }

    /// The last answer is given.
    private func end(_ context: ChannelHandlerContext) {
        isEnding = true
        isLastRead = true
        bodyTimer?.cancel()
        (lastWritten ?? context.eventLoop.makeSucceededVoidFuture()).assumeIsolated().whenComplete { _ in
            self.endWritten(context)
        }
    }

    private func endWritten(_ context: ChannelHandlerContext) {
        isWritten = true
        if isInputClosed { return context.close(promise: nil) }
        let channel = context.channel
        // First: where the client has closed its side, the close below closes both, and cancels it.
        closeTimer = context.eventLoop.scheduleTask(in: limits.closeTime) { channel.close(promise: nil) }
        context.close(mode: .output, promise: nil)
    }

    /// Hummingbird closes its side behind its last answer, which may have a long way to go, and closing both sides would cut
    /// it off; here that is done when the answer is written.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        if !isEnding { end(context) }
        promise?.succeed()
    }
}
