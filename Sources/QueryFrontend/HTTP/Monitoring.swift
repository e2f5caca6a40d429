import Dispatch
import Hummingbird
import NIOCore
import NIOHTTP1

/// What monitors ask for: at the query port and, should that have no connection left, at the administration's.
struct Monitoring: Sendable {
    let dispatcher: Dispatcher
    let server: QueryServerState
    let pages: SharedPages

    /// What has happened, as far as the dispatch thread and the query server know.
    func report(withSelections: Bool) async -> DispatchReport {
        var report = await dispatcher.report(withSelections: withSelections)
        // Only who answers a request knows whether it was refused, or some of its inputs were answered.
        report.metrics.noteRejected(server.rejected)
        report.metrics.httpErrors = server.errors
        report.http = server.load
        return report
    }

    /// Prometheus's page. Of a thousand models it has megabytes: all who ask while one is made share the next, and
    /// it is made where nobody else waits.
    func page() async -> ByteBuffer {
        await pages.page {
            var report = await report(withSelections: true)
            report.process = ProcessFigures.current()
            return await withCheckedContinuation { continuation in
                Self.renderer.async { [report] in
                    continuation.resume(returning: ByteBuffer(bytes: report.prometheusPage()))
                }
            }
        }
    }

    private static let renderer = DispatchQueue(label: "metrics", qos: .utility)

    /// The paths that are added.
    static let paths: Set<String> = ["/metrics", "/health/live", "/health/ready"]

    /// Adds `/metrics`, which is Prometheus's text here, `/health/live` and `/health/ready`.
    func addRoutes(to router: Router<BasicRequestContext>) {
        router.get("metrics") { _, _ in
            response(QueryReply(status: .ok, contentType: DispatchReport.prometheusType, body: await page()))
        }
        router.get("health/live") { _, _ in response(.live) }
        router.get("health/ready") { _, _ in response(.ready(isStopping: server.isStopping)) }
    }

    private func response(_ reply: QueryReply) -> Response {
        Response(
            status: .init(code: Int(reply.status.code)), headers: [.contentType: reply.contentType],
            body: ResponseBody(byteBuffer: reply.body))
    }
}

/// One page for all who ask at a time.
actor SharedPages {
    private var current: Task<ByteBuffer, Never>?
    /// The page that has not been begun: whoever asks now gets it, and all that has happened until now is on it.
    private var next: Task<ByteBuffer, Never>?

    /// How many wait for a page.
    private(set) var waiting = 0

    func page(_ make: @escaping @Sendable () async -> ByteBuffer) async -> ByteBuffer {
        waiting += 1
        defer { waiting -= 1 }
        if let next { return await next.value }
        let previous = current
        let task = Task {
            _ = await previous?.value
            begin()
            return await make()
        }
        next = task
        let page = await task.value
        // Megabytes are not kept until somebody asks again.
        if current == task { current = nil }
        return page
    }

    private func begin() {
        current = next
        next = nil
    }
}
