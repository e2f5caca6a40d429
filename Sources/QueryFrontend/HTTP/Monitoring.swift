import Hummingbird

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

    /// Adds `/metrics`, which is Prometheus's text here, `/health/live` and `/health/ready`.
    func addRoutes(to router: Router<BasicRequestContext>) {
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: DispatchReport.prometheusType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await report(withSelections: true).prometheusText())))
        }
        router.get("health/live") { _, _ in "live\n" }
        router.get("health/ready") { _, _ in
            let isDraining = server.isDraining
            return EditedResponse(
                status: isDraining ? .serviceUnavailable : .ok, response: isDraining ? "stopping\n" : "ready\n")
        }
    }
}
