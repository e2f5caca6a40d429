import TestSupport
import Testing

@Suite("The query API as an HTTP server: offers of other protocols")
struct HTTPUpgradeTests {
    @Test("An offer to upgrade, as Java's client makes it, is passed over: the connection goes on as it was")
    func upgradeOffer() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            let offer = """
                POST /app/predict HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 14\r\n\r\n
                """
            for number in 0..<2 {
                // One at a time, and several at once, the last of them in two pieces.
                try await connection.send(offer + "{\"input\": [\(number)]}")
                let response = try await connection.response()
                #expect(try response.json["output"] == .number(Double(number)))
                #expect(response["Connection"] != "close")
            }
            try await connection.send((2..<5).map { offer + "{\"input\": [\($0)]}" }.joined() + offer.prefix(40))
            for number in 2..<5 {
                #expect(try await connection.response().json["output"] == .number(Double(number)))
            }
            try await connection.send(offer.dropFirst(40) + "{\"input\": [5]}")
            #expect(try await connection.response().json["output"] == 5)
        }
    }

    @Test(
        "Whatever offers to upgrade look like, answered at once, pipelined, or with the client's side closed behind them",
        arguments: [
            "Connection: Upgrade\r\nUpgrade: h2c\r\n", "Upgrade: h2c\r\n", "Connection: upgrade\r\n",
            "Connection: upgrade\r\nUpgrade:\r\n",
            "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
        ])
    func oddOffers(headers: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let offer = "GET /health/live HTTP/1.1\r\nHost: x\r\n\(headers)\r\n"
            let plain = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send(offer + offer + offer + plain)
            for _ in 0..<4 { #expect(try await connection.response().status == 200) }
            try await connection.send(offer + plain + offer)
            connection.stream.closeWriting()
            for _ in 0..<3 { #expect(try await connection.response().status == 200) }
            try await connection.stream.waitForEnd()
        }
    }

    @Test(
        "One of which nobody can tell whether the parser reads on behind it is answered, and the connection ends",
        arguments: [
            "Connection: upgrade\t\r\nUpgrade: x\r\n", "Connection: foo\t,\tUpgrade\r\nUpgrade: h2c\r\n",
            "Proxy-Connection: upgrade\r\nUpgrade: h2c\r\n",
        ])
    func unclearOffers(headers: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            for address in [frontend.query, frontend.admin] {
                let connection = try HTTPConnection(to: address)
                try await connection.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
                let response = try await connection.response()
                #expect(response.status == 200)
                #expect(response["Connection"] == "close")
                try await connection.stream.waitForEnd()
            }
        }
    }

    @Test("A connection that ends in the middle of a request, or behind an offer to upgrade, costs nobody anything")
    func brokenOff() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let offer = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
            for text in [
                "POST /app/pre", "POST /app/predict HTTP/1.1\r\nHost: x\r\nContent-", offer + "GET /hea", offer,
            ] {
                for closesWriting in [false, true] {
                    let connection = try HTTPConnection(to: frontend.query)
                    try await connection.send(text)
                    if closesWriting { connection.stream.closeWriting() } else { connection.stream.resetAtEnd() }
                }
            }
            try await frontend.expectSum()
        }
    }

    @Test("A request for a tunnel is refused, and its connection closed whatever comes next")
    func tunnel() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
            let response = try await connection.response()
            #expect(response.status == 404)
            #expect(response["Connection"] == "close")
            let filler = [UInt8](repeating: 0, count: 1 << 16)
            // However much comes, no more of it is taken than sockets and a bound of the decoder's hold.
            var written = 0
            try await eventually("the connection ends") {
                guard let count = try? connection.stream.writeSome(filler[...]) else { return true }
                written += count
                return false
            }
            #expect(written < 64 << 20)
            try await frontend.expectSum()
        }
    }
}
