import ContainerRPC
import Testing

@testable import QueryFrontend

/// Sessions with containers that tests play, and what followed from each event as plain text.
struct SessionsUnderTest {
    var sessions = ContainerSessions()
    /// Connection events that the monitor has and nobody has read.
    var unreadEvents: [ConnectionEvent] = []

    /// A message comes from the peer of that name.
    @discardableResult
    mutating func receive(
        _ message: ContainerMessage, from peer: String, by descriptor: Int32? = nil, now: Duration = .zero
    ) -> [String] {
        let id = session(with: peer, by: descriptor, now: now)
        sessions.receive(message, from: id, now: at(now))
        return takeEffects()
    }

    /// Bytes come that are no message.
    mutating func receiveMalformed(from peer: String, now: Duration = .zero) -> [String] {
        let id = session(with: peer, by: nil, now: now)
        let error = WireError(.unknownType, frame: 1, expected: "a type", found: "7")
        sessions.receive(malformed: error, from: id, now: at(now))
        return takeEffects()
    }

    /// A container connects and says what it serves.
    @discardableResult
    mutating func register(
        _ registration: Registration = .sum, as peer: String, by descriptor: Int32? = nil, now: Duration = .zero
    ) -> [String] {
        receive(.newContainer(registration), from: peer, by: descriptor, now: now)
    }

    mutating func sent(_ batch: UInt32, inputCount: Int = 1, to replica: Int) {
        sessions.sent(batch: batch, inputCount: inputCount, to: ReplicaID(number: replica))
    }

    mutating func tick(now: Duration) -> [String] {
        sessions.tick(now: at(now))
        return takeEffects()
    }

    mutating func endLostConnections() -> [String] {
        sessions.endLostConnections()
        return takeEffects()
    }

    private mutating func session(
        with peer: String, by descriptor: Int32?, now: Duration
    ) -> ContainerSessions.SessionID {
        let events = unreadEvents
        var wasDrained = false
        let id = sessions.session(with: RoutingID(Array(peer.utf8)), by: descriptor, now: at(now)) { sessions in
            for event in events { sessions.note(event) }
            wasDrained = true
        }
        if wasDrained { unreadEvents = [] }
        return id
    }

    mutating func takeEffects() -> [String] {
        defer { sessions.clearEffects() }
        return sessions.effects.map { effect in
            switch effect {
            case .send(let kind, let peer): "\(kind) to \(String(decoding: peer.bytes, as: UTF8.self))"
            case .added(let replica, let model, let type): "added \(replica.number) of \(model), \(type)"
            case .removed(let replica, let model, let reason): "removed \(replica.number) of \(model): \(reason.label)"
            case .completed(let replica, let response):
                "\(replica.number) answered \(response.id): \(response.outputs.strings.joined(separator: " "))"
            case .badMessage(let peer, _, let problem):
                "bad from \(String(decoding: peer.bytes, as: UTF8.self)): \(problem.label)"
            }
        }
    }

    /// The replicas as "model:version:number".
    var listed: [String] { sessions.listings.map { "\($0.model):\($0.number)" } }
}

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
        #expect(test.sessions.peer(of: ReplicaID(number: 0)) == RoutingID(Array("a".utf8)))
        test.sessions.lose(ReplicaID(number: 0))
        #expect(test.sessions.peer(of: ReplicaID(number: 0)) == nil)
        #expect(test.sessions.peer(of: ReplicaID(number: 7)) == nil)
    }
}

@Suite("Sessions with containers: deleted models")
struct ContainerDismissalTests {
    private var test = SessionsUnderTest()

    @Test("The containers of a deleted model are listed no more, others are")
    mutating func dismisses() {
        let other = Registration(modelName: "sum", modelVersion: "2", inputType: .float64)
        test.register(as: "a")
        test.register(other, as: "b")
        test.sessions.dismiss(.sum)
        #expect(test.takeEffects() == ["removed 0 of sum:1: dismissed"])
        #expect(test.listed == ["sum:2:0"])
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
        test.sessions.recall(.sum)
        #expect(test.takeEffects() == ["removed 0 of sum:1: dismissed", "added 1 of sum:1, doubles"])
        #expect(test.listed == ["sum:1:1"])
        test.sent(7, to: 1)
        #expect(test.receive(.response(7, ["x"]), from: "a") == ["1 answered 7: x"])
    }

    @Test("Recalling a model changes nothing for the containers that serve it")
    mutating func recallsOnlyDismissed() {
        test.register(as: "a")
        test.sessions.recall(.sum)
        #expect(test.takeEffects() == [])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("What a dismissed container still answers is for nobody")
    mutating func ignoresLateAnswer() {
        test.register(as: "a")
        test.sent(7, to: 0)
        test.sessions.dismiss(.sum)
        _ = test.takeEffects()
        #expect(test.receive(.response(7, ["x"]), from: "a") == [])
    }
}
