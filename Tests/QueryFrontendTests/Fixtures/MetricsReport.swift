import ContainerRPC
import Testing

@testable import QueryFrontend

/// A report of a frontend that has answered: 100 s old, one application with three answers of 2 ms and one default
/// output after 100 ms, one model with batches of one and two queries, one replica, two queries waiting.
func makeReport() -> DispatchReport {
    var report = DispatchReport(now: at(.seconds(100)))
    report.metrics = FrontendMetrics(now: at(.zero))
    report.catalog = .serving(
        makeModel("sum"), makeModel("idle", version: "2"), applications: [makeApplication("app")])
    let application = ApplicationHandle(index: 0)
    report.metrics.noteApplication(application, "app", now: at(.zero))
    report.metrics.noteModel(.sum, now: at(.zero))
    for _ in 0..<3 {
        report.metrics.applications[application]?.record(.output([]), after: .milliseconds(2), now: at(.seconds(1)))
    }
    report.metrics.applications[application]?.record(
        .defaultOutput(.deadline), after: .milliseconds(100), now: at(.seconds(1)))
    report.metrics.completed(1, of: .sum, in: .milliseconds(1), now: at(.seconds(1)))
    report.metrics.completed(2, of: .sum, in: .milliseconds(3), now: at(.seconds(1)))
    report.metrics.models[.sum]?.retries = 5
    report.metrics.queueingDelay.record(.microseconds(700))
    report.metrics.badMessages = ["unknown-id": 3]
    report.metrics.replicasLost = ["disconnected": 1]
    report.replicas = [
        ContainerSessions.Listing(
            id: ReplicaID(number: 4), model: .sum, number: 3, inputType: .float64, batchesInFlight: 1,
            lastReceived: at(.seconds(98)))
    ]
    report.inFlight = [ReplicaID(number: 4): 2]
    report.completed = [ReplicaID(number: 4): (batches: 2, queries: 3)]
    report.queued = [.sum: 2, ModelVersion(name: "idle", version: "2"): 0]
    return report
}
