import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Sessions with containers: answers and bad messages")
struct ContainerMessageTests {
    private var test = SessionsUnderTest()

    @Test("The answer to a batch in flight is handed on")
    mutating func completes() {
        test.register(as: "a")
        test.sent(7, inputCount: 2, to: 0)
        #expect(test.receive(.response(7, ["x", "y"]), from: "a") == ["0 answered 7: x y"])
        #expect(test.sessions.listings.first?.batchesInFlight == 0)
    }

    @Test("Batches may be answered in any order")
    mutating func completesInAnyOrder() {
        test.register(as: "a")
        test.sent(7, to: 0)
        test.sent(8, to: 0)
        #expect(test.receive(.response(8, ["y"]), from: "a") == ["0 answered 8: y"])
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["0 answered 7: x"])
    }

    @Test("An answer to a batch that is not in flight is counted and ignored")
    mutating func ignoresUnknownID() {
        test.register(as: "a")
        test.sent(7, to: 0)
        #expect(test.receive(.response(9, ["x"]), from: "a") == ["bad from a: unknown-id"])
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["0 answered 7: x"])
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["bad from a: unknown-id"])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("A container cannot answer a batch of another")
    mutating func ignoresOthersAnswer() {
        test.register(as: "a")
        test.register(as: "b")
        test.sent(7, to: 0)
        #expect(test.receive(.response(7, ["forged"]), from: "b") == ["bad from b: unknown-id"])
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["0 answered 7: x"])
    }

    @Test("An answer of a peer that never registered is ignored")
    mutating func ignoresStrangersAnswer() {
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["bad from a: unknown-id"])
        #expect(test.listed.isEmpty)
    }

    @Test("A wrong number of outputs ends the replica, and its container is asked for its metadata anew")
    mutating func endsAtWrongCount() {
        test.register(as: "a")
        test.sent(7, inputCount: 2, to: 0)
        #expect(
            test.receive(.response(7, ["x"]), from: "a") == [
                "bad from a: wrong-output-count", "removed 0 of sum:1: wrong-output-count", "requestMetadata to a",
            ])
        #expect(test.listed.isEmpty)
        #expect(test.register(as: "a") == ["added 1 of sum:1, doubles"])
    }

    @Test("A message that cannot be decoded ends its sender's replica and nobody else's")
    mutating func endsAtMalformed() {
        test.register(as: "a")
        test.register(as: "b")
        #expect(
            test.receiveMalformed(from: "a") == ["bad from a: unknown-type", "removed 0 of sum:1: malformed"])
        #expect(test.listed == ["sum:1:1"])
        #expect(test.receive(.heartbeat, from: "a") == ["requestMetadata to a"])
        test.sent(7, to: 1)
        #expect(test.receive(.response(7, ["x"]), from: "b") == ["1 answered 7: x"])
    }

    @Test("A peer that sends garbage and never registered gets no answer")
    mutating func doesNotAnswerGarbage() {
        #expect(test.receiveMalformed(from: "a") == ["bad from a: unknown-type"])
        #expect(test.receiveMalformed(from: "a") == ["bad from a: unknown-type"])
    }

    @Test("A peer that sent garbage may still become a container")
    mutating func registersAfterGarbage() {
        _ = test.receiveMalformed(from: "a")
        #expect(test.receive(.heartbeat, from: "a") == ["requestMetadata to a"])
        #expect(test.register(as: "a") == ["added 0 of sum:1, doubles"])
    }

    @Test("A replica's peer can be found for as long as it is listed")
    mutating func findsPeer() {
        test.register(as: "a")
        #expect(test.sessions.peer(of: ReplicaID(number: 0))?.id == RoutingID(Array("a".utf8)))
        test.sessions.lose(ReplicaID(number: 0))
        #expect(test.sessions.peer(of: ReplicaID(number: 0))?.id == nil)
        #expect(test.sessions.peer(of: ReplicaID(number: 7))?.id == nil)
    }

    @Test(
        "A message with more frames than any can have costs its sender the connection, and nobody the time to read it")
    mutating func cutsForFrames() {
        test.unreadEvents = [.accepted(descriptor: 5)]
        test.register(as: "a", by: 5)
        test.sent(7, inputCount: 3, to: 0)
        let most = ContainerSessions.usualFrames + 3
        #expect(!test.sessions.isBeyondBounds(frames: most))
        #expect(test.sessions.isBeyondBounds(frames: most + 1))
        #expect(
            test.receive(frames: most + 1, from: "a", by: 5) == [
                "bad from a: surplus-frame", "removed 0 of sum:1: malformed", "connection 5 is cut for its message",
            ])
        #expect(test.sessions.connections.isCut(5))
    }
}
