import Testing

@testable import clipper

@Suite("Requests over HTTP", .timeLimit(.minutes(1)))
struct HTTPTransportTests {
    private func reply(of server: CannedServer, patience: Duration = .seconds(30)) async throws -> FrontendReply {
        let request = FrontendRequest(method: "POST", path: ["admin", "x"], body: .object([("a", .integer(1))]))
        let address = try FrontendAddress("http://127.0.0.1:\(server.port)")
        return try await HTTPTransport().reply(to: request, at: address, patience: patience)
    }

    private func problem(of server: CannedServer, patience: Duration = .seconds(30)) async -> NoAnswerError? {
        await #expect(throws: NoAnswerError.self) { try await reply(of: server, patience: patience) }
    }

    @Test("An answer comes with its status and its body")
    func answers() async throws {
        let server = try CannedServer { _ in .answer("HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno") }
        #expect(try await reply(of: server) == FrontendReply(status: 400, body: "no"))
        #expect(server.requests == [#"{"a":1}"#])
    }

    @Test(
        "A server that sends a byte now and then is waited for no longer than one that sends nothing",
        arguments: ["", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"])
    func ends(beginning: String) async throws {
        let server = try CannedServer { _ in beginning.isEmpty ? .silence : .drip(beginning) }
        #expect(await problem(of: server, patience: .milliseconds(300)) == .silent)
    }

    @Test("What answers, and not as a frontend does, is told apart from what does not answer")
    func tellsOthers() async throws {
        let junk = try CannedServer { _ in .answer("hello\r\n\r\n") }
        #expect(await problem(of: junk) == .noFrontend("its answer is not HTTP"))
    }

    @Test(
        "A connection that is closed before its answer, or within it, is one that was lost",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
        ])
    func tellsLost(beginning: String) async throws {
        let dying = try CannedServer { _ in beginning.isEmpty ? .close : .cut(beginning) }
        #expect(await problem(of: dying) == .lost)
    }

    @Test("So is one that is reset")
    func tellsReset() async throws {
        let killed = try CannedServer { _ in .reset }
        #expect(await problem(of: killed) == .lost)
    }
}
