import TestSupport
import Testing

@Suite("The administration API as an HTTP server")
struct AdministrationHTTPTests {
    private static let ping = "GET /admin/ping HTTP/1.1\r\nHost: localhost\r\n"

    @Test("An offer to upgrade, as Java's client makes it, is passed over: the connection goes on as it was")
    func upgradeOffer() async throws {
        try await withProcesses { processes in
            let connection = try HTTPConnection(to: try await Frontend(in: processes).admin)
            let body = #"{"verbose": false}"#
            let offer = """
                POST /admin/get_all_models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n\
                Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: \(body.utf8.count)\r\n\r\n
                """
            for _ in 0..<2 {
                try await connection.send(offer + body)
                #expect(try await connection.response().text == "[]")
            }
            // Several at once, the last of them in two pieces.
            try await connection.send(offer + body + Self.ping + "\r\n" + offer.prefix(40))
            #expect(try await connection.response().text == "[]")
            #expect(try await connection.response().text == "PONG")
            try await connection.send(offer.dropFirst(40) + body)
            let last = try await connection.response()
            #expect(last.text == "[]")
            #expect(last["Connection"] != "close")
        }
    }

    @Test(
        "A connection that its client, or its version of HTTP, wants closed is closed behind the answer",
        arguments: [
            ping + "Connection: close\r\n\r\n", ping + "Connection: CLOSE\r\n\r\n",
            ping + "Connection: te, close\r\n\r\n",
            ping + "Connection: keep-alive\r\nConnection: close\r\n\r\n", "GET /admin/ping HTTP/1.0\r\n\r\n",
            "GET /admin/ping HTTP/1.0\r\nConnection: x\r\n\r\n",
        ])
    func closes(request: String) async throws {
        try await withProcesses { processes in
            let connection = try HTTPConnection(to: try await Frontend(in: processes).admin)
            try await connection.send(request + Self.ping + "\r\n")
            let response = try await connection.response()
            #expect(response.text == "PONG")
            #expect(response["Connection"] == "close")
            // What came behind it gets no answer.
            try await connection.stream.waitForEnd()
        }
    }

    @Test("A client of HTTP/1.0 that asks for it keeps its connection")
    func keepsAlive() async throws {
        try await withProcesses { processes in
            let connection = try HTTPConnection(to: try await Frontend(in: processes).admin)
            for _ in 0..<2 {
                try await connection.send("GET /admin/ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let response = try await connection.response()
                #expect(response.text == "PONG")
                #expect(response["Connection"] == "keep-alive")
            }
        }
    }

    @Test("A client that asks before it sends the body is told to go on, also behind another request")
    func goesAhead() async throws {
        try await withProcesses { processes in
            let connection = try HTTPConnection(to: try await Frontend(in: processes).admin)
            let body = #"{"verbose": false}"#
            let head = """
                POST /admin/get_all_models HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
                Content-Length: \(body.utf8.count)\r\n\r\n
                """
            try await connection.send(head)
            #expect(try await connection.response().status == 100)
            try await connection.send(body + Self.ping + "\r\n" + head)
            #expect(try await connection.response().text == "[]")
            #expect(try await connection.response().text == "PONG")
            #expect(try await connection.response().status == 100)
            try await connection.send(body)
            #expect(try await connection.response().text == "[]")
        }
    }

    @Test(
        "What is refused by its head is refused at once, and says why",
        arguments: [
            ("Content-Length: 1000000000000000000\r\n", 413, "longer than 1048576 bytes"),
            ("Expect: 100-continue\r\nContent-Length: 2000000\r\n", 413, "longer than 1048576 bytes"),
            ("Expect: a miracle\r\nContent-Length: 3\r\n", 417, "100-continue"),
            ("Content-Encoding: gzip\r\nContent-Length: 3\r\n", 415, "gzip"),
            ("Host: elsewhere\r\nContent-Length: 3\r\n", 400, "one Host header"),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400, "HTTP error"),
            ("Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", 400, "HTTP error"),
        ])
    func refused(headers: String, status: Int, reason: String) async throws {
        try await withProcesses { processes in
            let connection = try HTTPConnection(to: try await Frontend(in: processes).admin)
            try await connection.send(
                Self.ping + "\r\n" + "POST /admin/get_all_models HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n")
            #expect(try await connection.response().text == "PONG")
            let response = try await connection.response()
            #expect(response.status == status)
            #expect(response.text.contains(reason))
            #expect(response["Connection"] == "close")
            try await connection.stream.waitForEnd()
        }
    }

    @Test(
        "Methods that monitors do not use are told apart from unknown paths", arguments: ["/metrics", "/health/live"])
    func monitors(path: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let response = try await frontend.admin.post(path, "{}")
            #expect(response.status == 405)
            #expect(response["Allow"] == "GET")
            #expect(try await frontend.admin.get(path).status == 200)
            #expect(try await frontend.admin.get(path + "x").status == 404)
        }
    }

    @Test("A request that is answered before its body has come gets one answer, whatever comes of the body")
    func answeredEarly() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let connection = try HTTPConnection(to: frontend.admin)
            try await connection.send(
                "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            #expect(try await connection.response().status == 404)
            try await connection.send("this is no chunk\r\n")
            await #expect(throws: ConnectionClosed.self) { try await connection.response() }
        }
    }

    @Test(
        "A client that has closed its side gets the answer in full",
        arguments: ["GET /metrics HTTP/1.0\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    func halfClosed(request: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let connection = try HTTPConnection(to: frontend.admin)
            try await connection.send(request)
            connection.stream.closeWriting()
            #expect(try await connection.response().text.contains("clipper_uptime_seconds"))
            await #expect(throws: ConnectionClosed.self) { try await connection.response() }
        }
    }

    @Test("A request for a tunnel is refused, and its connection closed")
    func tunnel() async throws {
        try await withProcesses { processes in
            let connection = try HTTPConnection(to: try await Frontend(in: processes).admin)
            try await connection.send("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nwhatever")
            let response = try await connection.response()
            #expect([400, 404].contains(response.status))
            #expect(response["Connection"] == "close")
            try await connection.stream.waitForEnd()
        }
    }

    @Test("Connections beyond the bound are told so, and those that close make room")
    func connections() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            var connections: [HTTPConnection] = []
            for _ in 0..<256 {
                let connection = try HTTPConnection(to: frontend.admin)
                #expect(try await connection.exchange("GET", "/admin/ping").text == "PONG")
                connections.append(connection)
            }
            let refused = try HTTPConnection(to: frontend.admin)
            let response = try await refused.response()
            #expect(response.status == 503)
            #expect(response["Retry-After"] == "1")
            try await refused.stream.waitForEnd()
            connections.removeLast(10)
            try await eventually("there is room again") {
                try await HTTPConnection(to: frontend.admin).exchange("GET", "/admin/ping").status == 200
            }
            #expect(try await frontend.terminate() == 0)
        }
    }

    @Test(
        "JSON of any depth harms nobody",
        arguments: [
            String(repeating: "[", count: 512), String(repeating: "[", count: 513), String(repeating: "[", count: 514),
            #"{"name":"# + String(repeating: "[", count: 512), String(repeating: "[", count: 1_000_000),
        ])
    func deepJSON(body: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let response = try await frontend.admin.post("/admin/get_application", body)
            #expect(response.status == 400)
            #expect(response.text.contains("not valid JSON"))
            #expect(try await frontend.admin.get("/admin/ping").text == "PONG")
        }
    }
}
