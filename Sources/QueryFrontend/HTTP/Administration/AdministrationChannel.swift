import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Hummingbird's connections, with what the query port's have besides: they go on behind an offer to change the protocol,
/// answer who waits with the body, end when the client or HTTP says so, and are bounded in number and time.
struct AdministrationChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    /// How many are open.
    private final class Count: Sendable {
        let value = Atomic(0)
    }

    private let base: HTTP1Channel
    private let limits: AdministrationConnection.Limits
    private let open = Count()
    private let refused = RefusedConnections()

    init(_ responder: @escaping HTTPChannelHandler.Responder, limits: AdministrationConnection.Limits) {
        base = HTTP1Channel(
            responder: responder, configuration: HTTP1Channel.Configuration(idleTimeout: limits.idleTime))
        self.limits = limits
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let isTaken = open.value.wrappingAdd(1, ordering: .relaxed).newValue <= limits.connections
        var limits = limits
        if isTaken {
            channel.closeFuture.whenComplete { [open] _ in open.value.wrappingSubtract(1, ordering: .relaxed) }
        } else {
            open.value.wrappingSubtract(1, ordering: .relaxed)
            limits.closeTime = refused.patience(for: channel)
        }
        let refusal = isTaken ? nil : QueryReply.tooManyConnections(limits.connections)
        let adjusted = limits
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            // On the channel's event loop, before anything has been read.
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let progress = RequestProgress()
            try pipeline.addHandler(
                AdministrationConnection(adjusted, progress: progress, refusal: refusal),
                position: .after(decoder.handler))
            try pipeline.addHandler(RequestDecoder.makeHandler(progress), position: .after(decoder.handler))
            pipeline.removeHandler(context: decoder, promise: nil)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
