import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Sessions with containers: lost connections")
struct ContainerConnectionTests {
    private var test = SessionsUnderTest()

    @Test("A connection that is gone ends its container, once all messages have been read")
    mutating func endsWithConnection() {
        test.unreadEvents = [.accepted(descriptor: 5)]
        test.register(as: "a", by: 5)
        test.sent(7, to: 0)
        test.sessions.note(.disconnected(descriptor: 5))
        #expect(test.receive(.response(7, ["x"]), from: "a", by: 5) == ["0 answered 7: x"])
        #expect(test.endLostConnections() == ["removed 0 of sum:1: disconnected"])
        #expect(test.listed.isEmpty)
    }

    @Test("A connection that never carried a message ends nothing")
    mutating func ignoresUnknownConnection() {
        test.register(as: "a", by: 5)
        test.sessions.note(.accepted(descriptor: 6))
        test.sessions.note(.disconnected(descriptor: 6))
        #expect(test.endLostConnections() == [])
        #expect(test.listed == ["sum:1:0"])
    }

    @Test("A descriptor that is used again belongs to the new container: the old one's end costs it nothing")
    mutating func tellsReusedDescriptorsApart() {
        test.unreadEvents = [.accepted(descriptor: 5)]
        test.register(as: "a", by: 5)
        // The system has given the descriptor to the next connection before anybody looked.
        test.unreadEvents = [.disconnected(descriptor: 5), .accepted(descriptor: 5)]
        #expect(test.register(as: "b", by: 5) == ["added 1 of sum:1, doubles"])
        #expect(test.endLostConnections() == ["removed 0 of sum:1: disconnected"])
        #expect(test.listed == ["sum:1:1"])
    }

    @Test("A second peer on a connection means that the first one is gone, even if nobody has said so")
    mutating func evicts() {
        test.register(as: "a", by: 5)
        #expect(
            test.register(as: "b", by: 5) == ["removed 0 of sum:1: disconnected", "added 1 of sum:1, doubles"])
        #expect(test.endLostConnections() == [])
        #expect(test.listed == ["sum:1:1"])
    }

    @Test("A container that comes back under its own name by another connection begins anew: what it had may be lost")
    mutating func beginsAnewByAnotherConnection() {
        test.unreadEvents = [.accepted(descriptor: 5)]
        test.register(as: "a", by: 5)
        test.sent(7, to: 0)
        test.unreadEvents = [.accepted(descriptor: 6), .disconnected(descriptor: 5)]
        #expect(
            test.receive(.heartbeat, from: "a", by: 6) == ["removed 0 of sum:1: disconnected", "requestMetadata to a"])
        #expect(test.register(as: "a", by: 6) == ["added 1 of sum:1, doubles"])
        #expect(test.endLostConnections() == [])
        #expect(test.listed == ["sum:1:1"])
    }

    /// The connection of one that has a batch ends, and its descriptor is used again, before anybody looks.
    private mutating func reuseDescriptor() {
        test.unreadEvents = [.accepted(descriptor: 5)]
        test.register(as: "a", by: 5)
        test.sent(7, to: 0)
        test.sessions.note(.disconnected(descriptor: 5))
        test.sessions.note(.accepted(descriptor: 5))
    }

    @Test("One that comes back by its own descriptor before anybody looked is asked to register at once")
    mutating func comesBackUnnoticed() {
        reuseDescriptor()
        #expect(test.receive(.heartbeat, from: "a", by: 5) == ["keepAlive to a"])
        #expect(test.endLostConnections() == ["removed 0 of sum:1: disconnected", "requestMetadata to a"])
        #expect(test.register(as: "a", by: 5) == ["added 1 of sum:1, doubles"])
        test.sessions.note(.disconnected(descriptor: 5))
        #expect(test.endLostConnections() == ["removed 1 of sum:1: disconnected"])
    }

    @Test("The last answer of a container that is gone counts, though its descriptor is another's by now")
    mutating func lastAnswerOfReusedDescriptor() {
        reuseDescriptor()
        #expect(test.receive(.response(7, ["x"]), from: "a", by: 5) == ["0 answered 7: x"])
        #expect(test.register(as: "b", by: 5) == ["added 1 of sum:1, doubles"])
        #expect(test.endLostConnections().first == "removed 0 of sum:1: disconnected")
        #expect(test.listed == ["sum:1:1"])
    }

    @Test("The first message of a container that is gone, read late, costs the one that has its descriptor nothing")
    mutating func readsLateMessageOfLostConnection() {
        test.unreadEvents = [.accepted(descriptor: 5), .disconnected(descriptor: 5), .accepted(descriptor: 5)]
        test.register(as: "a", by: 5)
        test.register(as: "b", by: 5)
        #expect(test.endLostConnections() == ["removed 0 of sum:1: disconnected"])
        #expect(test.receive(.heartbeat, from: "b", by: 5) == ["keepAlive to b"])
        #expect(test.listed == ["sum:1:1"])
    }

    @Test("One that cannot be sent to any more is lost when all has been read that came by its connection")
    mutating func readsLastAnswer() {
        test.sessions.note(.accepted(descriptor: 5))
        test.register(as: "a", by: 5)
        test.sent(7, to: 0)
        test.sessions.note(.disconnected(descriptor: 5))
        test.sessions.lose(RoutingID(Array("a".utf8)))
        #expect(test.takeEffects() == [])
        #expect(test.receive(.response(7, ["x"]), from: "a", by: 5) == ["0 answered 7: x"])
        #expect(test.endLostConnections() == ["removed 0 of sum:1: disconnected"])
    }

    @Test("The peer that was last heard by a connection is told without its id")
    mutating func knowsPeerOfDescriptor() {
        test.register(as: "a", by: 5)
        #expect(test.sessions.session(by: 5)?.peer == RoutingID(Array("a".utf8)))
        #expect(test.sessions.session(by: 6) == nil)
        test.sessions.lose(ReplicaID(number: 0))
        #expect(test.sessions.session(by: 5) == nil)
    }

    @Test("A container within the process, which has no descriptor, registers and answers as any other")
    mutating func worksWithoutDescriptor() {
        test.register(as: "a", by: nil)
        test.sent(7, to: 0)
        #expect(test.receive(.response(7, ["x"]), from: "a", by: nil) == ["0 answered 7: x"])
    }
}

@Suite("Sessions with containers: the order of effects")
struct ContainerOrderTests {
    private var test = SessionsUnderTest()

    @Test("Those that are silent at the same time are given up in the order in which they came")
    mutating func endsInOrder() {
        for peer in 0..<20 { test.register(as: "\(peer)") }
        #expect(test.tick(now: .seconds(30)) == (0..<20).map { "removed \($0) of sum:1: silent" })
    }

    @Test("Containers of a model are dismissed and taken back in the order in which they came")
    mutating func dismissesInOrder() {
        for peer in 0..<20 { test.register(as: "\(peer)") }
        test.sessions.dismiss(.sum)
        test.sessions.recall(.sum, inputType: .float64)
        let expected = (0..<20).flatMap { ["removed \($0) of sum:1: dismissed", "added \($0 + 20) of sum:1, doubles"] }
        #expect(test.takeEffects() == expected)
    }
}

@Suite("Sessions with containers: silence")
struct ContainerSilenceTests {
    private var test = SessionsUnderTest()

    @Test("A container that is silent for 30 s and has nothing to do is given up")
    mutating func givesUp() {
        test.register(as: "a")
        #expect(test.sessions.deadline == at(.seconds(30)))
        #expect(test.tick(now: .milliseconds(29_999)) == [])
        #expect(test.tick(now: .seconds(30)) == ["removed 0 of sum:1: silent"])
        #expect(test.sessions.deadline == nil)
    }

    @Test("Any message counts as a sign of life")
    mutating func hears() {
        test.register(as: "a")
        test.receive(.heartbeat, from: "a", now: .seconds(20))
        #expect(test.tick(now: .seconds(30)) == [])
        #expect(test.sessions.deadline == at(.seconds(50)))
        #expect(test.tick(now: .seconds(50)) == ["removed 0 of sum:1: silent"])
    }

    @Test("A busy container whose connection nobody watches is sent a heartbeat now and then: that it is gone shows so")
    mutating func probesUnwatched() {
        test.register(as: "a")
        test.sent(7, to: 0)
        #expect(test.tick(now: .seconds(30)) == ["keepAlive to a"])
        #expect(test.tick(now: .seconds(31)) == [])
        #expect(test.tick(now: .seconds(60)) == ["keepAlive to a"])
        test.sessions.lose(RoutingID(Array("a".utf8)))
        #expect(test.takeEffects() == ["removed 0 of sum:1: disconnected"])
    }

    @Test("A container with a batch in flight may be silent for as long as its model takes")
    mutating func waitsForBusy() {
        test.register(as: "a", by: 5)
        test.sent(7, to: 0)
        for second in stride(from: 30, through: 600, by: 30) { #expect(test.tick(now: .seconds(second)) == []) }
        #expect(test.receive(.response(7, ["x"]), from: "a", by: 5, now: .seconds(610)) == ["0 answered 7: x"])
        #expect(test.tick(now: .seconds(639)) == [])
        #expect(test.tick(now: .seconds(670)) == ["removed 0 of sum:1: silent"])
    }

    @Test("A peer that never registered is forgotten without a word")
    mutating func forgetsStrangers() {
        test.receive(.heartbeat, from: "a")
        #expect(test.tick(now: .seconds(30)) == [])
        #expect(test.sessions.deadline == nil)
    }

    @Test("A container that was given up and is there after all is asked for its metadata")
    mutating func comesBack() {
        test.register(as: "a")
        _ = test.tick(now: .seconds(30))
        #expect(test.receive(.heartbeat, from: "a", now: .seconds(31)) == ["requestMetadata to a"])
        #expect(test.register(as: "a", now: .seconds(31)) == ["added 1 of sum:1, doubles"])
        #expect(test.listed == ["sum:1:1"])
    }
}
