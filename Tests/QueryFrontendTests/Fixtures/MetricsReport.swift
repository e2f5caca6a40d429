import ContainerRPC
import Testing

@testable import QueryFrontend

extension ModelVersion {
    static let idle = ModelVersion(name: "idle", version: "2")
}

/// A report of a frontend that has answered: 100 s old, one application with three answers of 2 ms and one default
/// output after 100 ms, one model with batches of one and two queries, one replica, two queries waiting.
func makeReport() -> DispatchReport {
    var report = DispatchReport(now: at(.seconds(100)))
    report.http = HTTPLoad(connections: 12, heldBytes: 3456)
    report.process = ProcessFigures(
        processorTime: .milliseconds(1500), residentBytes: 40_000_000, openDescriptors: 30, mostDescriptors: 1024)
    report.metrics = makeMetrics()
    report.catalog = .serving(
        makeModel("sum"), makeModel("idle", version: "2"), applications: [makeApplication("app")])
    let replica = ReplicaID(number: 4)
    report.replicas = [
        ReplicaListing(
            id: replica, model: .sum, number: 3, inputType: .float64, rpcVersion: .three,
            details: RegistrationDetails(), batchesInFlight: 1,
            lastReceived: at(.seconds(98)))
    ]
    var load = ReplicaLoad(
        Replica(id: replica, inputType: .float64, batching: Batching(), patience: .seconds(30), now: at(.zero)))
    load.state = .stuck
    load.queriesInFlight = 2
    load.intercept = .milliseconds(4)
    load.slope = .microseconds(100)
    load.batchLimit = 60
    report.loads = [replica: load]
    report.completed = [replica: ReplicaCounts(batches: 2, queries: 3)]
    report.queued = [.sum: 2, .idle: 0]
    report.queuedBytes = [.sum: 1600, .idle: 0]
    var counters = SchedulingCounters()
    counters.retries = 5
    counters.hedges = 7
    counters.hedgesWon = 6
    counters.queueFull = 8
    counters.predictedLate = 9
    counters.shared = 11
    counters.stuck = 1
    report.counters = [.sum: counters]
    report.selections = [
        SelectionReport(
            application: "app", settings: SelectionSettings(policy: PolicyDescription("exp4"), shadows: ["idle"]),
            isOwn: true,
            models: [
                SelectionReport.Model(
                    name: "sum", label: "sum:1", isShadow: false,
                    counters: SelectionCounters(chosen: 10, combined: 8, straggled: 2, lossSum: 1.5, lossCount: 3)),
                SelectionReport.Model(
                    name: "idle", label: "idle:2", isShadow: true,
                    counters: SelectionCounters(shadowAgreed: 4, shadowDisagreed: 5)),
            ], feedback: FeedbackCounters(counted: 3, duplicate: 1, unknownQuery: 2, failed: 4),
            candidates: ["sum"], weigh: { _ in [0.75] })
    ]
    report.cache = CacheStatistics(byteCount: 1000, capacityBytes: 4096, entries: 3, evictions: 2)
    return report
}

private func makeMetrics() -> FrontendMetrics {
    var metrics = FrontendMetrics(now: at(.zero))
    let (application, sum, idle) = (ApplicationHandle(index: 0), ModelHandle(index: 0), ModelHandle(index: 1))
    metrics.noteApplication(application, "app", now: at(.zero))
    metrics.noteModel(sum, .sum, now: at(.zero))
    metrics.noteModel(idle, .idle, now: at(.zero))
    for _ in 0..<3 {
        metrics.applications[application]?.record(.output([]), after: .milliseconds(2), now: at(.seconds(1)))
    }
    metrics.applications[application]?.record(
        .defaultOutput(.deadline), after: .milliseconds(100), now: at(.seconds(1)))
    metrics.sent(
        arrivals: [at(.seconds(1)), at(.seconds(1) + .microseconds(400))], of: sum,
        now: at(.seconds(1) + .microseconds(700)))
    metrics.completed(1, of: sum, in: .milliseconds(1), now: at(.seconds(1)))
    metrics.completed(2, of: sum, in: .milliseconds(3), now: at(.seconds(1)))
    for _ in 0..<4 { metrics.noteLookup(of: sum) }
    metrics.noteHit(of: sum)
    metrics.badMessages = ["unknown-id": 3]
    metrics.replicasLost = ["disconnected": 1]
    return metrics
}

extension DispatchReport {
    /// The Prometheus page as text.
    func prometheusText() -> String { String(decoding: prometheusPage(), as: UTF8.self) }
}
