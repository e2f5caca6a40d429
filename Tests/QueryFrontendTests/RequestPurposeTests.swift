import ContainerRPC
import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("What a request of the query API is for")
struct RequestPurposeTests {
    @Test("A query or feedback is for the application that its path names")
    func applications() throws {
        let query = try #require(purpose(.POST, "/demo/predict").predicted)
        #expect(query.route.name == "demo")
        #expect(query.trace == nil)
        #expect(purpose(.POST, "/demo/update").updated?.name == "demo")
    }

    @Test("Only applications take a body")
    func bodies() {
        #expect(purpose(.POST, "/demo/predict").route?.name == "demo")
        #expect(purpose(.GET, "/metrics").route == nil)
        #expect(purpose(.POST, "/other/predict").route == nil)
    }

    @Test("A trace that a request names goes with its query; one that is too long to be one does not")
    func traces() throws {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let headers: HTTPHeaders = ["traceparent": parent, "tracestate": "a=1"]
        let traced = try #require(purpose(.POST, "/demo/predict", headers).predicted)
        #expect(traced.trace?.context == TraceContext(parent: parent, state: "a=1"))
        let long: HTTPHeaders = ["traceparent": String(repeating: "0", count: 513)]
        #expect(try #require(purpose(.POST, "/demo/predict", long).predicted).trace == nil)
    }

    @Test(
        "Whoever asks for text gets Prometheus's metrics, anybody else Clipper's",
        arguments: [
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true), ("application/openmetrics-text; version=1.0.0", true),
            ("TEXT/PLAIN", true), ("text/*", true), ("*/*", false), ("application/json", false),
            ("application/json, text/plain, */*", false), ("text/plain;q=0, application/json", false),
            ("application/json;q=0.1, text/plain;q=0.2", true), ("text/plain;q=0", false), ("text/html, */*", false),
        ])
    func metrics(accept: String, isText: Bool) {
        #expect(purpose(.GET, "/metrics", ["accept": accept]).isPrometheus == isText)
    }

    @Test(
        "What cannot be meant is answered with what is wrong",
        arguments: [
            (HTTPMethod.POST, "/other/predict", HTTPResponseStatus.notFound, "No application with name 'other'"),
            (.GET, "/other/predict", .notFound, "No application with name 'other'"),
            (.GET, "/demo/predict", .methodNotAllowed, "/demo/predict takes POST, not GET"),
            (.HEAD, "/demo/update", .methodNotAllowed, "/demo/update takes POST, not HEAD"),
            (.DELETE, "/metrics", .methodNotAllowed, "/metrics takes GET, not DELETE"),
            (.GET, "/", .notFound, "No path / exists here"),
        ])
    func refusals(method: HTTPMethod, target: String, status: HTTPResponseStatus, cause: String) throws {
        let reply = try #require(purpose(method, target).reply)
        #expect(reply.status == status)
        #expect(String(buffer: reply.body).contains(cause))
    }

    @Test("HEAD is answered where GET is")
    func heads() {
        #expect(purpose(.HEAD, "/health/live").reply?.status == .ok)
        #expect(purpose(.HEAD, "/metrics").isPrometheus == false)
    }

    @Test("A frontend that stops is alive, and not ready")
    func stopping() {
        #expect(purpose(.GET, "/health/live", isStopping: true).reply?.status == .ok)
        #expect(purpose(.GET, "/health/ready", isStopping: true).reply?.status == .serviceUnavailable)
    }

    @Test("When the body has come, the application counts as it is by then")
    func renewal() throws {
        let query = purpose(.POST, "/demo/predict")
        let faster = Routes(
            Catalog(applications: ["demo": Self.demo(within: .milliseconds(10))]), handles: Handles())
        #expect(query.renewed(from: faster).predicted?.route.slo == .milliseconds(10))
        let none = Routes(Catalog(), handles: Handles())
        #expect(query.renewed(from: none).reply?.status == .notFound)
        #expect(purpose(.GET, "/metrics").renewed(from: none).isPrometheus == false)
    }

    private static func demo(within slo: Duration = .milliseconds(100)) -> Application {
        Application(name: "demo", inputType: .float64, defaultOutput: "-1", latencySLO: slo)
    }

    private func purpose(
        _ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders = [:], isStopping: Bool = false
    ) -> RequestPurpose {
        let routes = Routes(Catalog(applications: ["demo": Self.demo()]), handles: Handles())
        return RequestPurpose(
            of: HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers), routes: routes,
            isStopping: isStopping)
    }
}

extension RequestPurpose {
    fileprivate var predicted: (route: Route, trace: QueryTrace?)? {
        if case .predict(let route, let trace) = self { (route, trace) } else { nil }
    }
    fileprivate var updated: Route? {
        if case .update(let route) = self { route } else { nil }
    }
    fileprivate var isPrometheus: Bool? {
        if case .metrics(let asPrometheus) = self { asPrometheus } else { nil }
    }
    fileprivate var reply: QueryReply? {
        if case .reply(let reply) = self { reply } else { nil }
    }
}
