import ContainerRPC

extension DispatchReport {
    /// The metrics in the Prometheus text format, version 0.0.4.
    func prometheusText() -> String {
        var page = PrometheusPage()
        page.add("clipper_uptime_seconds", .gauge, "Seconds since the frontend started.") {
            [([], (now - metrics.started).inSeconds)]
        }
        addApplications(to: &page)
        addModels(to: &page)
        page.add("clipper_replicas_lost_total", .counter, "Replicas that are gone.") {
            metrics.replicasLost.sorted { $0.key < $1.key }.map { ([("reason", $0.key)], Double($0.value)) }
        }
        page.add("clipper_bad_messages_total", .counter, "Messages from containers that were of no use.") {
            metrics.badMessages.sorted { $0.key < $1.key }.map { ([("kind", $0.key)], Double($0.value)) }
        }
        page.add(
            "clipper_queue_seconds", .histogram, "From the arrival of a batch's oldest query to its sending.",
            [([], metrics.queueingDelay)], divisor: 1e6, bounds: PrometheusPage.latencyBounds)
        return page.text
    }

    private func addApplications(to page: inout PrometheusPage) {
        let applications = metrics.applications.values.sorted { $0.name < $1.name }
        page.add("clipper_queries_total", .counter, "Queries answered, with whatever output.") {
            applications.map { ([("application", $0.name)], Double($0.queries)) }
        }
        page.add("clipper_default_outputs_total", .counter, "Queries answered with the default output.") {
            applications.flatMap { application in
                DefaultReason.allCases.map { reason in
                    (
                        [("application", application.name), ("reason", reason.rawValue)],
                        Double(application.defaults[reason] ?? 0)
                    )
                }
            }
        }
        page.add(
            "clipper_query_latency_seconds", .histogram, "From a query's arrival to its outcome.",
            applications.map { ([("application", $0.name)], $0.latency) }, divisor: 1e6,
            bounds: PrometheusPage.latencyBounds)
    }

    private func addModels(to page: inout PrometheusPage) {
        let models = metrics.models.sorted { $0.key.description < $1.key.description }
        func labels(_ model: ModelVersion) -> [(String, String)] {
            [("model", model.name), ("version", model.version)]
        }
        page.add("clipper_model_queries_total", .counter, "Queries that replicas answered.") {
            models.map { (labels($0.key), Double($0.value.queries)) }
        }
        page.add("clipper_retries_total", .counter, "Queries sent again because their replica was lost.") {
            models.map { (labels($0.key), Double($0.value.retries)) }
        }
        page.add(
            "clipper_batch_latency_seconds", .histogram, "From a batch's sending to its answer.",
            models.map { (labels($0.key), $0.value.latency) }, divisor: 1e6, bounds: PrometheusPage.latencyBounds)
        page.add(
            "clipper_batch_size", .histogram, "Queries in a batch.",
            models.map { (labels($0.key), $0.value.batchSizes) }, divisor: 1, bounds: PrometheusPage.sizeBounds)
        page.add("clipper_queue_depth", .gauge, "Queries that wait for a replica.") {
            queued.sorted { $0.key.description < $1.key.description }.map { (labels($0.key), Double($0.value)) }
        }
        var replicaCounts: [ModelVersion: Int] = Dictionary(uniqueKeysWithValues: catalog.models.keys.map { ($0, 0) })
        for replica in replicas { replicaCounts[replica.model, default: 0] += 1 }
        page.add("clipper_replicas", .gauge, "Connected containers.") {
            replicaCounts.sorted { $0.key.description < $1.key.description }.map { (labels($0.key), Double($0.value)) }
        }
    }
}

/// A page in the Prometheus text format.
private struct PrometheusPage {
    typealias Labels = [(name: String, value: String)]

    enum Kind: String {
        case counter, gauge, histogram
    }

    /// In microseconds: from half a millisecond to ten seconds.
    static let latencyBounds: [UInt64] = [
        500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000,
    ]
    static let sizeBounds: [UInt64] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

    private(set) var text = ""

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: () -> [(Labels, Double)]) {
        begin(name, kind, help)
        for (labels, value) in samples() { line(name, labels, value) }
    }

    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ series: [(Labels, Distribution)], divisor: Double,
        bounds: [UInt64]
    ) {
        begin(name, kind, help)
        for (labels, values) in series {
            for (bound, count) in zip(bounds, values.cumulativeCounts(upTo: bounds)) {
                line("\(name)_bucket", labels + [("le", Self.number(Double(bound) / divisor))], Double(count))
            }
            line("\(name)_bucket", labels + [("le", "+Inf")], Double(values.count))
            line("\(name)_sum", labels, Double(values.sum) / divisor)
            line("\(name)_count", labels, Double(values.count))
        }
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
        let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : value.description
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
