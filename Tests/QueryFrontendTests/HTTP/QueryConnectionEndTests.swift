import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API: how it ends")
struct QueryConnectionEndTests {
    private var test = ConnectionUnderTest()

    // MARK: Clients that close their side

    @Test("A client that has closed its side and waits for nothing is closed when it has read all")
    mutating func halfClosed() {
        test.send(.get())
        #expect(test.closeInput() == [.awaitWritten])
        #expect(test.written() == [.close])
    }

    @Test("One that waits gets its answer as the last one")
    mutating func halfClosedWaiting() {
        test.send(.predict("1"))
        #expect(test.closeInput() == [])
        #expect(test.answer() == [.writeLast(200), .awaitWritten])
        #expect(test.written() == [.close])
    }

    @Test("All that it has sent before is answered")
    mutating func halfClosedWithBacklog() {
        test.send(.predict("1") + .predict("2") + .get())
        test.closeInput()
        #expect(test.answer() == [.write(200), .predict("2")])
        #expect(test.answer() == [.write(200), .writeLast(200), .awaitWritten, .read])
    }

    @Test("So it is where others have their turn before, or it does not read yet")
    mutating func halfClosedLater() {
        test.send(.get() * 9)
        #expect(test.closeInput() == [])
        test.setWritable(false)
        #expect(test.goOn() == [])
        #expect(test.setWritable(true) == [.writeLast(200), .awaitWritten, .read])
    }

    @Test("Half a request whose end cannot come is not answered")
    mutating func halfClosedReading() {
        test.send(.predict("1") + .start("2"))
        test.closeInput()
        #expect(test.answer() == [.write(200), .awaitWritten, .read])
        test = ConnectionUnderTest()
        test.send(.start("1"))
        #expect(test.closeInput() == [.awaitWritten])
    }

    @Test("One that closes its side behind its last answer is closed at once, if that has left, or else when it has")
    mutating func halfClosedEnding() {
        test.send(.get(headers: ["connection": "close"]))
        test.written()
        #expect(test.closeInput() == [.close])
        test = ConnectionUnderTest()
        test.send(.get(headers: ["connection": "close"]))
        #expect(test.closeInput() == [])
        #expect(test.written() == [.close])
    }

    // MARK: Broken input

    @Test("What is no HTTP is answered, as the last thing")
    mutating func broken() {
        test.send([])
        #expect(test.breakInput() == [.writeLast(400), .awaitWritten])
        #expect(test.written() == [.closeOutput(.seconds(5))])
        #expect(test.server.errors == [400: 1])
    }

    @Test("It is answered after the good requests before it")
    mutating func brokenBehindGood() {
        test.send(.predict("1") + .predict("2"))
        #expect(test.breakInput() == [])
        #expect(test.answer() == [.write(200), .predict("2"), .read])
        #expect(test.answer() == [.write(200), .writeLast(400), .awaitWritten])
    }

    @Test("So it is where the client has closed its side meanwhile")
    mutating func brokenAndHalfClosed() {
        test.send(.predict("1"))
        test.breakInput(.invalidEOFState)
        test.closeInput()
        #expect(test.answer() == [.write(200), .writeLast(400), .awaitWritten])
    }

    @Test("So it is where others have their turn before, or the client does not read yet")
    mutating func brokenLater() {
        test.send(.get() * 9)
        test.breakInput()
        test.setWritable(false)
        #expect(test.goOn() == [])
        #expect(test.setWritable(true) == [.write(200), .writeLast(400), .awaitWritten, .read])
    }

    @Test("A request that is broken in its middle is answered so in its place, with a body whatever it asked for")
    mutating func brokenInMiddle() {
        test.send(.start("1"))
        #expect(test.breakInput() == [.writeLast(400), .awaitWritten])
        test = ConnectionUnderTest()
        test.send(.head("/health/live"))
        #expect(test.breakInput() == [.writeLast(400), .awaitWritten])
    }

    @Test("Headers that are too long have an answer of their own")
    mutating func longHeaders() {
        #expect(test.breakInput(.headerOverflow) == [.writeLast(431), .awaitWritten])
    }

    @Test("What is too much to be read ahead is told, and not that what came behind it is no HTTP")
    mutating func brokenTwice() {
        test = ConnectionUnderTest(HTTPLimits(bodies: 100))
        test.send(.predict("1") + .predict("2"))
        test.breakInput()
        #expect(test.answer() == [.write(200), .writeLast(503), .awaitWritten])
    }

    @Test("Behind the last answer nothing is answered, also not what is broken")
    mutating func brokenEnding() {
        test.send(.get(headers: ["connection": "close"]))
        #expect(test.breakInput() == [])
        #expect(test.written() == [.closeOutput(.seconds(5))])
        #expect(test.server.errors == [:])
    }

    @Test("A connection that fails is closed")
    mutating func failure() {
        #expect(test.fail() == [.close])
        test.send(.predict("1"))
        #expect(test.fail() == [.close])
    }

    @Test("What the parser says then of half a request is no error of anybody's")
    mutating func failureReading() {
        test.send(.start("1"))
        #expect(test.fail() == [.close])
        #expect(test.breakInput(.invalidEOFState) == [])
        #expect(test.server.errors == [:])
    }

    // MARK: Draining

    @Test("When the server stops, a connection that waits for nothing closes")
    mutating func drainIdle() {
        test.send(.get())
        #expect(test.drain() == [.awaitWritten])
        #expect(test.written() == [.closeOutput(.milliseconds(250))])
    }

    @Test("A request that is being read, or waits, gets its answer as the last one")
    mutating func drainBusy() {
        test.send(.start("1"))
        #expect(test.drain() == [])
        #expect(test.send([.end(nil)]) == [.predict("1"), .read])
        #expect(test.answer() == [.writeLast(200), .awaitWritten])
        #expect(test.written() == [.closeOutput(.milliseconds(250))])
    }

    @Test("Requests that have been read ahead are all answered")
    mutating func drainBacklog() {
        test.send(.predict("1") + .get() + .start("2"))
        #expect(test.drain() == [])
        #expect(test.answer() == [.write(200), .write(200), .read])
        #expect(test.send([.end(nil)]) == [.predict("2"), .read])
        #expect(test.answer() == [.writeLast(200), .awaitWritten])
    }

    @Test("So they are where the client does not read yet, or others have their turn before")
    mutating func drainLater() {
        test.send(.get() * 9)
        #expect(test.drain() == [])
        test.setWritable(false)
        #expect(test.goOn() == [])
        #expect(test.drain() == [])
        #expect(test.setWritable(true) == [.writeLast(200), .awaitWritten, .read])
    }

    @Test("What is no HTTP behind a good request is answered, also then")
    mutating func drainBroken() {
        test.send(.predict("1"))
        test.breakInput()
        test.drain()
        #expect(test.answer() == [.write(200), .writeLast(400), .awaitWritten])
    }

    @Test("One whose last answer has not left yet waits until it has")
    mutating func drainEnding() {
        test.send(.get(headers: ["connection": "close"]))
        #expect(test.drain() == [])
        #expect(test.written() == [.closeOutput(.milliseconds(250))])
    }

    @Test("One whose last answer has left gets a moment to read it still, and no more seconds")
    mutating func drainEnded() {
        test.send(.get(headers: ["connection": "close"]))
        #expect(test.written() == [.closeOutput(.seconds(5))])
        #expect(test.drain() == [.closeOutput(.milliseconds(250))])
        #expect(test.closeInput() == [.close])
    }

    @Test("Answers are the last ones from the moment at which the server stops, and say that it is not ready")
    mutating func drainBegins() {
        test.server.beginDraining()
        #expect(test.send(.get("/health/ready")) == [.writeLast(503), .awaitWritten, .read])
    }

    // MARK: Closed connections

    @Test("For a connection that is closed nothing is done, whatever comes")
    mutating func closed() {
        test.send(.predict("1") + .predict("2") * 10)
        test.closeInput()
        #expect(test.close() == [])
        #expect(test.answer(.error(.badRequest, "", cause: "")) == [])
        #expect(test.send(.get()) == [])
        #expect(test.breakInput() == [])
        #expect(test.goOn() == [])
        #expect(test.setWritable(true) == [])
        #expect(test.written() == [])
        #expect(test.drain() == [])
        test.time = .seconds(1000)
        #expect(test.tick() == [])
        #expect(test.server.errors == [:])
    }
}
