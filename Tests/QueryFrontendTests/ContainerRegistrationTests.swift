import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Sessions with containers: registration")
struct ContainerRegistrationTests {
    private var test = SessionsUnderTest()

    @Test("A heartbeat of a container that nobody knows is answered with a request for its metadata")
    mutating func asksForMetadata() {
        #expect(test.receive(.heartbeat, from: "a") == ["requestMetadata to a"])
        #expect(test.listed.isEmpty)
    }

    @Test("A container that says what it serves is a replica; its heartbeats are answered with keep-alives")
    mutating func registers() {
        test.receive(.heartbeat, from: "a")
        #expect(test.register(as: "a") == ["added 0 of sum:1, doubles"])
        #expect(test.receive(.heartbeat, from: "a") == ["keepAlive to a"])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("Metadata may come without a heartbeat before it")
    mutating func registersWithoutHeartbeat() {
        #expect(test.register(as: "a") == ["added 0 of sum:1, doubles"])
    }

    @Test("The same metadata twice is one replica")
    mutating func takesMetadataTwice() {
        test.register(as: "a")
        #expect(test.register(as: "a") == [])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("Replica numbers count up for each model version, each from 0")
    mutating func numbersReplicas() {
        let other = Registration(modelName: "sum", modelVersion: "2", inputType: .float64)
        test.register(as: "a")
        test.register(other, as: "b")
        test.register(as: "c")
        #expect(test.listed == ["sum:1:0", "sum:1:1", "sum:2:0"])
    }

    @Test("A replica's number is not used again after it is gone")
    mutating func doesNotReuseNumbers() {
        test.register(as: "a")
        test.sessions.lose(ReplicaID(number: 0))
        #expect(test.takeEffects() == ["removed 0 of sum:1: disconnected"])
        test.register(as: "b")
        #expect(test.listed == ["sum:1:1"])
        test.sessions.lose(ReplicaID(number: 1))
        test.register(as: "a")
        #expect(test.listed == ["sum:1:2"])
    }

    @Test("The numbers of a model that nobody has registered begin anew when its last replica is gone: nothing is kept")
    mutating func forgetsUnregistered() {
        let other = Registration(modelName: "product", modelVersion: "1", inputType: .float64)
        test.register(other, as: "a")
        test.register(other, as: "b")
        test.sessions.lose(ReplicaID(number: 0))
        test.register(other, as: "c")
        #expect(test.listed == ["product:1:1", "product:1:2"])
        test.sessions.lose(ReplicaID(number: 1))
        test.sessions.lose(ReplicaID(number: 2))
        test.register(other, as: "a")
        #expect(test.listed == ["product:1:0"])
    }

    @Test("A container that registers as something else is another replica, and what the first had in flight is lost")
    mutating func registersAsSomethingElse() {
        let other = Registration(modelName: "product", modelVersion: "1", inputType: .float64)
        test.register(as: "a", by: 5)
        test.sent(7, to: 0)
        #expect(
            test.register(other, as: "a", by: 5) == [
                "removed 0 of sum:1: replaced", "added 1 of product:1, doubles",
            ])
        #expect(test.register(other, as: "a", by: 5) == [])
        #expect(test.receive(.response(7, ["x"]), from: "a", by: 5) == ["bad from a: unknown-id"])
        #expect(test.listed == ["product:1:0"])
        test.sessions.note(.disconnected(descriptor: 5))
        #expect(test.endLostConnections() == ["removed 1 of product:1: disconnected"])
    }

    @Test("A listing says what is in flight and when the container was last heard")
    mutating func lists() throws {
        test.register(as: "a", now: .seconds(1))
        test.sent(7, to: 0)
        test.sent(8, to: 0)
        test.receive(.heartbeat, from: "a", now: .seconds(3))
        let listing = try #require(test.sessions.listings.first)
        #expect(listing.model == .sum)
        #expect(listing.inputType == .float64)
        #expect(listing.batchesInFlight == 2)
        #expect(listing.lastReceived == at(.seconds(3)))
    }
}

@Suite("Sessions with containers: deleted models")
struct ContainerDismissalTests {
    private var test = SessionsUnderTest()

    @Test("The containers of a deleted model are replicas no more, and listed anew")
    mutating func dismisses() {
        let other = Registration(modelName: "sum", modelVersion: "2", inputType: .float64)
        test.register(as: "a")
        test.register(other, as: "b")
        test.sessions.dismiss(.sum)
        #expect(test.takeEffects() == ["removed 0 of sum:1: dismissed", "added 2 of sum:1, doubles"])
        #expect(test.listed == ["sum:1:1", "sum:2:0"])
    }

    @Test("A dismissed container stays connected: its heartbeats are answered")
    mutating func staysConnected() {
        test.register(as: "a")
        test.sessions.dismiss(.sum)
        _ = test.takeEffects()
        #expect(test.receive(.heartbeat, from: "a") == ["keepAlive to a"])
        #expect(test.register(as: "a") == [])
    }

    @Test("A model that is registered again is served by its containers at once, under new numbers")
    mutating func recalls() {
        test.register(as: "a")
        test.sessions.dismiss(.sum)
        test.sessions.recall(.sum, inputType: .float64)
        #expect(test.takeEffects() == ["removed 0 of sum:1: dismissed", "added 1 of sum:1, doubles"])
        #expect(test.listed == ["sum:1:1"])
        test.sent(7, to: 1)
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["1 answered 7: x"])
    }

    @Test("Recalling a model changes nothing for the containers that serve it")
    mutating func recallsOnlyDismissed() {
        test.register(as: "a")
        test.sessions.recall(.sum, inputType: .float64)
        #expect(test.takeEffects() == [])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("What a dismissed container still answers is for nobody; then it is listed anew")
    mutating func ignoresLateAnswer() {
        test.register(as: "a")
        test.sent(7, to: 0)
        test.sessions.dismiss(.sum)
        _ = test.takeEffects()
        #expect(test.listed.isEmpty)
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["added 1 of sum:1, doubles"])
    }

    /// One that takes so many batches at a time has one from the first second on, when its model is deleted and registered
    /// again.
    private mutating func recallLimited() -> Registration {
        var limited = Registration(modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four)
        limited.details.batchesInFlight = 4
        test.register(limited, as: "rpc4-a")
        test.sent(7, to: 0, now: .seconds(1))
        test.sessions.dismiss(.sum)
        test.sessions.recall(.sum, inputType: .float64)
        _ = test.takeEffects()
        test.receive(.heartbeat, from: "rpc4-a", now: .seconds(20))
        return limited
    }

    @Test("One that bounds its batches and never answers what it had is asked to register anew after half a minute")
    mutating func neverAnswers() {
        let registration = recallLimited()
        #expect(test.tick(now: .seconds(30)) == [])
        #expect(test.listed.isEmpty)
        #expect(test.sessions.deadline == at(.seconds(31)))
        #expect(test.tick(now: .seconds(31)) == ["welcome to rpc4-a"])
        #expect(
            test.register(registration, as: "rpc4-a", now: .seconds(31))
                == ["added 1 of sum:1, doubles", "accepted 1 to rpc4-a"])
        test.receive(.heartbeat, from: "rpc4-a", now: .seconds(60))
        #expect(test.tick(now: .seconds(62)) == [], "once")
    }

    @Test("One that answers in time is not asked to register anew, nor is one that is about to leave")
    mutating func answersInTime() {
        _ = recallLimited()
        test.receive(.response(7, ["x"]), from: "rpc4-a", now: .seconds(25))
        #expect(test.listed == ["sum:1:1"])
        #expect(test.tick(now: .seconds(31)) == [])
        test.sent(8, to: 1, now: .seconds(32))
        test.sessions.dismiss(.sum)
        test.receive(.goodbye(Goodbye(.stopping)), from: "rpc4-a", now: .seconds(50))
        _ = test.takeEffects()
        #expect(test.tick(now: .seconds(70)) == [])
    }

    @Test("What a container had of a deleted model does not count as in flight on it: nobody waits for that")
    mutating func formerBatches() throws {
        test.register(as: "a")
        test.sent(7, to: 0)
        test.sessions.dismiss(.sum)
        test.sessions.recall(.sum, inputType: .float64)
        test.sent(8, to: 1)
        let listing = try #require(test.sessions.listings.first)
        #expect(listing.batchesInFlight == 1)
        #expect(listing.voidBatches == 1)
        test.receive(.response(7, ["x"]), from: "a")
        #expect(test.sessions.listings.map(\.voidBatches) == [0])
    }
}
