import Hummingbird
import NIOCore
import NIOHTTP1

/// What monitors ask for: at the query port and, should that have no connection left, at the administration's.
struct Monitoring: Sendable {
    let dispatcher: Dispatcher
    let server: QueryServerState

    /// What has happened, as far as the dispatch thread and the query server know.
    func report(withSelections: Bool) async -> DispatchReport {
        var report = await dispatcher.report(withSelections: withSelections)
        // Only who answers a request knows whether it was refused, or some of its inputs were answered.
        report.metrics.noteRejected(server.rejected)
        report.metrics.httpErrors = server.errors
        return report
    }

    /// The paths that are added.
    static let paths: Set<String> = ["/metrics", "/health/live", "/health/ready"]

    /// Adds `/metrics`, which is Prometheus's text here, `/health/live` and `/health/ready`.
    func addRoutes(to router: Router<BasicRequestContext>) {
        router.get("metrics") { _, _ in
            let text = await report(withSelections: true).prometheusText()
            return response(
                QueryReply(
                    status: .ok, contentType: DispatchReport.prometheusType, body: ByteBuffer(string: text)))
        }
        router.get("health/live") { _, _ in response(.live) }
        router.get("health/ready") { _, _ in response(.ready(isDraining: server.isDraining)) }
    }

    private func response(_ reply: QueryReply) -> Response {
        Response(
            status: .init(code: Int(reply.status.code)), headers: [.contentType: reply.contentType],
            body: ResponseBody(byteBuffer: reply.body))
    }
}
