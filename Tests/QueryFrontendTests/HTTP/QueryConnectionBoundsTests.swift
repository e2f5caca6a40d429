import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API: bounds")
struct QueryConnectionBoundsTests {
    private var test = ConnectionUnderTest(HTTPLimits(largestBody: 10, bodies: 4000))

    // MARK: Bodies

    @Test("A body of the largest length is taken, and one byte more refused as soon as it comes")
    mutating func largestBody() {
        #expect(test.send(.predict("0123456789")) == [.predict("0123456789"), .read])
        test.answer()
        test.send(.start("01234"))
        #expect(test.send([.body(ByteBuffer(string: "567890"))]) == [.writeLast(413), .awaitWritten, .read])
        #expect(test.send([.body(ByteBuffer(string: "1")), .end(nil)]) == [.read])
    }

    @Test("One that is announced as too long is refused before it comes")
    mutating func announced() {
        #expect(
            test.send(.start(headers: ["content-length": "11"])) == [.writeLast(413), .awaitWritten, .read])
    }

    @Test("Bodies that are too many together are refused, and counted with their application")
    func bodiesUnderWay() throws {
        let server = QueryServerState()
        let limits = HTTPLimits(bodies: 10)
        var other = ConnectionUnderTest(limits, server: server)
        var test = ConnectionUnderTest(limits, server: server)
        other.send(.start("123456"))
        #expect(test.send(.start("1234")) == [.read])
        #expect(test.send([.body(ByteBuffer(string: "5"))]) == [.writeLast(503), .awaitWritten, .read])
        #expect(test.reply?.retryAfter == .seconds(1))
        let route = try #require(Routes.demo[application: "demo"])
        #expect(server.rejected == [route.handle: 1])
        #expect(server.errors == [503: 1])
        #expect(other.send([.end(nil)]) == [.predict("123456"), .read])
    }

    @Test("They are taken again when others have their answers")
    func bodiesUnderWayAgain() {
        let server = QueryServerState()
        var other = ConnectionUnderTest(HTTPLimits(bodies: 6), server: server)
        var test = ConnectionUnderTest(HTTPLimits(bodies: 6), server: server)
        other.send(.predict("123456"))
        other.answer()
        #expect(test.send(.predict("123456")) == [.predict("123456"), .read])
    }

    // MARK: What is read ahead

    @Test("One request may be read while another one waits; then no more is read until that one is taken up")
    mutating func readAhead() {
        #expect(test.send(.predict("1")) == [.predict("1"), .read])
        #expect(test.send(.predict("2")) == [])
        #expect(test.send([]) == [])
        #expect(test.answer() == [.write(200), .predict("2"), .read])
    }

    @Test("What is read ahead counts as bodies do, until it is taken up")
    mutating func readAheadCounts() {
        test.send(.predict("1") + .predict("23") + .predict("4"))
        #expect(test.heldBytes == 1 + 1024 + 2 + 1024 + 1)
        test.answer()
        #expect(test.heldBytes == 2 + 1024 + 1)
        test.answer()
        #expect(test.heldBytes == 1)
        test.answer()
        #expect(test.heldBytes == 0)
    }

    @Test("Where that would be too much, what fits is answered, and the next is refused")
    mutating func tooMuchReadAhead() {
        #expect(test.send(.predict("1") + .predict("2") * 5) == [.predict("1")])
        for _ in 0..<2 { #expect(test.answer() == [.write(200), .predict("2")]) }
        #expect(test.answer() == [.write(200), .predict("2"), .read])
        #expect(test.answer() == [.write(200), .writeLast(503), .awaitWritten])
        #expect(test.heldBytes == 0)
    }

    @Test("Where the first is too much already, it is refused once the request that waits has its answer")
    func tooMuchAtOnce() {
        var test = ConnectionUnderTest(HTTPLimits(bodies: 100))
        #expect(test.send(.predict("1") + .predict("2")) == [.predict("1"), .read])
        #expect(test.answer() == [.write(200), .writeLast(503), .awaitWritten])
    }
}
