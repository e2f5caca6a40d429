import ArgumentParser
import Testing

@testable import clipper

@Suite("The runs of a load, one after the other")
struct BenchSessionTests {
    /// A load on a server that answers a first request, which tries it, and so many after it, and then is gone.
    private func report(answers: Int, _ load: String...) async throws -> BenchReport {
        let body = #"{"query_id":1,"output":3,"default":false}"#
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let server = try CannedServer { count in count <= answers ? .answer(answer) : .stop }
        defer { withExtendedLifetime(server) {} }
        let arguments =
            [
                "bench", "run", "a", "--query", "http://127.0.0.1:\(server.port)", "--slo", "24h", "--input", "[1]",
                "--duration", "200ms", "--warmup", "0s", "--arrivals", "constant", "--connections", "1",
            ] + load
        let command = try #require(try ClipperCommand.parseAsRoot(arguments) as? BenchRunCommand)
        return try await BenchSession(command).report()
    }

    @Test("Where a run cannot begin, those before it are kept, and the failure")
    func keepsRuns() async throws {
        // The first rate has 10 requests, of which the last gets no answer any more.
        let report = try await report(answers: 9, "--rates", "50,100")
        #expect(report.runs.map(\.predictions) == [9])
        #expect(report.failure?.exitCode == 2)
        #expect(report.failure?.message.hasPrefix("one run was done, but then: ") == true)
    }

    @Test("A search that a run ends which cannot begin is not complete")
    func keepsSearch() async throws {
        let report = try await report(answers: 9, "--step", "--start", "50", "--goal", "80%")
        #expect(report.runs.count == 1)
        #expect(report.search?.isComplete == false)
        #expect(report.highestRateWithinSLO == 50)
        #expect(report.failure?.exitCode == 2)
    }
}
