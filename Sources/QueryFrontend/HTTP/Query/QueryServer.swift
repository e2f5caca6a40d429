import ContainerRPC
import NIOCore
import NIOHTTP1
import NIOPosix

/// The query API over HTTP/1.1, straight on SwiftNIO.
final class QueryServer: Sendable {
    /// What one turn of an event loop reads of a connection at most, in bytes.
    private static let mostPerRead = 16 << 10

    private let group: any EventLoopGroup
    private let dispatcher: Dispatcher
    private let limits: HTTPLimits
    private let loops: [NIOLoopBoundBox<QueryLoop?>]
    private let channel: any Channel
    private let state: QueryServerState

    /// What monitors may ask, also elsewhere.
    var monitoring: Monitoring { Monitoring(dispatcher: dispatcher, server: state, pages: state.pages) }

    /// The address that it is bound to.
    var address: SocketAddress? { channel.localAddress }

    private init(
        group: any EventLoopGroup, dispatcher: Dispatcher, limits: HTTPLimits, loops: [NIOLoopBoundBox<QueryLoop?>],
        channel: any Channel, state: QueryServerState
    ) {
        self.group = group
        self.dispatcher = dispatcher
        self.limits = limits
        self.loops = loops
        self.channel = channel
        self.state = state
    }

    /// Binds and begins to serve.
    ///
    /// - Parameter firstQueryID: the id of the first query; those of a store's earlier frontends must not come again,
    ///   because feedback could name them.
    static func start(
        host: String, port: Int, group: any EventLoopGroup, dispatcher: Dispatcher, catalog: Catalog,
        limits: HTTPLimits, firstQueryID: UInt64 = 0
    ) async throws -> QueryServer {
        let state = QueryServerState(firstQueryID: firstQueryID)
        var loops: [NIOLoopBoundBox<QueryLoop?>] = []
        var byLoop: [ObjectIdentifier: NIOLoopBoundBox<QueryLoop?>] = [:]
        let routes = Routes(catalog, handles: dispatcher.handles)
        for eventLoop in group.makeIterator() {
            let box = NIOLoopBoundBox<QueryLoop?>.makeEmptyBox(valueType: QueryLoop.self, eventLoop: eventLoop)
            let sink = await dispatcher.addSink(QueryLoopSink(eventLoop: eventLoop, loop: box))
            try await eventLoop.submit {
                box.value = QueryLoop(
                    eventLoop: eventLoop, dispatcher: dispatcher, sink: sink, routes: routes, limits: limits,
                    server: state)
            }.get()
            loops.append(box)
            byLoop[ObjectIdentifier(eventLoop)] = box
        }
        let boxes = byLoop
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Without a descriptor left, accepting fails at once, again and again: it waits a little each time.
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false))
                }
            }
            .childChannelInitializer { channel in
                guard state.admitConnection(limit: limits.connections) else {
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            RefusedConnection(limit: limits.connections, state))
                    }
                }
                // Not the handler says that it is over: a channel that closes before it is active tells no handler.
                channel.closeFuture.whenComplete { _ in state.connectionClosed() }
                return channel.eventLoop.makeCompletedFuture {
                    let sync = channel.pipeline.syncOperations
                    let progress = RequestProgress()
                    try sync.addHandler(RequestDecoder.makeHandler(progress))
                    guard let loop = boxes[ObjectIdentifier(channel.eventLoop)]?.value else {
                        preconditionFailure("every event loop of the group has its state")
                    }
                    try sync.addHandler(QueryHandler(loop: loop, progress: progress))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Of small requests that a client sends without waiting, one read holds hundreds, and all of them are decoded
            // before the first is answered.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 4096, maximum: Self.mostPerRead)
            )
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: host, port: port).get()
        return QueryServer(
            group: group, dispatcher: dispatcher, limits: limits, loops: loops, channel: channel, state: state)
    }

    /// Takes consecutive query ids, and returns the first.
    func takeQueryIDs(_ count: Int) -> UInt64 {
        state.takeQueryIDs(count)
    }

    /// Takes over a new catalog on every event loop.
    func publish(_ catalog: Catalog, _ routes: Routes) async {
        for (eventLoop, box) in zip(group.makeIterator(), loops) {
            // Fails only after the loop's end, when nobody is served any more.
            try? await eventLoop.submit { box.value?.routes = routes }.get()
        }
        state.keepRejected(of: Set(catalog.applications.keys.map { dispatcher.handles.handle(forApplication: $0) }))
    }

    /// Says to whoever asks that it is not ready any more, and serves on.
    func announceStop() {
        state.announceStop()
    }

    /// Stops accepting, answers what is in flight, and returns when the last connection is closed.
    ///
    /// - Parameter limit: connections that are still open then are left.
    func drain(within limit: Duration) async {
        state.beginDraining()
        try? await channel.close().get()
        for (eventLoop, box) in zip(group.makeIterator(), loops) {
            try? await eventLoop.submit { box.value?.drain() }.get()
        }
        await withTaskGroup { group in
            group.addTask { [state] in await state.allConnectionsClosed() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Tells a client that there is no room for its connection, and closes it.
private final class RefusedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let limit: Int
    private let state: QueryServerState
    private var closing: Scheduled<Void>?

    init(limit: Int, _ state: QueryServerState) {
        self.limit = limit
        self.state = state
    }

    func channelActive(context: ChannelHandlerContext) {
        let reply = QueryReply.tooManyConnections(limit)
        state.noteError(reply.status)
        var date = HTTPDate()
        let channel = context.channel
        let patience = state.refused.patience(for: channel)
        // Before anything that can end the connection, which cancels it.
        closing = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        channel.writeAndFlush(reply.response(date: date.text(), connection: "close", withBody: true).0, promise: nil)
        channel.close(mode: .output, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }
}
