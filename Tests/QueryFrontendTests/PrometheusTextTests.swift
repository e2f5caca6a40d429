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
