import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Metrics and health")
struct MetricsTests {
    @Test("GET /metrics is Clipper's tree of JSON, every value a string")
    func clipperTree() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, caches: true)
            try await frontend.addApplication("lonely")
            for _ in 0..<3 { try await frontend.expectSum() }
            _ = try await frontend.predict(#"{"input": [1]}"#, application: "lonely")
            let response = try await frontend.query.get("/metrics")
            #expect(response["Content-Type"] == "application/json")
            let tree = try response.json
            func values(_ list: String, _ name: String) throws -> JSON {
                try #require(tree[list]?.elements?.compactMap { $0[name] }.first, "no \(name) in \(list): \(tree)")
            }
            #expect(try values("counters", "app:app:num_predictions") == ["count": "3"])
            // Equal queries: the model is asked once, the cache answers the others.
            #expect(try values("counters", "model:sum:1:num_predictions") == ["count": "1"])
            #expect(try values("counters", "internal:prediction_cache_lookups") == ["count": "3"])
            let ratio = try values("ratio_counters", "model:sum:1:cache_hit_ratio")["ratio"]?.text.flatMap(Double.init)
            #expect(abs((ratio ?? 0) - 2 / 3) < 0.001)
            #expect(try values("ratio_counters", "app:app:default_prediction_ratio") == ["ratio": "0.0"])
            #expect(try values("ratio_counters", "app:lonely:default_prediction_ratio") == ["ratio": "1.0"])
            #expect(try values("meters", "app:app:prediction_throughput")["rate"]?.text.flatMap(Double.init) ?? 0 > 0)
            for (name, size) in [
                ("app:app:prediction_latency", "3"), ("model:sum:1:prediction_latency", "1"),
                ("model:sum:1:batch_size", "1"), ("internal:rpc_request_queueing_delay", "1"),
            ] {
                let histogram = try values("histograms", name)
                #expect(histogram["size"] == .string(size))
                for key in ["unit", "min", "max", "mean", "std_dev", "p50", "p95", "p99"] {
                    #expect(histogram[key]?.text?.isEmpty == false, "\(name) has no \(key): \(histogram)")
                }
            }
        }
    }

    @Test("Prometheus gets its own format when it asks for it")
    func prometheus() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, caches: true)
            try await frontend.addApplication(#"say "hi" \o/"#.replacing("/", with: ""))
            for _ in 0..<3 { try await frontend.expectSum() }
            let accept = "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*"
            let response = try await frontend.query.get("/metrics", headers: [accept])
            #expect(response["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let lines = response.text.split(separator: "\n")
            let queries = lines.filter { $0.hasPrefix("clipper_model_queries_total{") }
            #expect(queries == [#"clipper_model_queries_total{model="sum",version="1"} 1"#])
            #expect(lines.contains(#"clipper_cache_lookups_total{model="sum",version="1"} 3"#))
            #expect(lines.contains(#"clipper_cache_hits_total{model="sum",version="1"} 2"#))
            #expect(lines.contains(#"clipper_replicas{model="sum",version="1",state="active"} 1"#))
            #expect(lines.contains(#"clipper_queue_seconds_count{model="sum",version="1"} 1"#))
            #expect(lines.contains { $0.contains(#"application="say \"hi\" \\o""#) })
            for line in lines where !line.hasPrefix("#") {
                let value = try #require(line.split(separator: " ").last)
                #expect(Double(value) != nil, "no number: \(line)")
            }
        }
    }

    @Test("A container that is refused, or fails, is counted, and the log names it")
    func namesContainers() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.addModel("bad")
            try await frontend.addApplication("bad", links: ["bad"])
            try await frontend.startContainer("faulty-container", model: "bad", arguments: ["--on-negative", "throw"])
            _ = try await frontend.predict(#"{"input": [-1, 1]}"#, application: "bad")
            _ = try frontend.launchContainer(arguments: ["--input-type", "floats"])
            try await eventually("it is refused") {
                let text = try await frontend.admin.get("/metrics").text
                return text.contains(#"clipper_failed_batches_total{model="bad",version="1"} 1"#)
                    && text.contains(#"clipper_refused_registrations_total{reason="input-type-mismatch"} 1"#)
            }
            try await eventually("the log says so, too") {
                let log = frontend.process.standardError.split(separator: "\n")
                return log.contains {
                    $0.contains("container refused: the model sum:1 is registered with inputs of type")
                } && log.contains { $0.contains("a model failed") && $0.contains("replica=0") && $0.contains("pid=") }
            }
        }
    }

    @Test("A status that is watched goes on where the frontend is lost, and ends with 0 when interrupted")
    func watch() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, caches: true)
            let watch = try processes.start(
                "clipper", ["status", "--watch", "--interval", "100ms", "--admin", "http://\(frontend.admin)"])
            try await eventually("the replica is shown twice") {
                watch.standardOutput.split(separator: "\n").count { $0.hasPrefix("sum:1:0  active") } >= 2
            }
            // What is no terminal gets no control sequences.
            #expect(!watch.standardOutput.contains("\u{1B}"))
            #expect(try await frontend.terminate() == 0)
            try await eventually("the loss is shown") { watch.standardOutput.contains(": no answer for ") }
            #expect(watch.isRunning)
            watch.signal(SIGINT)
            #expect(try await watch.exitStatus() == 0)
        }
    }

    @Test("Who accepts anything gets the JSON")
    func anything() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let response = try await frontend.query.get("/metrics", headers: ["Accept: */*"])
            #expect(try response.json["counters"]?.elements != nil)
        }
    }

    @Test("It is alive and ready once it has said so")
    func health() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            #expect(try await frontend.query.get("/health/live").status == 200)
            #expect(try await frontend.query.get("/health/ready/").status == 200)
        }
    }
}
