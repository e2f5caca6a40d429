import Testing

@Suite("Metrics and health")
struct MetricsTests {
    @Test("GET /metrics is Clipper's tree of JSON, every value a string")
    func clipperTree() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
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
            #expect(try values("counters", "model:sum:1:num_predictions") == ["count": "3"])
            #expect(try values("ratio_counters", "app:app:default_prediction_ratio") == ["ratio": "0.0"])
            #expect(try values("ratio_counters", "app:lonely:default_prediction_ratio") == ["ratio": "1.0"])
            #expect(try values("meters", "app:app:prediction_throughput")["rate"]?.text.flatMap(Double.init) ?? 0 > 0)
            for name in ["app:app:prediction_latency", "model:sum:1:prediction_latency", "model:sum:1:batch_size"] {
                let histogram = try values("histograms", name)
                #expect(histogram["size"] == "3")
                for key in ["unit", "min", "max", "mean", "std_dev", "p50", "p95", "p99"] {
                    #expect(histogram[key]?.text?.isEmpty == false, "\(name) has no \(key): \(histogram)")
                }
            }
        }
    }

    @Test("Prometheus gets its own format when it asks for it")
    func prometheus() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.addApplication(#"say "hi" \o/"#.replacing("/", with: ""))
            for _ in 0..<3 { try await frontend.expectSum() }
            let accept = "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*"
            let response = try await frontend.query.get("/metrics", headers: [accept])
            #expect(response["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let lines = response.text.split(separator: "\n")
            let queries = lines.filter { $0.hasPrefix("clipper_model_queries_total{") }
            #expect(queries == [#"clipper_model_queries_total{model="sum",version="1"} 3"#])
            #expect(lines.contains(#"clipper_replicas{model="sum",version="1"} 1"#))
            #expect(lines.contains { $0.contains(#"application="say \"hi\" \\o""#) })
            for line in lines where !line.hasPrefix("#") {
                let value = try #require(line.split(separator: " ").last)
                #expect(Double(value) != nil, "no number: \(line)")
            }
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
