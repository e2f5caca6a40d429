import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Metrics as Prometheus has them")
struct PrometheusTextTests {
    private let lines = makeReport().prometheusText().split(separator: "\n", omittingEmptySubsequences: false).map(
        String.init)

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
            #"clipper_queue_bytes{model="sum",version="1"} 1600"#,
            #"clipper_hedges_total{model="sum",version="1"} 7"#,
            #"clipper_hedges_won_total{model="sum",version="1"} 6"#,
            #"clipper_drops_total{model="sum",version="1",reason="queue_full"} 8"#,
            #"clipper_drops_total{model="sum",version="1",reason="predicted_late"} 9"#,
            #"clipper_drops_total{model="idle",version="2",reason="queue_full"} 0"#,
            #"clipper_cache_lookups_total{model="sum",version="1"} 4"#,
            #"clipper_cache_hits_total{model="sum",version="1"} 1"#,
            #"clipper_cache_shared_total{model="sum",version="1"} 11"#,
            #"clipper_replicas_stuck_total{model="sum",version="1"} 1"#,
            #"clipper_replicas{model="sum",version="1",state="active"} 0"#,
            #"clipper_replicas{model="sum",version="1",state="stuck"} 1"#,
            #"clipper_replicas{model="idle",version="2",state="active"} 0"#,
            "clipper_unregistered_replicas 0",
            "clipper_http_connections 12",
            "clipper_http_held_bytes 3456",
            #"clipper_build_info{version="\#(Software.version)"} 1"#,
            "process_cpu_seconds_total 1.5",
            "process_resident_memory_bytes 40000000",
            "process_open_fds 30",
            "process_max_fds 1024",
            #"clipper_missing_batches_total{model="sum",version="1"} 0"#,
            #"clipper_replica_batch_latency_intercept_seconds{model="sum",version="1",replica="3"} 0.004"#,
            #"clipper_replica_batch_latency_slope_seconds{model="sum",version="1",replica="3"} 0.0001"#,
            #"clipper_replica_batch_limit{model="sum",version="1",replica="3"} 60"#,
            #"clipper_slo_seconds{application="app"} 0.1"#,
            #"clipper_rejected_total{application="app"} 0"#,
            #"clipper_selection_chosen_total{application="app",model="sum"} 10"#,
            #"clipper_selection_combined_total{application="app",model="sum"} 8"#,
            #"clipper_selection_straggled_total{application="app",model="sum"} 2"#,
            #"clipper_selection_shadow_agreed_total{application="app",model="idle"} 4"#,
            #"clipper_selection_shadow_disagreed_total{application="app",model="idle"} 5"#,
            #"clipper_selection_loss_total{application="app",model="sum"} 1.5"#,
            #"clipper_selection_judged_total{application="app",model="sum"} 3"#,
            #"clipper_selection_judged_total{application="app",model="idle"} 0"#,
            #"clipper_selection_weight{application="app",model="sum"} 0.75"#,
            #"clipper_feedback_total{application="app",result="counted"} 3"#,
            #"clipper_feedback_total{application="app",result="duplicate"} 1"#,
            #"clipper_feedback_total{application="app",result="unknown_query"} 2"#,
            #"clipper_feedback_total{application="app",result="failed"} 4"#,
            "clipper_cache_bytes 1000",
            "clipper_cache_capacity_bytes 4096",
            "clipper_cache_entries 3",
            "clipper_cache_evictions_total 2",
            #"clipper_replicas_lost_total{reason="disconnected"} 1"#,
            #"clipper_replicas_lost_total{reason="silent"} 0"#,
            #"clipper_bad_messages_total{kind="unknown-id"} 3"#,
            #"clipper_bad_messages_total{kind="frame-length"} 0"#,
        ])
    func values(line: String) {
        #expect(lines.contains(line))
    }

    @Test("A container of a model that nobody has registered is counted, and its names are not shown")
    func unregisteredReplica() {
        var report = makeReport()
        report.replicas.append(
            ReplicaListing(
                id: ReplicaID(number: 5), model: ModelVersion(name: "nobody's", version: "1"), number: 0,
                inputType: .float64, rpcVersion: .three, details: RegistrationDetails(), batchesInFlight: 0,
                lastReceived: at(.seconds(98))))
        let text = report.prometheusText()
        #expect(text.contains("\nclipper_unregistered_replicas 1\n"))
        #expect(!text.contains("nobody's"))
    }

    @Test("A container that takes other inputs than its model is registered with counts as unsuitable")
    func unsuitableReplica() {
        var report = makeReport()
        report.loads = [:]
        let text = report.prometheusText()
        #expect(text.contains("\n" + #"clipper_replicas{model="sum",version="1",state="unsuitable"} 1"# + "\n"))
        #expect(text.contains("\n" + #"clipper_replicas{model="sum",version="1",state="active"} 0"# + "\n"))
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
            #"clipper_queue_seconds_bucket{model="sum",version="1",le="0.0005"} 1"#,
            #"clipper_queue_seconds_bucket{model="sum",version="1",le="0.001"} 2"#,
            #"clipper_queue_seconds_count{model="sum",version="1"} 2"#,
            #"clipper_queue_seconds_count{model="idle",version="2"} 0"#,
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

    @Test("Counters end as such, and nothing ends as a part of a histogram does")
    func suffixes() {
        for line in lines where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ").map(String.init)
            #expect(words[2].hasSuffix("_total") == (words[3] == "counter"), "\(line)")
            for suffix in ["_sum", "_count", "_bucket"] { #expect(!words[2].hasSuffix(suffix), "\(line)") }
        }
    }

    @Test("Refused requests are counted beside the queries")
    func rejected() {
        var report = makeReport()
        report.metrics.noteRejected([ApplicationHandle(index: 0): 12])
        let lines = report.prometheusText().split(separator: "\n")
        #expect(lines.contains(#"clipper_rejected_total{application="app"} 12"#))
        #expect(lines.contains(#"clipper_queries_total{application="app"} 4"#))
    }

    @Test("The page is the same each time, whatever the order in which things were noted")
    func order() {
        func report(_ names: [Int]) -> String {
            var report = DispatchReport(now: at(.zero))
            for number in names {
                report.metrics.noteApplication(ApplicationHandle(index: number), "app\(number)", now: at(.zero))
                report.metrics.noteModel(
                    ModelHandle(index: number), ModelVersion(name: "m", version: "\(number)"), now: at(.zero))
            }
            return report.prometheusText()
        }
        #expect(report(Array(0..<20)) == report(Array((0..<20).reversed())))
    }

    @Test("What was never learned of a replica is not said")
    func unlearned() throws {
        var report = makeReport()
        let replica = try #require(report.loads.keys.first)
        report.loads[replica]?.intercept = nil
        report.loads[replica]?.slope = nil
        let text = report.prometheusText()
        #expect(!text.contains("_intercept_seconds{") && !text.contains("_slope_seconds{"))
        #expect(text.contains("clipper_replica_batch_limit{"))
    }

    @Test("Every way in which a replica is lost, or a message bad, is there before it happens")
    func knownLabels() {
        let error = WireError(.missingFrame, frame: 0, expected: "", found: "")
        let reasons: [FrontendSession.EndReason] = [
            .silent, .disconnected, .malformed(error), .wrongOutputCount(expected: 1, found: 2), .replaced, .dismissed,
            .left(Goodbye(.stopping)), .unanswered, .drained,
        ]
        #expect(Set(reasons.map(\.label)) == Set(DispatchReport.lossReasons))
        let problems: [ContainerSessions.BadMessage] = [
            .malformed(error), .unknownID(1), .wrongOutputCount(expected: 1, found: 2),
        ]
        #expect(Set(problems.map(\.label)).isSubset(of: DispatchReport.badMessageKinds))
    }

    @Test("A name with quotation marks, backslashes or line breaks breaks no line")
    func escapes() {
        var report = DispatchReport(now: at(.zero))
        // A combining mark behind them makes other characters of them, and the same bytes.
        report.metrics.noteApplication(ApplicationHandle(index: 0), "a\"b\\c\nd\"\u{301}\\\u{301}", now: at(.zero))
        let text = report.prometheusText()
        let escaped = #"clipper_queries_total{application="a\"b\\c\nd\""# + "\u{301}\\\\\u{301}\"} 0"
        #expect(text.unicodeScalars.split(separator: "\n").contains { $0.elementsEqual(escaped.unicodeScalars) })
    }
}
