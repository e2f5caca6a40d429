import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API: what it holds is released")
struct QueryConnectionMemoryTests {
    private var test = ConnectionUnderTest(HTTPLimits(largestBody: 10))

    /// A long answer, which counts with what bodies hold.
    private func longAnswer() -> QueryReply {
        var reply = QueryReply.text(.ok, "long")
        reply.heldBytes = 100
        #expect(test.server.holdBody(bytes: 100, limit: .max))
        return reply
    }

    @Test("With the answer")
    mutating func answer() {
        test.send(.predict("123"))
        #expect(test.heldBytes == 3)
        test.answer()
        #expect(test.heldBytes == 0)
    }

    @Test("Not before it, also not where the connection is closed: the query has its input still")
    mutating func closedWaiting() {
        test.send(.predict("123"))
        test.close()
        #expect(test.heldBytes == 3)
        test.answer()
        #expect(test.heldBytes == 0)
    }

    @Test("Where a request is refused while it is read")
    mutating func refused() {
        test.send(.start("123"))
        test.send([.body(ByteBuffer(string: "01234567"))])
        #expect(test.heldBytes == 0)
    }

    @Test("Where its body has not come in time, or it is broken")
    mutating func late() {
        test.send(.start("123"))
        test.time = .seconds(31)
        test.tick()
        #expect(test.heldBytes == 0)
        test = ConnectionUnderTest()
        test.send(.start("123"))
        test.breakInput()
        #expect(test.heldBytes == 0)
    }

    @Test("Where its application is gone when its body has come")
    mutating func goneApplication() {
        test.send(.start("123"))
        test.publish(Routes(Catalog(), handles: Handles()))
        test.send([.end(nil)])
        #expect(test.heldBytes == 0)
    }

    @Test("Where the connection is closed while it is read")
    mutating func closedReading() {
        test.send(.start("123"))
        test.close()
        #expect(test.heldBytes == 0)
    }

    @Test("Where the client closes its side while it is read, when the connection closes")
    mutating func halfClosedReading() {
        test.send(.start("123"))
        test.closeInput()
        test.written()
        test.close()
        #expect(test.heldBytes == 0)
    }

    @Test("What was read ahead, behind a last answer")
    mutating func backlogBehindLast() {
        test.send(.predict("1", headers: ["connection": "close"]) + .predict("2") + .get())
        test.answer()
        #expect(test.heldBytes == 0)
    }

    @Test("What was read ahead, where the connection is closed: while one waits, and while others have their turn")
    mutating func backlogOfClosed() {
        test.send(.predict("123") + .predict("2") + .get())
        test.close()
        #expect(test.heldBytes == 3)
        test = ConnectionUnderTest()
        test.send(.get() * 12 + .predict("2"))
        #expect(test.heldBytes > 0)
        test.close()
        #expect(test.heldBytes == 0)
    }

    @Test("A long answer, where nobody is there to read it")
    mutating func answerToClosed() {
        test.send(.predict("123"))
        test.close()
        test.answer(longAnswer())
        #expect(test.heldBytes == 0)
    }

    @Test("A long answer that the connection is closed before")
    mutating func closedBeforeAnswer() {
        test.send(.predict("123"))
        test.closeBehind(longAnswer())
        #expect(test.heldBytes == 0)
    }

    @Test("A query that the connection is closed before: nobody was asked, and nobody answers")
    mutating func closedBeforeQuery() {
        test.send(.start("123"))
        test.closeBehind(.end(nil))
        #expect(test.heldBytes == 0)
    }

    @Test("A long answer counts until it is written, which is not the connection's to know")
    mutating func longAnswers() {
        test.send(.predict("123"))
        test.answer(longAnswer())
        #expect(test.heldBytes == 100)
    }
}
