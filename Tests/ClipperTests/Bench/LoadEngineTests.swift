import ContainerRPC
import PlainHTTP
import Testing

@testable import clipper

@Suite("A load on a server")
struct LoadEngineTests {
    private static let milli: Int64 = 1_000_000

    private func plan(_ pace: LoadPlan.Pace, connections: Int = 4, grace: Int64 = 60_000 * milli) throws -> LoadPlan {
        let body = try BenchBody(input: PredictInput(text: "[1,2]").json, isVaried: true)
        return LoadPlan(
            pace: pace, connections: connections, warmup: 0, duration: 200 * Self.milli, grace: grace,
            slo: 86_400_000 * Self.milli, templates: [RequestTemplate(path: "/a/predict", host: "h", body: body)],
            firstNumber: 0, acceptsAny: false)
    }

    private func open(rate: Double = 100) -> LoadPlan.Pace {
        .open(ArrivalSchedule(process: .constant, rate: rate, seed: 1), rate: rate)
    }

    private func run(_ plan: LoadPlan, on server: CannedServer) async throws -> BenchRun {
        let endpoint = try #require(try ServerEndpoint.resolve(host: "127.0.0.1", port: server.port).first)
        return try await LoadEngine.run(plan, endpoint: endpoint, stop: StopSignal())
    }

    private static let prediction = #"{"query_id":1,"output":3,"default":false}"#

    private static func response(_ body: String, status: String = "200 OK", fields: String = "") -> String {
        "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test("An open loop sends exactly what is due, and counts the answers")
    func sendsWhatIsDue() async throws {
        let server = try CannedServer { _ in .answer(Self.response(Self.prediction)) }
        let run = try await run(try plan(open()), on: server)
        #expect(run.sent == 20)
        #expect(run.predictions == 20)
        #expect(run.inSLO == 20)
        #expect(run.errors.isEmpty)
        #expect(run.rate == 100)
        #expect(run.latency != nil)
        #expect(Set(server.requests).count == 20, "--distinct: no two bodies are alike")
    }

    @Test("Answers of all kinds are told apart")
    func tellsAnswers() async throws {
        let answers = [
            Self.response(Self.prediction), Self.response(#"{"output":0,"default":true,"default_explanation":"late"}"#),
            Self.response("{}", status: "503 Service Unavailable"), Self.response("no", status: "500 Oh"),
        ]
        let server = try CannedServer { count in .answer(answers[count % 4]) }
        let run = try await run(try plan(open()), on: server)
        #expect(run.predictions == 5)
        #expect(run.defaults == ["late": 5])
        #expect(run.rejected == 5)
        #expect(run.errors == ["HTTP 500: no": 5])
    }

    @Test("A closed loop sends again with each answer")
    func loops() async throws {
        let server = try CannedServer { _ in .answer(Self.response(Self.prediction)) }
        let run = try await run(try plan(.closed, connections: 2), on: server)
        #expect(run.rate == nil)
        #expect(run.sent > 2)
        #expect(run.predictions == run.sent)
    }

    @Test("Connections that the server closes after each answer are opened anew, and nothing is lost")
    func reopens() async throws {
        let server = try CannedServer { _ in .answer(Self.response(Self.prediction, fields: "Connection: close\r\n")) }
        let run = try await run(try plan(open(), connections: 1), on: server)
        #expect(run.sent == 20)
        #expect(run.predictions == 20)
    }

    @Test("Answers that come in pieces are put together")
    func readsPieces() async throws {
        let body = #"{"query_id":1,"output":""# + String(repeating: "x", count: 200_000) + #"","default":false}"#
        let server = try CannedServer { _ in .answer(Self.response(body)) }
        let run = try await run(try plan(open(rate: 50)), on: server)
        #expect(run.predictions == 10)
        #expect(run.bytesReceived > 200_000)
    }

    @Test("Requests that wait for a connection are sent when one is free, and are counted")
    func waits() async throws {
        let server = try CannedServer { _ in .answer(Self.response(Self.prediction)) }
        let run = try await run(try plan(open(rate: 20_000), connections: 1), on: server)
        #expect(run.sent == 4000)
        #expect(run.waitedForConnection > 0)
        #expect(run.predictions + run.unanswered == 4000)
        #expect(run.errors.isEmpty)
    }

    @Test("Requests that get no answer within the grace are unanswered, also those that got no connection")
    func isUnanswered() async throws {
        let server = try CannedServer { count in count < 5 ? .answer(Self.response(Self.prediction)) : .silence }
        let run = try await run(try plan(open(), connections: 2, grace: 3_000 * Self.milli), on: server)
        #expect(run.sent == 20)
        #expect(run.predictions == 5)
        #expect(run.unanswered == 15)
        #expect(run.unsent == 13)
        #expect(run.shareInSLO == 0.25)
        // The sixth was due after 50 ms, and the run takes at least 200.
        #expect(try #require(run.latency).max >= 150_000)
    }

    @Test("A connection that ends before its answer is an error of its request alone")
    func countsBrokenConnections() async throws {
        let server = try CannedServer { count in count == 7 ? .close : .answer(Self.response(Self.prediction)) }
        let run = try await run(try plan(open()), on: server)
        #expect(run.sent == 20)
        #expect(run.predictions == 19)
        #expect(run.errors == ["the server closed the connection before its answer": 1])
    }

    @Test("What is no HTTP is an error")
    func countsJunk() async throws {
        let server = try CannedServer { count in .answer(count == 3 ? "hello\r\n\r\n" : Self.response(Self.prediction))
        }
        let run = try await run(try plan(open()), on: server)
        #expect(run.predictions == 19)
        #expect(run.errors == ["the answer is not HTTP: it does not begin as HTTP/1.1 does": 1])
    }

    @Test("A server that is gone fails the requests, and does not hold the run up")
    func countsOutages() async throws {
        let server = try CannedServer { count in count < 4 ? .answer(Self.response(Self.prediction)) : .stop }
        let run = try await run(try plan(open(), connections: 1), on: server)
        #expect(run.sent == 20)
        #expect(run.predictions == 4)
        #expect(run.errorCount == 16)
        #expect(run.unanswered == 0)
    }

    @Test("A run that is stopped ends with what it has")
    func stops() async throws {
        let stop = StopSignal()
        let server = try CannedServer { count in
            if count == 3 { stop.set() }
            return .answer(Self.response(Self.prediction))
        }
        var plan = try plan(open())
        plan.duration = 3_600_000 * Self.milli
        let endpoint = try #require(try ServerEndpoint.resolve(host: "127.0.0.1", port: server.port).first)
        let run = try await LoadEngine.run(plan, endpoint: endpoint, stop: stop)
        #expect(run.isInterrupted)
        #expect(run.predictions == run.sent)
        #expect(run.sent >= 4)
    }

    @Test("Where nobody listens the run does not begin")
    func needsServer() async throws {
        let port = try CannedServer { _ in .stop }.port
        let endpoint = try #require(try ServerEndpoint.resolve(host: "127.0.0.1", port: port).first)
        // The server is gone with its last reference.
        #expect(try !endpoint.isReachable())
        let failure = await #expect(throws: CommandFailure.self) {
            try await LoadEngine.run(try plan(open()), endpoint: endpoint, stop: StopSignal())
        }
        #expect(failure?.exitCode == 2)
    }

    @Test("A server that takes only some of the connections is there, and refuses the others")
    func needsConnections() async throws {
        let server = try CannedServer(backlog: 1) { _ in .close }
        var plan = try plan(open(), connections: 40)
        plan.connectPatience = 2000 * Self.milli
        let failure = await #expect(throws: CommandFailure.self) { try await run(plan, on: server) }
        #expect(failure?.cause == .refused(status: nil))
        #expect(failure?.message.contains(" of 40 connections could be opened") == true)
    }

    @Test("Connections follow from the rate and the SLO where nobody names them")
    func choosesConnections() {
        #expect(LoadPlan.connections(forRate: 100, slo: .milliseconds(20)) == 64)
        #expect(LoadPlan.connections(forRate: 6000, slo: .milliseconds(20)) == 240)
        #expect(LoadPlan.connections(forRate: 100_000, slo: .seconds(60)) == 4000)
    }
}
