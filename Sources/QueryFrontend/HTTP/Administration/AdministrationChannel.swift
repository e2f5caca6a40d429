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

    /// How many are open, and how many more are told that they are too many.
    private final class Counts: Sendable {
        let open = Atomic(0)
        let refused = Atomic(0)
    }

    /// What the decoder keeps without reading on, in bytes: it does so after a request for a tunnel (CONNECT).
    private static let mostUndecoded = 1 << 20
    /// Refused connections that may stay for a moment at a time: descriptors are short by then.
    private static let mostRefused = 64

    private let base: HTTP1Channel
    private let limits: AdministrationConnection.Limits
    private let counts = Counts()

    init(_ responder: @escaping HTTPChannelHandler.Responder, limits: AdministrationConnection.Limits) {
        base = HTTP1Channel(
            responder: responder, configuration: HTTP1Channel.Configuration(idleTimeout: limits.idleTime))
        self.limits = limits
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let isTaken = counts.open.wrappingAdd(1, ordering: .relaxed).newValue <= limits.connections
        var limits = limits
        if isTaken {
            channel.closeFuture.whenComplete { [counts] _ in counts.open.wrappingSubtract(1, ordering: .relaxed) }
        } else {
            counts.open.wrappingSubtract(1, ordering: .relaxed)
            let refused = counts.refused.wrappingAdd(1, ordering: .relaxed).newValue
            limits.closeTime = refused <= Self.mostRefused ? .milliseconds(500) : .zero
            channel.closeFuture.whenComplete { [counts] _ in counts.refused.wrappingSubtract(1, ordering: .relaxed) }
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
            try pipeline.addHandler(
                ByteToMessageHandler(
                    RequestDecoder(progress: progress), maximumBufferSize: Self.mostUndecoded),
                position: .after(decoder.handler))
            pipeline.removeHandler(context: decoder, promise: nil)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
