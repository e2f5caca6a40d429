import TestSupport
import Testing

@Suite("The query API as an HTTP server")
struct HTTPTests {
    private func body(_ number: Int) -> [UInt8] { Array("{\"input\": [\(number)]}".utf8) }

    @Test("Pipelined requests are answered in their order, wrong ones among them")
    func pipelining() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            var requests = ""
            for number in 0..<20 {
                let body = number % 5 == 3 ? "nonsense" : "{\"input\": [\(number)]}"
                requests += "POST /app/predict HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            }
            try await connection.send(requests)
            for number in 0..<20 {
                let response = try await connection.response()
                if number % 5 == 3 {
                    #expect(response.status == 400)
                } else {
                    #expect(try response.json["output"] == .number(Double(number)))
                }
            }
        }
    }

    @Test("Pipelined requests are all answered when the client closes its side behind them")
    func pipeliningAndHalfClose() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            let requests = (0..<3).map { number in
                "POST /app/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n{\"input\": [\(number)]}"
            }
            try await connection.send(requests.joined())
            connection.stream.closeWriting()
            for number in 0..<3 {
                #expect(try await connection.response().json["output"] == .number(Double(number)))
            }
            try await connection.stream.waitForEnd()
        }
    }

    @Test("So are those of a client whose answers pile up because it does not read them yet")
    func pipeliningAndSlowReading() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let long = String(repeating: "long ", count: 20_000)
            try await frontend.addApplication("app", defaultOutput: long)
            let connection = try HTTPConnection(to: frontend.query)
            let count = 70
            let request = "POST /app/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{\"input\":[1]}"
            try await connection.send(String(repeating: request, count: count))
            var seen = (queries: "", looks: 0)
            try await eventually("as much is answered as fits in between") {
                let metrics = try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
                let line = metrics.split(separator: "\n").first { $0.hasPrefix("clipper_queries_total{") }
                let queries = String(line ?? "")
                seen = (queries, queries == seen.queries ? seen.looks + 1 : 0)
                return seen.looks > 20
            }
            #expect(!seen.queries.hasSuffix(" \(count)"))
            connection.stream.closeWriting()
            for _ in 0..<count { #expect(try await connection.response().status == 200) }
            try await connection.stream.waitForEnd()
        }
    }

    @Test("An answer has a date, two hosts are refused, and HTTP/1.0 gets no interim answer")
    func smallPrint() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let live = try await frontend.query.get("/health/live")
            #expect(
                try #require(live["Date"]).wholeMatch(of: /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT/) != nil
            )
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("GET /health/live HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
            #expect(try await connection.response().status == 400)
            let old = try HTTPConnection(to: frontend.query)
            try await old.send(
                "POST /app/predict HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n{\"input\": [7]}")
            #expect(try await old.response().json["output"] == 7)
            #expect(try await frontend.query.get("/nowhere").status == 404)
            let metrics = try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
            #expect(metrics.contains(#"clipper_http_errors_total{status="400"} 1"#))
            #expect(metrics.contains(#"clipper_http_errors_total{status="404"} 1"#))
            #expect(metrics.contains(#"clipper_http_errors_total{status="503"} 0"#))
        }
    }

    @Test("Bodies beyond what may be under way are refused, and taken again when others are answered")
    func bodiesUnderWay() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(
                in: processes, arguments: ["--max-body", "1000", "--max-bodies", "1000", "--threads", "1"])
            let slow = try HTTPConnection(to: frontend.query)
            // It is accepted. One thread reads what it sends next before it accepts another.
            #expect(try await slow.exchange("GET", "/health/live").status == 200)
            let text = "{\"input\": [" + Array(repeating: "1", count: 400).joined(separator: ",") + "]}"
            try await slow.send(
                "POST /app/predict HTTP/1.1\r\nHost: x\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text.dropLast())")
            let refused = try await frontend.query.exchange("POST", "/app/predict", body: Array(text.utf8))
            #expect(refused.status == 503)
            #expect(refused["Retry-After"] == "1")
            #expect(try refused.json["cause"] == "the bodies of the requests under way would take more than 1000 bytes")
            try await slow.send("}")
            #expect(try await slow.response().json["output"] == 400)
            let next = try await frontend.query.exchange("POST", "/app/predict", body: Array(text.utf8))
            #expect(next.status == 200)
        }
    }

    @Test("A connection serves many requests, until one asks to close it")
    func keepAlive() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            for number in 0..<5 {
                let response = try await connection.exchange("POST", "/app/predict", body: body(number))
                #expect(try response.json["output"] == .number(Double(number)))
                #expect(response["Connection"] == nil)
            }
            let last = try await connection.exchange(
                "POST", "/app/predict", headers: ["Connection: close"], body: body(5))
            #expect(last["Connection"] == "close")
            try await connection.stream.waitForEnd()
        }
    }

    @Test("A request of HTTP/1.0 is answered, and its connection closed")
    func oldVersion() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST /app/predict HTTP/1.0\r\nContent-Length: 14\r\n\r\n{\"input\": [4]}")
            #expect(try await connection.response().json["output"] == 4)
            try await connection.stream.waitForEnd()
        }
    }

    @Test("A chunked body is put together")
    func chunkedBody() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send(
                "POST /app/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in #"{"input": [1, 2, 39]}"# { try await connection.send("1\r\n\(byte)\r\n") }
            try await connection.send("0\r\n\r\n")
            #expect(try await connection.response().json["output"] == 42)
        }
    }

    @Test("Expect: 100-continue is answered before the body is sent")
    func expectContinue() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            for number in 1...2 {
                try await connection.send(
                    "POST /app/predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n")
                #expect(try await connection.response().status == 100)
                try await connection.send("{\"input\": [\(number)]}")
                #expect(try await connection.response().json["output"] == .number(Double(number)))
            }
        }
    }

    @Test("A request that would be refused is refused instead of being asked for its body")
    func expectContinueInVain() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            let expectations = [
                ("/other/predict", "100-continue", 5, 404), ("/app/predict", "100-continue", 65 << 20, 413),
                ("/app/predict", "a miracle", 5, 417),
            ]
            for (path, expectation, length, status) in expectations {
                let connection = try HTTPConnection(to: frontend.query)
                try await connection.send(
                    "POST \(path) HTTP/1.1\r\nHost: x\r\nExpect: \(expectation)\r\nContent-Length: \(length)\r\n\r\n")
                #expect(try await connection.response().status == status)
            }
        }
    }

    @Test("A slow body keeps nobody else waiting, and is answered when it is there")
    func slowBody() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--threads", "1"])
            let slow = try HTTPConnection(to: frontend.query)
            try await slow.send("POST /app/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n{\"inp")
            let half = try HTTPConnection(to: frontend.query)
            try await half.send("POST /app/pre")
            for number in 0..<20 {
                let response = try await frontend.query.exchange("POST", "/app/predict", body: body(number))
                #expect(try response.json["output"] == .number(Double(number)))
            }
            try await slow.send("ut\": [9]}")
            #expect(try await slow.response().json["output"] == 9)
            try await half.send("dict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n{\"input\": [8]}")
            #expect(try await half.response().json["output"] == 8)
        }
    }

    @Test("A client that closes its side after its request still reads the answer")
    func halfClose() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: body(3))
            connection.stream.closeWriting()
            #expect(try await connection.response().json["output"] == 3)
            try await connection.stream.waitForEnd()
        }
    }

    @Test("Clients that go away without reading their answers cost nobody anything")
    func clientsThatGoAway() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            for number in 0..<20 {
                let connection = try HTTPConnection(to: frontend.query)
                try await connection.send("POST", "/app/predict", body: body(number))
            }
            try await frontend.expectSum()
        }
    }

    @Test("HEAD gets the headers of GET and no body")
    func head() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            for path in ["/health/live", "/health/ready", "/metrics"] {
                let response = try await connection.exchange("HEAD", path)
                #expect(response.status == 200)
                #expect(response["Content-Length"].flatMap { Int($0) } ?? 0 > 0)
                // Were there a body, the next response would begin with it.
                #expect(try await connection.exchange("GET", "/health/live").text == "live\n")
            }
        }
    }

    @Test("Another method than the path takes is a 405 that names the right one")
    func otherMethods() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            let connection = try HTTPConnection(to: frontend.query)
            let cases = [
                ("GET", "/app/predict", "POST"), ("PUT", "/app/update", "POST"), ("POST", "/metrics", "GET"),
                ("DELETE", "/health/live", "GET"), ("OPTIONS", "/app/predict", "POST"),
            ]
            for (method, path, allowed) in cases {
                let response = try await connection.exchange(method, path)
                #expect(response.status == 405, "\(method) \(path)")
                #expect(response["Allow"] == allowed)
                #expect(try response.json["error"] == "Method not allowed")
            }
        }
    }

    @Test(
        "What is no HTTP is answered by a 400, and the connection closed",
        arguments: [
            "nonsense\r\n\r\n", "POST /app/predict HTTP/1.1\r\nContent-Length: x\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
        ])
    func notHTTP(text: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send(text)
            #expect(try await connection.response().status == 400)
            try await connection.stream.waitForEnd()
            try await frontend.expectSum()
        }
    }

    @Test("Headers without end are refused")
    func largeHeaders() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("GET /health/live HTTP/1.1\r\n")
            let line = "X-Filler: \(String(repeating: "x", count: 1_000))\r\n"
            let response = try await eventually("the headers are refused") {
                _ = try? connection.stream.writeSome(Array(line.utf8)[...])
                return try connection.nextResponse()
            }
            #expect(response.status == 431)
            try await frontend.expectSum()
        }
    }

    @Test("Connections beyond the limit are closed, and taken again when others have ended")
    func connectionLimit() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes, arguments: ["--max-connections", "2"])
            var connections: [HTTPConnection] = []
            for _ in 0..<2 {
                let connection = try HTTPConnection(to: frontend.query)
                #expect(try await connection.exchange("GET", "/health/live").status == 200)
                connections.append(connection)
            }
            let refused = try HTTPConnection(to: frontend.query)
            let refusal = try await refused.response()
            #expect(refusal.status == 503)
            #expect(refusal["Retry-After"] == "1")
            try await refused.stream.waitForEnd()
            // One that is in the middle of a long body gets it, too, and no reset instead.
            let long = try HTTPConnection(to: frontend.query)
            try await long.send("POST /app/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            try await long.send(String(repeating: " ", count: 50_000))
            #expect(try await long.response().status == 503)
            try await long.stream.waitForEnd()
            // Monitors are answered all the same, at the other port.
            #expect(try await frontend.admin.get("/health/live").text == "live\n")
            #expect(try await frontend.admin.get("/health/ready").status == 200)
            #expect(try await HTTPConnection(to: frontend.admin).exchange("HEAD", "/health/ready").status == 200)
            let metrics = try await frontend.admin.get("/metrics")
            #expect(metrics["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains(#"clipper_http_errors_total{status="503"} 2"#))
            #expect(try await connections[0].exchange("GET", "/health/live").status == 200)
            connections.removeAll()
            try await eventually("a connection is taken again") {
                await (try? frontend.query.get("/health/live"))?.status == 200
            }
        }
    }

    @Test("A connection on which nothing happens is closed after the idle time, a client that waits is not")
    func idleConnections() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes, arguments: ["--idle-timeout", "1s"])
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["sum"])
            try await frontend.startContainer("faulty-container", arguments: ["--milliseconds", "3500"])
            let waiting = try HTTPConnection(to: frontend.query)
            try await waiting.send("POST", "/app/predict", body: body(5))
            let idle = try HTTPConnection(to: frontend.query)
            try await idle.stream.waitForEnd()
            #expect(try await waiting.response().json["output"] == 5)
        }
    }

    @Test("Half a head that nobody finishes is no error of anybody's")
    func idleHead() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes, arguments: ["--idle-timeout", "1s"])
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("GET /hea")
            try await connection.stream.waitForEnd()
            let metrics = try await frontend.admin.get("/metrics").text
            #expect(metrics.contains(#"clipper_http_errors_total{status="400"} 0"#))
        }
    }

    @Test("Requests that are sent at once, thousands of them, are all answered, in order")
    func pipelined() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let greedy = try HTTPConnection(to: frontend.query)
            let request = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
            try await greedy.send(String(repeating: request, count: 2_000) + "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in 0..<2_000 { #expect(try await greedy.response().status == 200) }
            #expect(try await greedy.response().status == 404)
        }
    }
}
