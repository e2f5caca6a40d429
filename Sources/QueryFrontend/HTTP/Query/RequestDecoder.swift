import NIOCore
import NIOHTTP1

/// What the handler of requests tells the decoder before it.
final class RequestProgress {
    private var isOffer = false
    /// The last request that is read offers to change the protocol.
    fileprivate var isBehindOffer = false

    /// A part of a request has been read.
    func note(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head):
            isBehindOffer = false
            isOffer =
                head.headers.contains(name: "upgrade")
                && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
                // The parser takes no tab for the end of a word, and so no offer for one.
                && !head.headers["connection"].contains { $0.utf8.contains(0x09) }
        case .body: break
        case .end: isBehindOffer = isOffer
        }
    }
}

/// NIO's decoder of requests, which goes on behind an offer to change the protocol, such as every request of Java's client is.
/// By itself it reads no further after one, whether it is taken or not: then another one takes its place.
struct RequestDecoder: ByteToMessageDecoder {
    typealias InboundOut = HTTPServerRequestPart

    /// What is kept without reading on, in bytes: that happens after a request for a tunnel (CONNECT).
    private static let mostUndecoded = 1 << 20

    private let progress: RequestProgress
    private var decoder = Self.makeDecoder()

    init(progress: RequestProgress) {
        self.progress = progress
    }

    /// The decoder as a handler of a channel.
    static func makeHandler(_ progress: RequestProgress) -> ByteToMessageHandler<RequestDecoder> {
        ByteToMessageHandler(RequestDecoder(progress: progress), maximumBufferSize: mostUndecoded)
    }

    private static func makeDecoder() -> HTTPRequestDecoder { HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes) }

    func decoderAdded(context: ChannelHandlerContext) {
        decoder.decoderAdded(context: context)
    }

    func decoderRemoved(context: ChannelHandlerContext) {
        decoder.decoderRemoved(context: context)
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let state = try decoder.decode(context: context, buffer: &buffer)
        guard progress.isBehindOffer else { return state }
        // What is between two requests has been read: nothing is lost with the one that is spent.
        progress.isBehindOffer = false
        decoder.decoderRemoved(context: context)
        decoder = Self.makeDecoder()
        decoder.decoderAdded(context: context)
        return buffer.readableBytes > 0 ? .continue : .needMoreData
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while buffer.readableBytes > 0, case .continue = try decode(context: context, buffer: &buffer) {}
        return try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: seenEOF)
    }
}
