import ContainerRPC
import NIOCore
import NIOHTTP1

/// What a request is for, as its head says: path, method and headers.
enum RequestPurpose {
    case predict(Route, QueryTrace?)
    case update(Route)
    case metrics(asPrometheus: Bool)
    /// It is answered so, whatever its body holds.
    case reply(QueryReply)

    init(of head: HTTPRequestHead, routes: Routes, isStopping: Bool) {
        let path = QueryPath(target: head.uri)
        let expected: HTTPMethod
        switch path {
        case .predict(let name), .update(let name):
            expected = .POST
            guard let route = routes[application: name] else {
                self = Self.unknownApplication(name)
                return
            }
            if case .predict = path {
                self = .predict(route, Self.trace(in: head.headers))
            } else {
                self = .update(route)
            }
        case .metrics:
            expected = .GET
            self = .metrics(asPrometheus: Self.prefersText(head.headers))
        case .live:
            expected = .GET
            self = .reply(.live)
        case .ready:
            expected = .GET
            self = .reply(.ready(isStopping: isStopping))
        case .unknown:
            self = .reply(
                .error(
                    .notFound, "Path not found",
                    cause: "No path \(head.uri.prefix(256)) exists here; queries go to /APPLICATION/predict"))
            return
        }
        guard head.method == expected || (head.method == .HEAD && expected == .GET) else {
            self = .reply(
                .error(
                    .methodNotAllowed, "Method not allowed",
                    cause: "\(head.uri.prefix(256)) takes \(expected.rawValue), not \(head.method.rawValue.prefix(32))",
                    allowedMethod: expected.rawValue))
            return
        }
    }

    /// The application that the request's body is for; `nil` where a body is thrown away.
    var route: Route? {
        switch self {
        case .predict(let route, _), .update(let route): route
        case .metrics, .reply: nil
        }
    }

    /// The same once the body has come, which can take long: the application may have been changed or deleted meanwhile.
    func renewed(from routes: Routes) -> RequestPurpose {
        guard let known = route else { return self }
        guard let route = routes[application: known.name] else { return Self.unknownApplication(known.name) }
        if case .predict(_, let trace) = self { return .predict(route, trace) }
        return .update(route)
    }

    private static func unknownApplication(_ name: String) -> RequestPurpose {
        .reply(
            .error(
                .notFound, "Unknown application", cause: "No application with name '\(name.prefix(256))' is registered")
        )
    }

    /// The trace that a request names (W3C Trace Context); what is too long to be one is none.
    private static func trace(in headers: HTTPHeaders) -> QueryTrace? {
        guard let parent = headers.first(name: "traceparent"), parent.utf8.count <= 512 else { return nil }
        let state = headers.first(name: "tracestate").flatMap { $0.utf8.count <= 512 ? $0 : nil }
        return QueryTrace(TraceContext(parent: parent, state: state))
    }

    /// Prometheus asks for text, and Clipper's clients for anything or for JSON. Text is what names it before JSON, by the
    /// weights (RFC 9110, section 12.5.1).
    private static func prefersText(_ headers: HTTPHeaders) -> Bool {
        var (text, json) = (0.0, 0.0)
        for range in headers[canonicalForm: "accept"] {
            let parts = range.lowercased().split(separator: ";").map { $0.drop { $0 == " " } }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch parts.first.map({ $0.prefix { $0 != " " } }) {
            case "text/plain", "text/*", "application/openmetrics-text": text = max(text, weight)
            case "application/json", "application/*": json = max(json, weight)
            default: break
            }
        }
        return text > json
    }
}
