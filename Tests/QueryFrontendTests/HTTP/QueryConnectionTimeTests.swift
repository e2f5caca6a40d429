import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API: limits of time")
struct QueryConnectionTimeTests {
    private var test = ConnectionUnderTest(HTTPLimits(idleTime: .seconds(75), bodyTime: .seconds(30)))

    /// What is done a number of seconds after the beginning.
    private mutating func tick(at second: Int, bytesLeft: Int? = nil) -> [ConnectionUnderTest.Done] {
        test.time = .seconds(second)
        return test.tick(bytesLeft: bytesLeft)
    }

    @Test("A connection on which nothing happens for longer than the idle time is closed")
    mutating func idle() {
        test.send([])
        #expect(tick(at: 75) == [])
        #expect(tick(at: 76) == [.close])
    }

    @Test("The idle time counts from the last answer")
    mutating func idleSinceAnswer() {
        test.send(.predict("1"))
        test.time = .seconds(50)
        test.answer()
        #expect(tick(at: 125) == [])
        #expect(tick(at: 126) == [.close])
    }

    @Test("Where half a request gets no answer, it counts from what came of it last")
    mutating func idleSinceInput() {
        test.time = .seconds(10)
        test.send(.start())
        test.closeInput()
        #expect(tick(at: 85) == [])
        #expect(tick(at: 86) == [.close])
    }

    @Test("Who waits for an answer is not idle")
    mutating func waiting() {
        test.send(.predict("1"))
        #expect(tick(at: 1000) == [])
        #expect(test.answer() == [.write(200)])
        #expect(tick(at: 1001) == [])
    }

    @Test("Half a head that nobody finishes is no error of anybody's")
    mutating func halfHead() {
        test.send([])
        #expect(tick(at: 76) == [.close])
        #expect(test.breakInput(.invalidEOFState) == [])
        #expect(test.server.errors == [:])
    }

    @Test("A client that takes some of a long answer is not idle, however little; one that takes nothing is")
    mutating func slowClient() {
        test.send(.predict("1"))
        test.setWritable(false)
        test.answer()
        #expect(tick(at: 70, bytesLeft: 1_000_000) == [])
        #expect(tick(at: 140, bytesLeft: 999_999) == [])
        #expect(tick(at: 215, bytesLeft: 999_999) == [])
        #expect(tick(at: 216, bytesLeft: 999_999) == [.close])
    }

    @Test("So it is with the last answer")
    mutating func slowClientAtTheEnd() {
        test.send(.predict("1", headers: ["connection": "close"]))
        test.answer()
        #expect(tick(at: 70, bytesLeft: 1_000_000) == [])
        #expect(tick(at: 140, bytesLeft: 999_999) == [])
        #expect(tick(at: 216, bytesLeft: 999_999) == [.close])
    }

    @Test("What comes behind a long answer begins when the client has taken that: its body is not late meanwhile")
    mutating func behindALongAnswer() {
        test.send(.predict("1"))
        test.setWritable(false)
        test.answer()
        test.send(.start("2"))
        #expect(tick(at: 40, bytesLeft: 1_000_000) == [])
        #expect(tick(at: 80, bytesLeft: 1000) == [])
        #expect(test.setWritable(true) == [.read])
        #expect(test.send([.end(nil)]).contains(.predict("2")))
    }

    @Test("A body that has not come in time is refused, however lively it comes")
    mutating func body() {
        test.time = .seconds(1)
        test.send(.start("1"))
        for second in 2...31 {
            #expect(tick(at: second) == [])
            #expect(test.send([.body(ByteBuffer(string: "1"))]) == [.read])
        }
        #expect(tick(at: 32) == [.writeLast(408), .awaitWritten])
        #expect(test.send([.end(nil)]) == [.read])
    }

    @Test("One that is thrown away has no more time")
    mutating func bodyThrownAway() {
        test.send(.start("1", path: "/other/predict"))
        #expect(tick(at: 30) == [])
        #expect(tick(at: 31) == [.writeLast(408), .awaitWritten])
    }

    @Test("The time of a body that was read ahead counts from when its request is taken up")
    mutating func bodyReadAhead() {
        test.send(.predict("1") + .start("2"))
        #expect(tick(at: 100) == [])
        #expect(test.answer() == [.write(200), .read])
        #expect(tick(at: 130) == [])
        #expect(tick(at: 131) == [.writeLast(408), .awaitWritten])
    }
}
