import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

/// A report of a frontend that has answered: 100 s old, one application with three answers of 2 ms and one default
/// output after 100 ms, one model with batches of one and two queries, one replica, two queries waiting.
private func makeReport() -> DispatchReport {
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

@Suite("Metrics as Clipper has them")
struct ClipperJSONTests {
    /// The document's lists, each as one dictionary.
    private func lists() throws -> [String: [String: [String: String]]] {
        let tree = try JSONDecoder().decode(
            [String: [[String: [String: String]]]].self, from: Data(makeReport().clipperJSON().utf8))
        return tree.mapValues { $0.reduce(into: [:]) { $0.merge($1) { first, _ in first } } }
    }

    @Test("The document has four lists of objects with one key each, and all values are strings")
    func shape() throws {
        let tree = try JSONDecoder().decode(
            [String: [[String: [String: String]]]].self, from: Data(makeReport().clipperJSON().utf8))
        #expect(Set(tree.keys) == ["counters", "ratio_counters", "meters", "histograms"])
        #expect(tree.values.allSatisfy { list in list.allSatisfy { $0.count == 1 } })
    }

    @Test("An application's metrics have Clipper's names")
    func application() throws {
        let lists = try lists()
        #expect(lists["counters"]?["app:app:num_predictions"] == ["count": "4"])
        #expect(lists["ratio_counters"]?["app:app:default_prediction_ratio"] == ["ratio": "0.25"])
        #expect(lists["meters"]?["app:app:prediction_throughput"]?["rate"] == "0.04")
        let latency = try #require(lists["histograms"]?["app:app:prediction_latency"])
        #expect(latency["unit"] == "microseconds")
        #expect(latency["size"] == "4")
        #expect(latency["mean"] == "26500.0")
    }

    @Test("A model's metrics have Clipper's names")
    func model() throws {
        let lists = try lists()
        #expect(lists["counters"]?["model:sum:1:num_predictions"] == ["count": "3"])
        #expect(lists["ratio_counters"]?["model:sum:1:cache_hit_ratio"] != nil)
        #expect(lists["meters"]?["model:sum:1:prediction_throughput"] != nil)
        #expect(lists["histograms"]?["model:sum:1:prediction_latency"]?["size"] == "2")
        let sizes = try #require(lists["histograms"]?["model:sum:1:batch_size"])
        #expect(sizes["unit"] == "queries")
        #expect(sizes["min"] == "1")
        #expect(sizes["max"] == "2")
        #expect(sizes["mean"] == "1.5")
    }

    @Test("The frontend's own metrics have Clipper's names")
    func frontend() throws {
        let lists = try lists()
        #expect(lists["meters"]?["internal:aggregate_model_throughput"]?["rate"] == "0.03")
        #expect(lists["counters"]?["internal:prediction_cache_lookups"] != nil)
        #expect(lists["ratio_counters"]?["internal:prediction_cache_hit_ratio"] != nil)
        #expect(lists["histograms"]?["internal:rpc_request_queueing_delay"]?["size"] == "1")
    }

    @Test("Meters and histograms have Clipper's keys")
    func keys() throws {
        let lists = try lists()
        for meter in try #require(lists["meters"]).values {
            #expect(Set(meter.keys) == ["unit", "rate", "rate_1min", "rate_5min", "rate_15min"])
        }
        for histogram in try #require(lists["histograms"]).values {
            #expect(
                Set(histogram.keys) == ["unit", "size", "min", "max", "mean", "std_dev", "p50", "p95", "p99"])
        }
    }

    @Test("A frontend that has done nothing has a document all the same")
    func empty() throws {
        let text = DispatchReport(now: at(.zero)).clipperJSON()
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
    }
}

@Suite("Metrics as Prometheus has them")
struct PrometheusTextTests {
    private let lines = makeReport().prometheusText().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)

    @Test(
        "Each metric has its value",
        arguments: [
            "clipper_uptime_seconds 100",
            #"clipper_queries_total{application="app"} 4"#,
            #"clipper_default_outputs_total{application="app",reason="deadline"} 1"#,
            #"clipper_default_outputs_total{application="app",reason="no_replica"} 0"#,
            #"clipper_model_queries_total{model="sum",version="1"} 3"#,
            #"clipper_retries_total{model="sum",version="1"} 5"#,
            #"clipper_queue_depth{model="sum",version="1"} 2"#,
            #"clipper_replicas{model="sum",version="1"} 1"#,
            #"clipper_replicas{model="idle",version="2"} 0"#,
            #"clipper_replicas_lost_total{reason="disconnected"} 1"#,
            #"clipper_bad_messages_total{kind="unknown-id"} 3"#,
        ])
    func values(line: String) {
        #expect(lines.contains(line))
    }

    @Test(
        "Histograms count up to each bound, in seconds or queries",
        arguments: [
            #"clipper_query_latency_seconds_bucket{application="app",le="0.001"} 0"#,
            #"clipper_query_latency_seconds_bucket{application="app",le="0.0025"} 3"#,
            #"clipper_query_latency_seconds_bucket{application="app",le="0.25"} 4"#,
            #"clipper_query_latency_seconds_bucket{application="app",le="+Inf"} 4"#,
            #"clipper_query_latency_seconds_sum{application="app"} 0.106"#,
            #"clipper_query_latency_seconds_count{application="app"} 4"#,
            #"clipper_batch_size_bucket{model="sum",version="1",le="1"} 1"#,
            #"clipper_batch_size_bucket{model="sum",version="1",le="2"} 2"#,
            #"clipper_batch_size_sum{model="sum",version="1"} 3"#,
            #"clipper_queue_seconds_bucket{le="0.001"} 1"#,
            #"clipper_queue_seconds_count 1"#,
        ])
    func histograms(line: String) {
        #expect(lines.contains(line))
    }

    @Test("Each metric is introduced once, before its values, with a help text and a type")
    func introduces() throws {
        var introduced: Set<String> = []
        var current = ""
        for line in lines where !line.isEmpty {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            switch (words.first, words.dropFirst().first) {
            case ("#", "HELP"):
                current = try #require(words.dropFirst(2).first)
                #expect(introduced.insert(current).inserted)
                #expect(words.count == 4)
            case ("#", "TYPE"):
                #expect(words[2] == current)
                #expect(["counter", "gauge", "histogram"].contains(words[3]))
            default:
                #expect(line.hasPrefix(current))
            }
        }
        #expect(lines.last == "")
    }

    @Test("A name with quotation marks, backslashes or line breaks breaks no line")
    func escapes() {
        var report = DispatchReport(now: at(.zero))
        report.metrics.noteApplication(ApplicationHandle(index: 0), "a\"b\\c\nd", now: at(.zero))
        let text = report.prometheusText()
        #expect(text.contains(#"clipper_queries_total{application="a\"b\\c\nd"} 0"#))
    }
}

@Suite("The frontend's status")
struct StatusTests {
    private let status = makeReport().status

    @Test("A replica is listed with what it has done and does")
    func replica() {
        #expect(
            status.replicas == [
                ReplicaStatus(
                    modelName: "sum", modelVersion: "1", replica: 3, inputType: "doubles", batchesInFlight: 1,
                    queriesInFlight: 2, completedBatches: 2, completedQueries: 3, secondsSinceLastMessage: 2)
            ])
    }

    @Test("Every registered model is listed, also one that nobody has asked")
    func models() throws {
        #expect(status.models.map(\.name) == ["idle", "sum"])
        let (idle, sum) = (try #require(status.models.first), try #require(status.models.last))
        #expect(idle == ModelStatus(name: "idle", version: "2", isCurrent: true))
        #expect(sum.replicas == 1)
        #expect(sum.queued == 2)
        #expect(sum.meanBatchSize == 1.5)
        #expect(sum.largestBatch == 2)
        #expect(abs(sum.latencyP50Milliseconds - 1) < 0.02)
        #expect(abs(sum.latencyP99Milliseconds - 3) < 0.05)
    }

    @Test("An application is listed with its settings, its queries and its latencies")
    func applications() throws {
        let application = try #require(status.applications.first)
        #expect(application.name == "app")
        #expect(application.sloMilliseconds == 100)
        #expect(application.queries == 4)
        #expect(application.defaults == 1)
        #expect(abs(application.latencyP50Milliseconds - 2) < 0.05)
        #expect(abs(application.latencyP99Milliseconds - 100) < 1)
    }
}
