import Testing

@testable import clipper

@Suite("Trying one request before a load", .timeLimit(.minutes(1)))
struct BenchInquiryTests {
    /// Tries it with a server of one's own.
    private func attempt(_ server: CannedServer, acceptsAny: Bool = false) async throws {
        let inquiry = BenchInquiry(
            application: "a", query: try FrontendAddress("http://127.0.0.1:\(server.port)"), administration: nil)
        try await inquiry.tryOnce(
            .object([("input", .array([.integer(1)]))]), patience: .seconds(30), acceptsAny: acceptsAny)
    }

    private static func server(_ status: String, _ body: String) throws -> CannedServer {
        try CannedServer { _ in
            .answer("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }

    @Test("A prediction, a default output and a frontend that takes no more for now are no reason not to begin")
    func begins() async throws {
        try await attempt(Self.server("200 OK", #"{"query_id":1,"output":1,"default":false}"#))
        try await attempt(
            Self.server("200 OK", #"{"query_id":1,"output":1,"default":true,"default_explanation":"late"}"#))
        try await attempt(Self.server("503 Service Unavailable", #"{"error":"too many"}"#))
        try await attempt(Self.server("200 OK", "hello"), acceptsAny: true)
    }

    @Test("A refusal, and what is no frontend's answer, are")
    func refuses() async throws {
        for (status, body) in [("400 Bad Request", #"{"error":"no"}"#), ("404 Not Found", ""), ("200 OK", "hello")] {
            let server = try Self.server(status, body)
            await #expect(throws: CommandFailure.self) { try await attempt(server) }
        }
    }
}
