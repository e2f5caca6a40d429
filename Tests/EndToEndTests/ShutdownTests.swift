import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Shutdown")
struct ShutdownTests {
    private static let query = Array(#"{"input": [40, 2]}"#.utf8)

    @Test("At SIGTERM an idle frontend ends with 0")
    func idleFrontend() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            // Connections on which nothing happens do not hold it up.
            let connection = try HTTPConnection(to: frontend.query)
            #expect(try await connection.exchange("POST", "/app/predict", body: Self.query).status == 200)
            let administrator = try HTTPConnection(to: frontend.admin)
            #expect(try await administrator.exchange("GET", "/admin/ping").status == 200)
            #expect(try await frontend.terminate() == 0)
        }
    }

    @Test("With --stop-delay SIGTERM makes it unready alone, and everybody is served on until that has passed")
    func delayedStop() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--stop-delay", "1h"])
            let connection = try HTTPConnection(to: frontend.query)
            #expect(try await connection.exchange("GET", "/health/ready").status == 200)
            frontend.process.signal(SIGTERM)
            try await eventually("it is not ready any more") {
                try await frontend.admin.get("/health/ready").status == 503
            }
            #expect(try await connection.exchange("GET", "/health/ready").status == 503)
            // New connections and old ones.
            #expect(try await frontend.query.get("/health/ready").text == "stopping\n")
            #expect(try await frontend.query.get("/health/live").status == 200)
            try await frontend.expectSum()
            let answer = try await connection.exchange("POST", "/app/predict", body: Self.query)
            #expect(try answer.json["output"] == 42)
            #expect(answer["Connection"] == nil)
            // Who asks again does not want to wait.
            frontend.process.signal(SIGTERM)
            #expect(try await frontend.process.exitStatus() != 0)
        }
    }

    @Test("After its --stop-delay a frontend answers what is in flight and ends with 0")
    func delayPasses() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--stop-delay", "10ms"])
            #expect(try await frontend.terminate() == 0)
        }
    }

    @Test("At SIGTERM a frontend takes no new connection, answers what is in flight and ends with 0")
    func busyFrontend() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 1)
            try await frontend.addApplication("app", links: ["sum"])
            let container = try await PlayedContainer.registered(at: frontend)
            // Two queries are in flight, and a third waits in the queue.
            var connections: [HTTPConnection] = []
            for _ in 0..<3 {
                let connection = try HTTPConnection(to: frontend.query)
                try await connection.send("POST", "/app/predict", body: Self.query)
                connections.append(connection)
            }
            let requests = [try await container.receiveRequest(), try await container.receiveRequest()]
            try await eventually("the third query waits") {
                try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
                    .contains(#"clipper_queue_depth{model="sum",version="1"} 1"#)
            }
            frontend.process.signal(SIGTERM)
            try await eventually("no connection is taken any more") { (try? TCPConnection(to: frontend.query)) == nil }
            for request in requests { try await container.answer(request, ["42"]) }
            try await container.answer(try await container.receiveRequest(), ["42"])
            for connection in connections {
                let answer = try await connection.response().json
                #expect(answer["output"] == 42)
                #expect(answer["default"] == false)
                try await connection.stream.waitForEnd()
            }
            #expect(try await frontend.process.exitStatus() == 0)
        }
    }

    @Test(
        "At SIGTERM a last answer that is read slowly still leaves in full",
        arguments: [["Connection: close"], []] as [[String]])
    func slowReader(headers: [String]) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            // More than the system holds between two processes.
            try await frontend.addApplication("app", defaultOutput: String(repeating: "long ", count: 200_000))
            let connection = try HTTPConnection(to: frontend.query)
            let inputs = Array(repeating: "[1]", count: 16).joined(separator: ",")
            try await connection.send(
                "POST", "/app/predict", headers: headers, body: Array(#"{"input_batch":[\#(inputs)]}"#.utf8))
            try await eventually("the request is answered") {
                try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
                    .contains(#"clipper_queries_total{application="app"} 16"#)
            }
            frontend.process.signal(SIGTERM)
            try await eventually("no connection is taken any more") { (try? TCPConnection(to: frontend.query)) == nil }
            let response = try await connection.response()
            #expect(response.status == 200)
            #expect(response.body.count > 16 * 1_000_000)
            try await connection.stream.waitForEnd()
            #expect(try await frontend.process.exitStatus() == 0)
        }
    }

    @Test("Clients that connect while a frontend stops do not hold it up")
    func connectionsAtTheEnd() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        // Until none is taken any more.
                        while let connection = try? TCPConnection(to: frontend.query) {
                            withExtendedLifetime(connection) {}
                            await Task.yield()
                        }
                    }
                }
                let health = try await frontend.query.get("/health/live")
                #expect(health.status == 200)
                frontend.process.signal(SIGTERM)
                // Less than the time after which it gives up waiting for connections.
                #expect(try await frontend.process.exitStatus(within: .seconds(28)) == 0)
                try await group.waitForAll()
            }
        }
    }

    @Test("At SIGTERM a container finishes the batch in hand, answers it and ends with 0")
    func busyContainer() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["sum"])
            let container = try await frontend.startContainer(
                "faulty-container", arguments: ["--milliseconds", "1000"])
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Self.query)
            _ = try await container.line("batch ")
            container.signal(SIGTERM)
            #expect(try await connection.response().json["output"] == 42)
            #expect(try await container.exitStatus() == 0)
            try await eventually("the container is listed no more") { try await frontend.containers() == [] }
        }
    }

    @Test("At SIGTERM an idle container ends with 0, with a frontend and without one")
    func idleContainer() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let container = try await frontend.startContainer()
            container.signal(SIGTERM)
            #expect(try await container.exitStatus() == 0)
            try await eventually("the container is listed no more") { try await frontend.containers() == [] }
            #expect(try await frontend.terminate() == 0)
            let lonely = try processes.start("sum-container", ["--frontend", frontend.rpc, "--log-level", "debug"])
            try await eventually("the container is at work") { lonely.standardError.contains("connecting") }
            lonely.signal(SIGTERM)
            #expect(try await lonely.exitStatus() == 0)
        }
    }
}
