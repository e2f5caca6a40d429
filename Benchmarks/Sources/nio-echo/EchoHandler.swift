import NIOCore
import NIOHTTP1

/// Answers a POST with its own body, as soon as all of it is there.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part):
            if body.readableBytes == 0 {
                body = part
            } else {
                body.writeBuffer(&part)
            }
        case .end:
            answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let request = head else { return }
        head = nil
        let isEcho = request.method == .POST
        var response = HTTPResponseHead(version: request.version, status: isEcho ? .ok : .methodNotAllowed)
        response.headers.add(name: "content-length", value: String(isEcho ? body.readableBytes : 0))
        if isEcho { response.headers.add(name: "content-type", value: "application/json") }
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if isEcho { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        body = ByteBuffer()
        let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard !request.isKeepAlive else { return }
        let channel = context.channel
        end.whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
