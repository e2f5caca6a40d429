import ContainerRPC
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// The administration API over HTTP; a shell that moves bytes and decides nothing.
extension AdministrationAPI {
    /// A router that answers every path under `/admin`, and every unknown path with a 404 as JSON.
    ///
    /// Routes that are added to it answer too.
    ///
    /// - Parameter logger: Takes changes (info) and failures (error).
    func router(logger: Logger) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: AdministrationMiddleware(api: self, logger: logger))
        return router
    }

    /// The HTTP server of this API, a service for a service group.
    ///
    /// - Parameters:
    ///   - host: The address to bind to.
    ///   - port: The port to bind to; 0 lets the system pick one.
    ///   - limits: What its clients may ask of it: connections, idle time and the time that a body may take.
    ///   - eventLoopGroup: The threads that it runs on.
    ///   - logger: Takes changes (info) and failures (error).
    ///   - routes: Adds what else is to be answered.
    ///   - onServerRunning: Called with the bound port once connections are accepted.
    func server(
        host: String, port: Int, limits: HTTPLimits, eventLoopGroup: any EventLoopGroup, logger: Logger,
        routes: (Router<BasicRequestContext>) -> Void = { _ in },
        onServerRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) -> some Service {
        // Hummingbird tells everybody about its own start; the frontend prints one line for all its ports.
        var quietLogger = logger
        quietLogger.logLevel = max(logger.logLevel, .notice)
        let router = router(logger: logger)
        routes(router)
        // Not its `Application`: that asks Foundation for the date once a second, whose calendars take two megabytes.
        let responder = router.buildResponder()
        return Server(
            childChannelSetup: AdministrationChannel(
                { request, writer, channel in
                    let context = BasicRequestContext(
                        source: ApplicationRequestContextSource(channel: channel, logger: logger))
                    let response = try await Self.response(to: request, by: responder, in: context)
                    // Bodies are whole: none throws in the middle, where a second answer would follow.
                    try await writer.write(response: response.head, body: response.body)
                }, limits: AdministrationConnection.Limits(limits)),
            configuration: ServerConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in await onServerRunning(channel.localAddress?.port ?? port) },
            eventLoopGroup: eventLoopGroup, logger: quietLogger)
    }

    /// - Throws: `HTTPParserError` where the body is no HTTP: the connection answers that itself.
    private static func response(
        to request: Request, by responder: some HTTPResponder<BasicRequestContext>, in context: BasicRequestContext
    ) async throws -> Response {
        var response: Response
        do {
            response = try await responder.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            context.logger.error(
                "administration failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            response = Response(status: .internalServerError)
        }
        var date = HTTPDate()
        response.headers[.date] = date.text()
        return response
    }
}

/// Stands before the routes, so that it sees unknown paths and methods as well.
private struct AdministrationMiddleware: RouterMiddleware {
    let api: AdministrationAPI
    let logger: Logger

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard path.hasPrefix("/admin/") else {
            do {
                return try await next(request, context)
            } catch let error as HTTPError where error.status.code == 404 {
                guard Monitoring.paths.contains(path) else { return response(.notFound(path: path), to: request) }
                let reply = AdministrationReply.methodNotAllowed(
                    path: path, method: request.method.rawValue, allowed: "GET")
                return response(reply, to: request)
            }
        }
        if request.method != .get, let origin = request.headers[.origin],
            !AdministrationAPI.isOwn(origin: origin, host: request.head.authority)
        {
            return response(.foreign(origin: origin), to: request)
        }
        let (reply, body) = try await reply(to: request, path: path)
        if reply.status >= 500 {
            logger.error("administration failed", metadata: ["path": "\(path)", "reply": "\(reply.body)"])
        } else if reply.status == 200, let operation = AdministrationOperation(path: path), operation.isOrder {
            log(reply, to: operation, path: path, body: body)
        }
        return response(reply, to: request)
    }

    /// What was changed, or ordered. An answer that is JSON is for programs, and no message.
    private func log(_ reply: AdministrationReply, to operation: AdministrationOperation, path: String, body: String) {
        var message = operation.isChange ? "catalog changed" : "order carried out"
        var about: Logger.Metadata = ["path": "\(path)", "request": "\(PeerText.line(body))"]
        switch reply.format {
        case .text: message += ": " + PeerText.line(reply.body)
        case .json: about["reply"] = "\(PeerText.line(reply.body))"
        }
        logger.info("\(message)", metadata: about)
    }

    private func reply(
        to request: Request, path: String
    ) async throws -> (reply: AdministrationReply, body: String) {
        do {
            let body = try await request.body.collect(upTo: AdministrationAPI.longestBody)
            let reply = await api.respond(
                method: request.method.rawValue, path: path, body: Array(body.readableBytesView))
            return (reply, String(buffer: body))
        } catch is NIOTooManyBytesError {
            return (AdministrationAPI.bodyTooLong, "")
        }
    }

    private func response(_ reply: AdministrationReply, to request: Request) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = reply.format == .json ? "application/json" : "text/plain; charset=utf-8"
        if let method = reply.allowedMethod { headers[.allow] = method }
        let response = Response(
            status: .init(code: reply.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: reply.body)))
        return request.method == .head ? response.createHeadResponse() : response
    }
}
