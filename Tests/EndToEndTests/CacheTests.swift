import ContainerRPC
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("The prediction cache")
struct CacheTests {
    /// A frontend with an application of one model.
    private func withModel(caches: Bool = true, _ test: (Frontend) async throws -> Void) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", caches: caches)
            try await frontend.addApplication("app", links: ["sum"])
            try await test(frontend)
        }
    }

    @Test("The second of two equal queries is answered without the container")
    func hit() async throws {
        try await withModel { frontend in
            let container = try await frontend.startContainer()
            try await frontend.expectSum()
            // The output is kept a moment after it was given.
            container.signal(SIGKILL)
            try await eventually("the loss shows") { try await frontend.containers() == [] }
            try await frontend.expectSum()
            let metrics = try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
            #expect(metrics.contains(#"clipper_cache_hits_total{model="sum",version="1"} 1"#))
            #expect(metrics.contains(#"clipper_cache_lookups_total{model="sum",version="1"} 2"#))
        }
    }

    @Test("A model that is no function is asked each time")
    func off() async throws {
        try await withModel(caches: false) { frontend in
            let container = try await PlayedContainer.registered(at: frontend)
            for output in ["1", "2"] {
                let connection = try HTTPConnection(to: frontend.query)
                try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1]}"#.utf8))
                try await container.answer(container.receiveRequest(), [output])
                #expect(try await connection.response().json["output"]?.double == Double(output))
            }
        }
    }

    @Test("A version that is deleted and registered again starts with nothing kept")
    func registeredAgain() async throws {
        try await withModel { frontend in
            try await frontend.startContainer()
            try await frontend.expectSum()
            try await frontend.admin("delete_versioned_model", ["model_name": "sum", "model_version": "1"])
            try await frontend.addModel("sum", caches: true)
            try await frontend.expectSum()
            let metrics = try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
            #expect(metrics.contains(#"clipper_cache_hits_total{model="sum",version="1"} 0"#))
        }
    }

    @Test("A model whose cache is turned off and on again while it serves starts with nothing kept")
    func turnedOffAndOn() async throws {
        try await withModel { frontend in
            let container = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            func ask(_ computed: String? = nil, expecting output: Double) async throws {
                try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1]}"#.utf8))
                if let computed { try await container.answer(container.receiveRequest(), [computed]) }
                #expect(try await connection.response().json["output"]?.double == output)
            }
            func setCache(_ isOn: Bool) async throws {
                try await frontend.admin(
                    "set_model_options", ["model_name": "sum", "model_version": "1", "cache": .boolean(isOn)])
            }
            try await ask("1", expecting: 1)
            try await ask(expecting: 1)
            try await setCache(false)
            try await ask("2", expecting: 2)
            try await ask("3", expecting: 3)
            try await setCache(true)
            try await ask("4", expecting: 4)
            try await ask(expecting: 4)
        }
    }

    @Test("Equal queries that come while one is computed wait for that one")
    func shared() async throws {
        try await withModel { frontend in
            let container = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Array(#"{"input_batch": [[1], [1], [1]]}"#.utf8))
            let request = try await container.receiveRequest()
            #expect(request.inputs.count == 1)
            try await container.answer(request, ["7"])
            let predictions = try #require(await connection.response().json["batch_predictions"]?.elements)
            #expect(predictions.map { $0["output"] } == [7, 7, 7])
        }
    }
}
