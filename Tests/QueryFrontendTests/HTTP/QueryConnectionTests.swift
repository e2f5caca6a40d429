import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("A connection of the query API: requests and their answers")
struct QueryConnectionTests {
    private var test = ConnectionUnderTest()

    @Test("A query is handed over when all of its body is there")
    mutating func query() {
        #expect(test.send(.start("ab")) == [.read])
        #expect(test.send([.body(ByteBuffer(string: "cd")), .body(ByteBuffer(string: "ef"))]) == [.read])
        #expect(test.send([.end(nil)]) == [.predict("abcdef"), .read])
        #expect(test.answer() == [.write(200)])
    }

    @Test("The pieces of a body are put together in the buffer of the first, where they find room in it")
    mutating func pieces() {
        var first = 0
        func piece() -> HTTPServerRequestPart {
            var buffer = ByteBuffer()
            buffer.reserveCapacity(1024)
            buffer.writeString("piece")
            first = first == 0 ? Self.address(of: buffer) : first
            return .body(buffer)
        }
        test.send(.start())
        // Of more, the memory of one could be used again for another.
        for _ in 0..<2 { test.read(piece()) }
        test.send([.end(nil)])
        #expect(test.body.readableBytes == 10)
        #expect(Self.address(of: test.body) == first)
    }

    private static func address(of buffer: ByteBuffer) -> Int {
        buffer.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
    }

    @Test("Requests that come at once are answered in their order, each when the one before has its answer")
    mutating func pipelining() {
        #expect(test.send(.predict("1") + .get() + .predict("2") + .predict("3")) == [.predict("1")])
        #expect(test.answer() == [.write(200), .write(200), .predict("2")])
        #expect(test.answer() == [.write(200), .predict("3"), .read])
        #expect(test.answer() == [.write(200)])
    }

    @Test("Those whose answers are there at once do not wait for each other")
    mutating func answersAtOnce() {
        test.answersAtOnce = true
        #expect(
            test.send(.predict("1") + .predict("2"))
                == [.predict("1"), .write(200), .predict("2"), .write(200), .read])
    }

    @Test("What was read of a request while another one waited goes on where it was")
    mutating func halfInBacklog() {
        test.send(.predict("1") + .start("2"))
        #expect(test.answer() == [.write(200), .read])
        #expect(test.send([.body(ByteBuffer(string: "3")), .end(nil)]) == [.predict("23"), .read])
    }

    @Test("Feedback goes to who learns, metrics to who counts, and health is told at once")
    mutating func purposes() {
        #expect(test.send(.start("x", path: "/demo/update") + [.end(nil)]) == [.update("x"), .read])
        #expect(test.answer() == [.write(200)])
        #expect(test.send(.get("/metrics")) == [.metrics(asPrometheus: false), .read])
        #expect(test.answer() == [.write(200)])
        #expect(
            test.send(.get("/metrics", headers: ["accept": "text/plain"])) == [.metrics(asPrometheus: true), .read])
        #expect(test.answer() == [.write(200)])
        #expect(test.send(.get("/health/ready")) == [.write(200), .read])
    }

    @Test("The application counts as it is when the body is there")
    mutating func changedApplication() {
        test.send(.start("1"))
        test.publish(Routes(Catalog(), handles: Handles()))
        #expect(test.send([.end(nil)]) == [.write(404), .read])
        test.publish(.demo)
        #expect(test.send(.predict("1")) == [.predict("1"), .read])
    }

    @Test("A request that nobody is for is answered when its body has been thrown away, and others may follow")
    mutating func unknownApplication() {
        #expect(test.send(.start("1", path: "/other/predict")) == [.read])
        #expect(test.heldBytes == 0)
        #expect(test.send([.end(nil)]) == [.write(404), .read])
        #expect(test.send(.get()) == [.write(200), .read])
    }

    @Test("Errors that are answered are counted by their status")
    mutating func errors() {
        test.send(.get("/nowhere") + .get() + .get("/nowhere"))
        #expect(test.server.errors == [404: 2])
    }

    // MARK: Keeping the connection

    @Test("A client that asks to close gets its answer as the last one, and some time to read it")
    mutating func close() {
        test.send(.predict("1", headers: ["connection": "close"]))
        #expect(test.answer() == [.writeLast(200), .awaitWritten])
        #expect(test.written() == [.closeOutput(.seconds(5))])
    }

    @Test("What comes behind the last answer is thrown away, and read for that")
    mutating func behindTheLast() {
        test.send(.predict("1", headers: ["connection": "close"]) + .predict("2") + .predict("3"))
        #expect(test.answer() == [.writeLast(200), .awaitWritten, .read])
        #expect(test.send(.predict("4")) == [.read])
        test.written()
        #expect(test.send(.predict("5") + .get()) == [.read])
        #expect(test.breakInput() == [])
        #expect(test.heldBytes == 0)
    }

    @Test("HTTP/1.0 closes behind the answer, unless the client says that it does not, and is told so")
    mutating func oldVersion() {
        let keeping = ConnectionUnderTest.Done.write(200, connection: "keep-alive")
        let headers: HTTPHeaders = ["connection": "keep-alive"]
        #expect(test.send(.get(headers: headers, version: .http1_0)) == [keeping, .read])
        #expect(test.send(.get(headers: headers)) == [.write(200), .read])
        #expect(test.send(.get(version: .http1_0)) == [.writeLast(200), .awaitWritten, .read])
    }

    @Test("The answer to HEAD has no body; the next one has")
    mutating func head() {
        #expect(
            test.send(.head("/health/live") + .get()) == [.write(200, withBody: false), .write(200), .read])
        #expect(test.send(.head("/metrics")) == [.metrics(asPrometheus: false), .read])
        #expect(test.answer() == [.write(200, withBody: false)])
    }

    // MARK: Expectations

    @Test("Who waits with the body is told to go ahead")
    mutating func goAhead() {
        #expect(test.send(.start(headers: ["expect": "100-continue"])) == [.goAhead, .read])
        #expect(test.send([.body(ByteBuffer(string: "1")), .end(nil)]) == [.predict("1"), .read])
    }

    @Test("It is told so behind the answers to what came before")
    mutating func goAheadInTurn() {
        #expect(test.send(.predict("1") + .start(headers: ["expect": "100-continue"])) == [.predict("1")])
        #expect(test.answer() == [.write(200), .goAhead, .read])
    }

    @Test("HTTP/1.0 knows of no such thing")
    mutating func goAheadOfOldVersion() {
        #expect(test.send(.start(headers: ["expect": "100-continue"], version: .http1_0)) == [.read])
    }

    @Test(
        "Who would wait in vain is refused instead, and the rest of the request is not read",
        arguments: [
            ("/other/predict", "100-continue", "1", 404), ("/demo/predict", "100-continue", "67108865", 413),
            ("/demo/predict", "a miracle", "1", 417),
        ])
    mutating func goAheadInVain(path: String, expectation: String, length: String, status: Int) {
        #expect(
            test.send(.start(path: path, headers: ["expect": expectation, "content-length": length]))
                == [.writeLast(status), .awaitWritten, .read])
        #expect(test.send([.body(ByteBuffer(string: "1")), .end(nil)]) == [.read])
    }
}
