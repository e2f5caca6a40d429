import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("What a request's head tells")
struct RequestChecksTests {
    private func head(_ headers: HTTPHeaders) -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: .POST, uri: "/app/predict", headers: headers)
    }

    @Test(
        "A body that is announced as too long is refused, also where no integer holds its length",
        arguments: ["1001", "9223372036854775807", "9223372036854775808", "18446744073709551615"])
    func tooLong(length: String) {
        #expect(head(["content-length": length]).problem(largestBody: 1000)?.status == .payloadTooLarge)
    }

    @Test("A length within the bounds is none")
    func fits() {
        #expect(head(["content-length": "1000"]).problem(largestBody: 1000) == nil)
        #expect(head(["content-length": "15 ", "expect": " 100-continue\t"]).problem(largestBody: 1000) == nil)
        #expect(head([:]).problem(largestBody: 1000) == nil)
    }

    @Test(
        "Bodies come as they are or chunked: other transfer codings are not known (RFC 9112, 6.1)",
        arguments: ["gzip, chunked", "deflate", "identity"])
    func transferCodings(coding: String) {
        #expect(head(["transfer-encoding": coding]).problem(largestBody: 1000)?.status == .notImplemented)
        #expect(head(["transfer-encoding": "Chunked"]).problem(largestBody: 1000) == nil)
    }

    @Test("The first line of HTTP/2 is answered with what is spoken here")
    func tellsProtocol() throws {
        let reply = QueryReply.broken(.paused)
        #expect(reply.status == .badRequest)
        #expect(String(buffer: reply.body).contains("Only HTTP/1.1 is spoken here, not HTTP/2"))
    }

    @Test("Where nobody can tell whether the parser takes it for an offer to change the protocol, the connection ends")
    func unclearOffers() {
        #expect(!head(["connection": "Upgrade,\tHTTP2-Settings", "upgrade": "h2c"]).keepsConnection)
        #expect(!head(["connection": "keep-alive,\tfoo"]).keepsConnection)
        #expect(!head(["proxy-connection": "upgrade", "upgrade": "h2c"]).keepsConnection)
        #expect(head(["connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c"]).keepsConnection)
        #expect(head(["proxy-connection": "keep-alive"]).keepsConnection)
    }
}
