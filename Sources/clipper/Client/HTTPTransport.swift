import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// HTTP/1.1 by SwiftNIO, one connection a request.
///
/// Foundation's URLSession would do, but its libraries would cost `clipper serve`, the same program, five megabytes.
struct HTTPTransport: FrontendTransport {
    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        guard let url = address.url(path: request.path), let host = url.host else {
            throw NoAnswerError.other("\(address) makes no URL")
        }
        let port = url.port ?? 80
        let plainHost = host.trimmingCharacters(in: ["[", "]"])
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let answer = loop.makePromise(of: FrontendReply.self)
        // One for all of it: a server that sends a byte now and then would else be waited for without an end.
        let deadline = NIODeadline.now() + TimeAmount(patience)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(min(.seconds(10), TimeAmount(patience)))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let sync = channel.pipeline.syncOperations
                        try sync.addHTTPClientHandlers()
                        try sync.addHandler(ReplyCollector(promise: answer, deadline: deadline))
                    }
                }
                .connect(host: plainHost, port: port).get()
            send(
                request, path: url.path(percentEncoded: true), host: FrontendAddress.hostHeader(plainHost, port),
                by: channel)
        } catch {
            let problem = Self.problem(of: error)
            answer.fail(problem)
            throw problem
        }
        return try await answer.futureResult.get()
    }

    private func send(
        _ request: FrontendRequest, path: String, host: String, by channel: any Channel
    ) {
        var headers: HTTPHeaders = ["Host": host, "Connection": "close"]
        if let body = request.body {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: String(body.text.utf8.count))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: path.isEmpty ? "/" : path,
            headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body = request.body {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body.text))), promise: nil)
        }
        // An answer may come before all of it is sent, and ends the connection: only the answer tells how it went.
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    private static func problem(of error: any Error) -> NoAnswerError {
        switch error {
        case let error as NoAnswerError:
            return error
        case let error as NIOConnectionError:
            if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
                return .unknownHost
            }
            let first = error.connectionErrors.first?.error
            return first.map(problem) ?? .other("the connection failed")
        case let error as IOError where error.errnoCode == ECONNREFUSED:
            return .refused
        case is ChannelError:
            return .silent
        default:
            return .other("\(error)")
        }
    }
}

/// Puts the parts of an answer together.
private final class ReplyCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    /// No frontend answers with more bytes.
    private static let mostBytes = 512 << 20

    private let promise: EventLoopPromise<FrontendReply>
    private let deadline: NIODeadline
    private var timeout: Scheduled<Void>?
    private var status = 0
    private var body = ByteBuffer()

    init(promise: EventLoopPromise<FrontendReply>, deadline: NIODeadline) {
        self.promise = promise
        self.deadline = deadline
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(deadline: deadline) { [promise] in
            promise.fail(NoAnswerError.silent)
            channel.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(var bytes):
            guard body.readableBytes + bytes.readableBytes <= Self.mostBytes else {
                promise.fail(
                    NoAnswerError.noFrontend("its answer is longer than \(ByteCountText.format(Self.mostBytes))"))
                return context.close(promise: nil)
            }
            body.writeBuffer(&bytes)
        case .end:
            promise.succeed(FrontendReply(status: status, body: String(buffer: body)))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let problem: NoAnswerError =
            switch error {
            // A process that is killed ends what it was writing, or has its connections reset.
            case HTTPParserError.invalidEOFState: .lost
            case let error as IOError where error.errnoCode == ECONNRESET: .lost
            case is HTTPParserError: .noFrontend("its answer is not HTTP")
            default: .other("\(error)")
            }
        promise.fail(problem)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        // Without effect where the answer has come.
        promise.fail(NoAnswerError.lost)
    }
}
