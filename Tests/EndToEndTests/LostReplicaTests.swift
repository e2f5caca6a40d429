import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// All of these replicas are lost while a batch is theirs, so silence would not show the loss: a replica that is busy
// may be silent for as long as it likes.
@Suite("Lost replicas")
struct LostReplicaTests {
    @Test("A replica that is killed with a batch in hand costs no query its answer")
    func killedWithBatch() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 4)
            try await frontend.addApplication("app", slo: .seconds(20), links: ["sum"])
            // It kills itself, so that the test's own delays do not count.
            let victim = try await frontend.startContainer("faulty-container", arguments: ["--on-negative", "die"])
            try await frontend.startContainer()
            let inputs = (1...40).map { "[-\($0)]" }.joined(separator: ",")
            let answer = try await frontend.predict(#"{"input_batch": [\#(inputs)]}"#)
            let predictions = try #require(answer["batch_predictions"]?.elements)
            #expect(predictions.map { $0["output"]?.double } == (1...40).map { -Double($0) })
            #expect(predictions.allSatisfy { $0["default"] == false })
            #expect(try await victim.exitStatus() == -SIGKILL)
            try await eventually("the loss shows") { try await frontend.containers() == ["sum:1:1"] }
            #expect(frontend.process.standardError.contains("replica lost: disconnected"))
        }
    }

    @Test("A query whose only replica is killed is answered by the one that comes next")
    func replaced() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["sum"])
            let victim = try await frontend.startContainer(
                "faulty-container", arguments: ["--milliseconds", "600000"])
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1, 2]}"#.utf8))
            _ = try await victim.line("batch ")
            victim.signal(SIGKILL)
            // Silence is given up after 30 s; this bound leaves room for a machine with much to do.
            try await eventually("the loss shows", within: .seconds(20)) { try await frontend.containers() == [] }
            try await frontend.startContainer()
            #expect(try await connection.response().json == ["query_id": 0, "output": 3, "default": false])
        }
    }

    @Test("A query that two replicas die of gets the default output, with the reason, and is tried no more")
    func lostTwice() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            var victims: [ChildProcess] = []
            for _ in 0..<3 {
                victims.append(
                    try await frontend.startContainer("faulty-container", arguments: ["--on-negative", "die"]))
            }
            let answer = try await frontend.predict(#"{"input": [-1]}"#)
            #expect(answer["output"] == -1)
            #expect(answer["default"] == true)
            #expect(
                answer["default_explanation"] == "The replicas that the query was sent to failed or were lost, twice")
            try await eventually("two replicas are gone") { try await frontend.containers().count == 1 }
            // The frontend hears of a death from the network, this process from its own child: in either order.
            try await eventually("two containers have ended") { victims.count { $0.isRunning } == 1 }
            try await frontend.expectSum()
        }
    }

    @Test("A replica that stands still keeps the batches it has, and the others answer all that comes")
    func standsStill() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 1)
            try await frontend.addApplication("app", links: ["sum"])
            let still = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            let first = Array(#"{"input_batch": [[1], [2]]}"#.utf8)
            try await connection.send("POST", "/app/predict", body: first)
            // No more batches than these two are given to one replica at a time.
            let requests = [try await still.receiveRequest(), try await still.receiveRequest()]
            try await frontend.startContainer()
            for _ in 0..<20 { try await frontend.expectSum() }
            #expect(try await frontend.containers() == ["sum:1:0", "sum:1:1"])
            for request in requests { try await still.answer(request, ["late"]) }
            let predictions = try #require(await connection.response().json["batch_predictions"]?.elements)
            #expect(predictions.map { $0["output"] } == ["late", "late"])
        }
    }
}
