import PlainHTTP
import Testing

@Suite("Responses to the load")
struct ResponseTests {
    private func read(_ text: String, isAtEnd: Bool = false) throws -> Response? {
        try Response.read(Array(text.utf8)[...], isAtEnd: isAtEnd)
    }

    private func body(_ response: Response?) -> String? {
        response.map { String(decoding: $0.body, as: UTF8.self) }
    }

    private let plain = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-LENGTH:  5 \r\n\r\nhello"

    @Test("A response with a length is complete with its last byte, and not before")
    func waits() throws {
        for length in 0..<plain.utf8.count {
            #expect(try read(String(decoding: plain.utf8.prefix(length), as: UTF8.self)) == nil)
        }
        let response = try #require(try read(plain))
        #expect(body(response) == "hello")
        #expect(response.status == 200)
        #expect(response.keepsConnection)
    }

    @Test("It is read wherever it stands in a buffer")
    func readsSlices() throws {
        let bytes = Array(("junk" + plain).utf8)
        #expect(body(try Response.read(bytes[4...])) == "hello")
        #expect(try Response.read(bytes[4..<(bytes.count - 1)]) == nil)
    }

    @Test("Chunks are put together, with extensions and trailers left out")
    func unchunks() throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n, wor\r\nld!\r\n0\r\nX: y\r\n\r\n"
        for length in 0..<text.utf8.count {
            #expect(try read(String(decoding: text.utf8.prefix(length), as: UTF8.self)) == nil)
        }
        let response = try read(text)
        #expect(body(response) == "hello, wor\r\nld!")
        #expect(response?.keepsConnection == true)
    }

    @Test("Without a length the body ends with the connection")
    func readsUntilClose() throws {
        let text = "HTTP/1.0 200 OK\r\n\r\nhel"
        #expect(try read(text) == nil)
        let response = try read(text, isAtEnd: true)
        #expect(body(response) == "hel")
        #expect(response?.keepsConnection == false)
    }

    @Test("A connection ends where the response says so, by HTTP/1.0, or where bytes follow that nobody asked for")
    func closes() throws {
        let head = "200 OK\r\nContent-Length: 0\r\n"
        #expect(try read("HTTP/1.1 \(head)Connection: Close\r\n\r\n")?.keepsConnection == false)
        #expect(try read("HTTP/1.0 \(head)\r\n")?.keepsConnection == false)
        #expect(try read("HTTP/1.0 \(head)Connection: Keep-Alive\r\n\r\n")?.keepsConnection == true)
        #expect(try read(plain + "HTTP")?.keepsConnection == false)
    }

    @Test("Interim responses and those without a body are understood")
    func readsOthers() throws {
        #expect(body(try read("HTTP/1.1 100 Continue\r\n\r\n" + plain)) == "hello")
        #expect(try read("HTTP/1.1 100 Continue\r\n\r\n") == nil)
        let empty = try read("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(empty?.status == 204)
        #expect(empty?.body.isEmpty == true)
    }

    @Test(
        "What is no HTTP is refused",
        arguments: [
            "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 200 OK\r\nnocolon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "\r\n\r\n",
        ])
    func refuses(text: String) {
        #expect(throws: MalformedResponse.self) { try read(text) }
    }

    @Test("A flood of interim responses is refused, and some are not")
    func boundsInterim() throws {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        #expect(body(try read(String(repeating: interim, count: 100) + plain)) == "hello")
        #expect(try read(String(repeating: interim, count: 100)) == nil)
        for count in [101, 100_000] {
            let error = #expect(throws: MalformedResponse.self) {
                try read(String(repeating: interim, count: count) + plain)
            }
            #expect(error?.reason == "it has more than 100 interim responses")
        }
    }

    @Test("A head without an end is refused before it fills the memory")
    func refusesLongHeads() {
        #expect(throws: MalformedResponse.self) {
            try read("HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 100_000))
        }
    }
}
