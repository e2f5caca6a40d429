import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Sessions with containers of RPC 4")
struct ContainerRPC4Tests {
    private static let peer = "rpc4-abc"
    private static let registration = Registration(
        modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four)
    private var test = SessionsUnderTest()

    @Test("An unknown one is welcomed, and its registration is accepted under its replica's number")
    mutating func registers() {
        #expect(test.receive(.heartbeat, from: Self.peer) == ["welcome to rpc4-abc"])
        #expect(
            test.register(Self.registration, as: Self.peer)
                == ["added 0 of sum:1, doubles", "accepted 0 to rpc4-abc"])
        #expect(test.receive(.heartbeat, from: Self.peer) == ["keepAlive to rpc4-abc"])
        #expect(test.register(Self.registration, as: Self.peer) == ["accepted 0 to rpc4-abc"])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("One without the routing id of version 4 is never spoken to in it")
    mutating func oldContainers() {
        #expect(test.receive(.heartbeat, from: "abc") == ["requestMetadata to abc"])
        #expect(test.register(as: "abc") == ["added 0 of sum:1, doubles"])
    }

    @Test("One whose model takes other inputs is refused; it is accepted once the model is another")
    mutating func refused() {
        test.sessions.recall(.sum, inputType: .string)
        #expect(
            test.register(Self.registration, as: Self.peer) == [
                "refused 1 to rpc4-abc", "not taken: input-type-mismatch",
            ])
        #expect(test.listed.isEmpty)
        test.sessions.recall(.sum, inputType: .float64)
        #expect(test.register(Self.registration, as: Self.peer).contains("accepted 0 to rpc4-abc"))
    }

    @Test("One that waits is refused when its model is registered with other inputs; one of RPC 3 stays listed")
    mutating func refusedWhileWaiting() {
        test.register(Self.registration, as: Self.peer)
        test.register(as: "abc")
        test.sessions.recall(.sum, inputType: .string)
        #expect(
            test.takeEffects() == [
                "removed 0 of sum:1: dismissed", "refused 1 to rpc4-abc", "not taken: input-type-mismatch",
            ])
        #expect(test.listed == ["sum:1:1"])
        #expect(test.receive(.heartbeat, from: Self.peer) == ["welcome to rpc4-abc"])
    }

    @Test("So is one whose model was deleted and is registered again with other inputs")
    mutating func refusedWhileDismissed() {
        test.register(Self.registration, as: Self.peer)
        test.sessions.dismiss(.sum)
        _ = test.takeEffects()
        test.sessions.recall(.sum, inputType: .string)
        #expect(
            test.takeEffects() == [
                "removed 1 of sum:1: dismissed", "refused 1 to rpc4-abc", "not taken: input-type-mismatch",
            ])
    }

    @Test("One that leaves is not refused any more")
    mutating func leavesUnrefused() {
        test.register(Self.registration, as: Self.peer)
        test.sent(7, to: 0)
        test.receive(.goodbye(Goodbye(.stopping)), from: Self.peer)
        test.sessions.recall(.sum, inputType: .string)
        #expect(test.takeEffects() == [])
    }

    @Test("One that says how many batches it takes serves its model again only when the old ones are answered")
    mutating func answersOldBatchesFirst() {
        var registration = Self.registration
        registration.details.batchesInFlight = 2
        test.register(registration, as: Self.peer)
        test.sent(7, to: 0)
        test.sent(8, to: 0)
        test.sessions.dismiss(.sum)
        test.sessions.recall(.sum, inputType: .float64)
        #expect(test.takeEffects() == ["removed 0 of sum:1: dismissed"])
        #expect(test.receive(.response(7, ["1"]), from: Self.peer) == [])
        #expect(
            test.receive(.failure(BatchFailure(id: 8, code: .modelError)), from: Self.peer)
                == ["added 1 of sum:1, doubles"])
    }

    @Test("A registration that cannot be read is counted, and refused")
    mutating func malformed() {
        #expect(
            test.receiveMalformed(from: Self.peer, isRegistration: true)
                == ["bad from rpc4-abc: unknown-type", "refused 4 to rpc4-abc", "not taken: invalid"])
        #expect(test.receiveMalformed(from: Self.peer) == ["bad from rpc4-abc: unknown-type"])
    }

    @Test("It is refused also where one holds, and the replica is lost")
    mutating func malformedAgain() {
        test.register(Self.registration, as: Self.peer)
        #expect(
            test.receiveMalformed(from: Self.peer, isRegistration: true)
                == [
                    "bad from rpc4-abc: unknown-type", "removed 0 of sum:1: malformed", "refused 4 to rpc4-abc",
                    "not taken: invalid",
                ])
        #expect(test.listed.isEmpty)
    }

    @Test("One that leaves gets no more batches, hears so, and is gone with its last answer")
    mutating func leaves() {
        test.register(Self.registration, as: Self.peer)
        test.sent(7, to: 0)
        #expect(
            test.receive(.goodbye(Goodbye(.stopping)), from: Self.peer) == ["0 leaves", "goodbye 1 to rpc4-abc"])
        #expect(test.listed == ["sum:1:0"])
        #expect(
            test.receive(.response(7, ["1"]), from: Self.peer)
                == ["0 answered 7: 1", "removed 0 of sum:1: left"])
        #expect(test.listed.isEmpty)
    }

    @Test("One that leaves is not told goodbye again, nor listed again when its model is registered anew")
    mutating func leavesOnce() {
        test.register(Self.registration, as: Self.peer)
        test.sent(7, to: 0)
        test.receive(.goodbye(Goodbye(.stopping)), from: Self.peer)
        test.sessions.sayGoodbye(Goodbye(.stopping))
        test.sessions.dismiss(.sum)
        test.sessions.recall(.sum, inputType: .float64)
        #expect(test.takeEffects() == ["removed 0 of sum:1: dismissed"])
    }

    @Test("A failure reaches the scheduler")
    mutating func fails() {
        test.register(Self.registration, as: Self.peer)
        test.sent(7, to: 0)
        #expect(
            test.receive(.failure(BatchFailure(id: 7, code: .tooLate, reason: "2 ms")), from: Self.peer)
                == ["0 failed 7: too late, 2 ms"])
    }

    @Test("When the frontend stops, those of version 4 hear of it")
    mutating func frontendStops() {
        test.register(Self.registration, as: Self.peer)
        test.register(as: "abc")
        test.sessions.sayGoodbye(Goodbye(.stopping))
        #expect(test.takeEffects() == ["goodbye 1 to rpc4-abc"])
    }

    @Test("A replica that an operator has drained is told the reason")
    mutating func drainedWithReason() throws {
        test.register(Self.registration, as: Self.peer)
        test.sessions.release(ReplicaID(number: 0))
        guard case .send(.goodbye(let goodbye), _, _) = try #require(test.sessions.effects.first) else {
            Issue.record("no goodbye")
            return
        }
        #expect(goodbye == Goodbye(.drained, reason: "drained"))
    }

    @Test("A replica that an operator has drained is told so, and is gone")
    mutating func drained() {
        test.register(Self.registration, as: Self.peer)
        test.sessions.release(ReplicaID(number: 0))
        #expect(test.takeEffects() == ["goodbye 3 to rpc4-abc", "removed 0 of sum:1: drained"])
    }
}
