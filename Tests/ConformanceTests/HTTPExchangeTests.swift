import Testing

@testable import ContainerConformance

@Suite struct HTTPExchangeTests {
    @Test func `an answer is whole when its length is there, or its last chunk`() throws {
        #expect(try body("Content-Length: 5\r\n\r\nhello") == "hello")
        #expect(try body("Content-Length: 5\r\n\r\nhell") == nil)
        #expect(try body("Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n") == "hello")
        #expect(try body("Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nl") == nil)
    }

    @Test(arguments: ["-5", "five", "", "99999999999999999999"])
    func `a Content-Length that is none is an error`(_ length: String) {
        let failure = #expect(throws: HTTPFailure.self) { try body("Content-Length: \(length)\r\n\r\nhello") }
        #expect(failure?.description.contains("Content-Length is '\(length)'") == true)
    }

    @Test(arguments: ["7fffffffffffffff", "ffffffffffffffffffff", "-5", "x", "7fffffff"])
    func `a chunk's size that is none, or none that is taken, is an error`(_ size: String) {
        let failure = #expect(throws: HTTPFailure.self) {
            try body("Transfer-Encoding: chunked\r\n\r\n\(size)\r\nhello\r\n0\r\n\r\n")
        }
        #expect(failure?.description.contains("a chunk of the size '\(size)'") == true)
    }

    @Test func `what is no HTTP is an error`() {
        #expect(throws: HTTPFailure.self) { try HTTPExchange.reply(in: Array("\r\n\r\n".utf8), atEnd: false) }
    }

    private func body(_ rest: String) throws -> String? {
        try HTTPExchange.reply(in: Array("HTTP/1.1 200 OK\r\n\(rest)".utf8), atEnd: false)?.body
    }
}
