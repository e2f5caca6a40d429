import ContainerRPC
import NIOCore
import NIOHTTP1

/// One connection of the query API, around the value that decides what it does.
///
/// It does for itself what NIO's pipelining handler and response encoder do: the first stops reading during every
/// request, which costs two system calls each, and the second takes an answer in three pieces.
final class QueryHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private let loop: QueryLoop
    private let progress: RequestProgress
    private var context: ChannelHandlerContext?
    private var connection: QueryConnection
    private var isActing = false
    /// Closes the connection once its last answer is written, should the client not do so.
    private var closing: Scheduled<Void>?

    init(loop: QueryLoop, progress: RequestProgress) {
        self.loop = loop
        self.progress = progress
        connection = QueryConnection(loop.server, routes: loop.routes, limits: loop.limits, now: .now())
    }

    // MARK: Events of the channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        connection.routes = loop.routes
        context.fireChannelActive()
        // It was accepted just before the server stopped accepting.
        if loop.isDraining { drain() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        closing?.cancel()
        connection.closed()
        loop.remove(self)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        progress.note(part)
        connection.read(part, now: .now())
        act()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        connection.readComplete()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        connection.readAsked()
        act()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection.writabilityChanged(context.channel.isWritable, now: .now())
        act()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser has given up already; what else comes is thrown away.
        if case ByteToMessageDecoderError.dataReceivedInErrorState = error { return }
        // Of a channel that is closed the parser says that half a request is none, for nobody to hear.
        if let error = error as? HTTPParserError, context.channel.isActive {
            connection.inputBroken(error)
        } else {
            connection.failed()
        }
        act()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            connection.inputClosed()
            act()
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Events of the loop

    /// The answer to the request that waits is there.
    func answer(_ reply: QueryReply) {
        connection.answer(reply, now: .now())
        act()
    }

    /// Others have had their turn.
    func goOn() {
        connection.goOn(now: .now())
        act()
    }

    /// The applications are others from now on.
    func take(_ routes: Routes) {
        connection.routes = routes
    }

    /// A second has passed.
    func tick(now: MonotonicTime) {
        let channel = context?.channel
        let isWritable = channel?.isWritable ?? true
        connection.tick(
            now: now,
            bytesLeft: isWritable ? nil : try? channel?.syncOptions?.getOption(.bufferedWritableBytes))
        act()
    }

    /// The server stops.
    func drain() {
        connection.drain()
        act()
    }

    // MARK: Actions

    /// Does what follows from an event. What happens meanwhile, such as an answer that is there at once, is an event too,
    /// whose actions come behind.
    private func act() {
        guard !isActing else { return }
        isActing = true
        while let action = connection.next() { perform(action) }
        isActing = false
    }

    private func perform(_ action: QueryConnection.Action) {
        switch action {
        case .predict(let body, let route, let trace): loop.predict(body, route, trace, for: self)
        case .update(let body, let route): loop.update(body, route, for: self)
        case .metrics(let asPrometheus): loop.sendMetrics(asPrometheus: asPrometheus, to: self)
        case .goAhead:
            context?.writeAndFlush(
                wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        case .write(let reply, let connection, let withBody):
            write(
                reply.response(date: loop.date.text(), connection: connection, withBody: withBody),
                heldBytes: reply.heldBytes)
        case .awaitWritten:
            // Behind it.
            context?.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
                self.connection.written()
                self.act()
            }
        case .read: context?.read()
        case .yield: loop.letOthers(before: self)
        case .closeOutput(let patience): closeOutput(patience: patience)
        case .close: context?.close(promise: nil)
        }
    }

    private func write(_ response: (ByteBuffer, rest: ByteBuffer?), heldBytes: Int) {
        guard let context else { return loop.server.releaseBody(bytes: heldBytes) }
        if response.rest != nil { context.write(wrapOutboundOut(response.0), promise: nil) }
        let last = wrapOutboundOut(response.rest ?? response.0)
        // Of most answers nobody needs to know when they have left.
        guard heldBytes > 0 else { return context.writeAndFlush(last, promise: nil) }
        let server = loop.server
        context.writeAndFlush(last).whenComplete { _ in server.releaseBody(bytes: heldBytes) }
    }

    private func closeOutput(patience: Duration) {
        guard let channel = context?.channel else { return }
        closing?.cancel()
        closing = loop.eventLoop.scheduleTask(in: TimeAmount(patience)) { channel.close(promise: nil) }
        // Where the client has closed its side this closes both, and whoever hears of that cancels what is scheduled.
        channel.close(mode: .output, promise: nil)
    }
}
