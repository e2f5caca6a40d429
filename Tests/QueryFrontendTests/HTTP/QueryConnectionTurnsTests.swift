import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API: turns, and clients that do not read")
struct QueryConnectionTurnsTests {
    private var test = ConnectionUnderTest()

    @Test("Of requests that come at once a turn answers eight, and others have theirs before it goes on")
    mutating func turns() {
        #expect(test.send(.get() * 3) == [.write(200)] * 3 + [.read])
        #expect(test.send(.get() * 20) == [.write(200)] * 8 + [.yield])
        #expect(test.goOn() == [.write(200)] * 8 + [.yield])
        #expect(test.goOn() == [.write(200)] * 4 + [.read])
    }

    @Test("A turn begins with what comes later: eight, and eight more, are no crowd")
    mutating func turnsBegin() {
        for _ in 0..<3 { #expect(test.send(.get() * 8) == [.write(200)] * 8 + [.read]) }
    }

    @Test("Cached queries behind one that waited count as any others")
    mutating func turnsOfCached() {
        test.send(.predict("1") + .predict("2") * 20)
        test.answersAtOnce = true
        #expect(test.answer() == [.write(200)] + [.predict("2"), .write(200)] * 8 + [.yield])
        #expect(test.goOn() == [.predict("2"), .write(200)] * 8 + [.yield])
        #expect(test.goOn() == [.predict("2"), .write(200)] * 4 + [.read])
    }

    @Test("One whose query has to wait in the middle of a turn goes on with the answer, in a turn of its own")
    mutating func turnsThatWait() {
        #expect(test.send(.get() * 12 + .predict("1") + .get() * 9) == [.write(200)] * 8 + [.yield])
        #expect(test.goOn() == [.write(200)] * 4 + [.predict("1")])
        #expect(test.answer() == [.write(200)] * 9 + [.yield])
        #expect(test.goOn() == [.write(200), .read])
    }

    @Test("What comes while others have their turn waits behind what came before")
    mutating func whileYielding() {
        test.send(.get() * 8 + .get("/nowhere"))
        #expect(test.send(.get()) == [])
        #expect(test.goOn() == [.write(404), .write(200), .read])
    }

    @Test("What would be too much to keep meanwhile is refused in its turn, and what comes behind it thrown away")
    mutating func tooMuchWhileYielding() {
        test = ConnectionUnderTest(HTTPLimits(bodies: 100))
        #expect(test.send(.get() * 9) == [.write(200)] * 8 + [.yield, .read])
        #expect(test.send(.get()) == [.read])
        #expect(test.goOn() == [.writeLast(503), .awaitWritten])
    }

    // MARK: Clients that do not read

    @Test("Of a client that does not read its answers nothing more is read until it does")
    mutating func slowClient() {
        test.send(.predict("1"))
        test.setWritable(false)
        #expect(test.answer() == [.write(200)])
        #expect(test.send([]) == [])
        #expect(test.setWritable(true) == [.read])
    }

    @Test("What it has sent before is answered as it reads")
    mutating func slowClientWithBacklog() {
        test.send(.predict("1") + .predict("2") + .get())
        test.fillsSocket = true
        #expect(test.answer() == [.write(200)])
        #expect(test.setWritable(true) == [.predict("2")])
        #expect(test.answer() == [.write(200)])
        #expect(test.setWritable(true) == [.write(200)])
        #expect(test.setWritable(true) == [.read])
    }

    @Test("What still comes of it waits behind what came before")
    mutating func slowClientThatSends() {
        test.send(.predict("1") + .get("/nowhere"))
        test.fillsSocket = true
        test.answer()
        #expect(test.send(.get()) == [])
        #expect(test.goOn() == [])
        #expect(test.setWritable(true) == [.write(404)])
        #expect(test.setWritable(true) == [.write(200)])
    }

    @Test("An answer that fills the socket ends the turn, however many are left in it")
    mutating func fullSocket() {
        test.send(.predict("1") + .predict("2") * 5)
        test.answersAtOnce = true
        test.fillsSocket = true
        #expect(test.answer() == [.write(200)])
        #expect(test.setWritable(true) == [.predict("2"), .write(200)])
        #expect(test.setWritable(true) == [.predict("2"), .write(200)])
    }

    @Test("While others have their turn, a client that begins to read does not go before them")
    mutating func slowClientInTurn() {
        test.send(.get() * 10)
        #expect(test.setWritable(false) == [])
        #expect(test.setWritable(true) == [])
        test.setWritable(false)
        #expect(test.goOn() == [])
        #expect(test.setWritable(true) == [.write(200), .write(200), .read])
    }
}
