import ContainerRPC
import TestSupport
import Testing

@Suite("Overload, drained and late replicas")
struct OverloadTests {
    private static func body(_ value: Int) -> [UInt8] { Array("{\"input\": [\(value)]}".utf8) }

    /// Queries that are sent and wait, one a connection.
    private func send(_ values: [Int], to frontend: Frontend) async throws -> [HTTPConnection] {
        var connections: [HTTPConnection] = []
        for value in values {
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Self.body(value))
            connections.append(connection)
        }
        return connections
    }

    @Test(
        "A query beyond the most that may wait gets the default and the reason, or a 503 where the application says so")
    func fullQueue() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes, arguments: ["--max-queue", "1"])
            try await frontend.addModel("sum", batchSize: 1)
            try await frontend.addApplication("app", links: ["sum"])
            try await frontend.admin(
                "add_app",
                [
                    "name": "strict", "input_type": "doubles", "default_output": "-1.0",
                    "latency_slo_micros": 60_000_000, "overload": "reject",
                ])
            try await frontend.admin("add_model_links", ["app_name": "strict", "model_names": ["sum"]])
            let container = try await PlayedContainer.registered(at: frontend)
            // Two are in flight and one waits.
            var waiting: [HTTPConnection] = []
            var requests: [PredictRequest] = []
            for value in 1...2 {
                waiting += try await send([value], to: frontend)
                requests.append(try await container.receiveRequest())
            }
            waiting += try await send([3], to: frontend)
            try await eventually("the third query waits") {
                try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
                    .contains(#"clipper_queue_depth{model="sum",version="1"} 1"#)
            }
            let answer = try await frontend.predict(#"{"input": [4]}"#)
            #expect(answer["default"] == true)
            #expect(answer["default_explanation"] == "The model's queue is full")
            let refused = try await frontend.query.post("/strict/predict", #"{"input": [4]}"#)
            #expect(refused.status == 503)
            #expect(refused["Retry-After"] == "1")
            #expect(try refused.json["error"] == "Overload")
            for request in requests { try await container.answer(request, ["1"]) }
            try await container.answer(container.receiveRequest(), ["1"])
            for connection in waiting { #expect(try await connection.response().json["default"] == false) }
        }
    }

    @Test("A replica that is drained gets nothing new, answers what it has, and can be taken back")
    func drain() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 1)
            try await frontend.addApplication("app", links: ["sum"])
            let first = try await PlayedContainer.registered(at: frontend)
            let inFlight = try await send([1], to: frontend)
            let request = try await first.receiveRequest()
            let drained = try await frontend.admin(
                "drain", ["model_name": "sum", "model_version": "1", "replica_id": 0])
            #expect(drained["replicas"]?[0]?["state"] == "draining")
            #expect(drained["replicas"]?[0]?["queries_in_flight"] == 1)
            let second = try await PlayedContainer.registered(at: frontend)
            let later = try await send([2, 3], to: frontend)
            for _ in later { try await second.answer(second.receiveRequest(), ["5"]) }
            for connection in later { #expect(try await connection.response().json["output"] == 5) }
            try await first.answer(request, ["4"])
            #expect(try await inFlight[0].response().json["output"] == 4)
            try await frontend.admin(
                "drain", ["model_name": "sum", "model_version": "1", "replica_id": 0, "resume": true])
            let states = try await frontend.admin.get("/admin/status").json["replicas"]?.elements?.map { $0["state"] }
            #expect(states == ["active", "active"])
        }
    }

    @Test("A query whose replica is late is answered by another, where its application hedges")
    func hedge() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 1)
            try await frontend.admin(
                "add_app",
                [
                    "name": "app", "input_type": "doubles", "default_output": "-1.0",
                    "latency_slo_micros": 60_000_000, "hedging": ["quantile": 0.95, "max_extra_work": 0.5],
                ])
            try await frontend.admin("add_model_links", ["app_name": "app", "model_names": ["sum"]])
            let first = try await PlayedContainer.registered(at: frontend)
            // What it usually takes is learned, and hedges are earned.
            for value in 0..<40 {
                let connections = try await send([value], to: frontend)
                try await first.answer(first.receiveRequest(), ["1"])
                _ = try await connections[0].response()
            }
            let second = try await PlayedContainer.registered(at: frontend)
            let late = try await send([100, 101], to: frontend)
            // Each has one; the second answers its own, then what the first is late with.
            let kept = try await first.receiveRequest()
            try await second.answer(second.receiveRequest(), ["2"])
            try await second.answer(second.receiveRequest(), ["2"])
            for connection in late { #expect(try await connection.response().json["output"] == 2) }
            try await first.answer(kept, ["1"])
            try await eventually("the hedge is counted") {
                try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
                    .contains(#"clipper_hedges_won_total{model="sum",version="1"} 1"#)
            }
        }
    }
}
