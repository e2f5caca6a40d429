import ContainerRPC
import Testing

@Suite("The ledger of connections")
struct ConnectionLedgerTests {
    private var ledger = ConnectionLedger<String>()

    @Test("A session is lost with the connection that its messages came by")
    mutating func loss() {
        ledger.note(.accepted(descriptor: 5))
        #expect(ledger.bind("a", to: 5) == nil)
        #expect(ledger.isBound("a", to: 5))
        #expect(ledger.session(by: 5) == "a")
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.hasLosses)
        #expect(ledger.takeLost() == ["a"])
        #expect(!ledger.hasLosses)
        #expect(ledger.session(by: 5) == nil)
        #expect(!ledger.isBound("a", to: 5))
    }

    @Test("A loss is told once")
    mutating func lossOnce() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.takeLost() == ["a"])
        #expect(ledger.takeLost().isEmpty)
    }

    @Test("Other sessions do not suffer")
    mutating func others() {
        for (session, descriptor) in [("a", 5), ("b", 6), ("c", 7)] as [(String, Int32)] {
            ledger.note(.accepted(descriptor: descriptor))
            _ = ledger.bind(session, to: descriptor)
        }
        ledger.note(.disconnected(descriptor: 6))
        #expect(ledger.takeLost() == ["b"])
        #expect(ledger.session(by: 5) == "a")
        #expect(ledger.session(by: 7) == "c")
    }

    @Test("A connection that nobody spoke by is lost without a session")
    mutating func silentConnection() {
        ledger.note(.accepted(descriptor: 5))
        ledger.note(.ready)
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.takeLost().isEmpty)
    }

    @Test("A disconnect that was noted before the last messages were read still ends their session")
    mutating func disconnectBeforeMessages() {
        ledger.note(.accepted(descriptor: 5))
        ledger.note(.disconnected(descriptor: 5))
        // The messages were waiting all the time: the first one is read only now.
        #expect(ledger.bind("a", to: 5) == nil)
        #expect(ledger.takeLost() == ["a"])
    }

    @Test("The last messages of a lost session are still its own")
    mutating func messagesAfterDisconnect() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.isBound("a", to: 5))
        #expect(ledger.session(by: 5) == "a")
        #expect(ledger.takeLost() == ["a"])
    }

    @Test("A descriptor that is used again belongs to the new session; the loss to the old one")
    mutating func reuse() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.note(.disconnected(descriptor: 5))
        ledger.note(.accepted(descriptor: 5))
        #expect(ledger.session(by: 5) == nil)
        #expect(ledger.bind("b", to: 5) == nil)
        #expect(ledger.session(by: 5) == "b")
        #expect(ledger.takeLost() == ["a"])
        #expect(ledger.session(by: 5) == "b")
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.takeLost() == ["b"])
    }

    @Test("Used again twice before anyone looks, each loss ends its own session")
    mutating func reuseTwice() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.note(.disconnected(descriptor: 5))
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("b", to: 5)
        ledger.note(.disconnected(descriptor: 5))
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("c", to: 5)
        #expect(ledger.takeLost() == ["a", "b"])
        #expect(ledger.session(by: 5) == "c")
    }

    @Test("The first message of a connection that is gone, read after its descriptor was used again, is still its own")
    mutating func lateMessage() {
        ledger.note(.accepted(descriptor: 5))
        ledger.note(.disconnected(descriptor: 5))
        ledger.note(.accepted(descriptor: 5))
        #expect(ledger.bind("a", to: 5) == nil)
        #expect(ledger.bind("b", to: 5) == nil)
        #expect(ledger.session(by: 5) == "b")
        #expect(ledger.takeLost() == ["a"])
        #expect(ledger.isBound("b", to: 5))
    }

    @Test("A session whose message is taken for a former connection's is bound to its own with the next one")
    mutating func firstMessageOfNewConnection() {
        ledger.note(.accepted(descriptor: 5))
        ledger.note(.disconnected(descriptor: 5))
        ledger.note(.accepted(descriptor: 5))
        // Nobody ever spoke by the first connection.
        #expect(ledger.bind("b", to: 5) == nil)
        #expect(ledger.takeLost() == ["b"])
        #expect(ledger.bind("b anew", to: 5) == nil)
        #expect(ledger.session(by: 5) == "b anew")
    }

    @Test("A connection carries one peer: when another speaks by it, the first one is gone")
    mutating func secondPeer() {
        ledger.note(.accepted(descriptor: 5))
        #expect(ledger.bind("a", to: 5) == nil)
        #expect(ledger.bind("b", to: 5) == "a")
        #expect(!ledger.isBound("a", to: 5))
        #expect(ledger.session(by: 5) == "b")
    }

    @Test("A session that comes by another connection is bound to that one alone")
    mutating func moves() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.note(.accepted(descriptor: 6))
        #expect(ledger.bind("a", to: 6) == nil)
        #expect(!ledger.isBound("a", to: 5))
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.takeLost().isEmpty)
        ledger.note(.disconnected(descriptor: 6))
        #expect(ledger.takeLost() == ["a"])
    }

    @Test("A session that is bound again to its own connection evicts nobody")
    mutating func bindAgain() {
        ledger.note(.accepted(descriptor: 5))
        #expect(ledger.bind("a", to: 5) == nil)
        #expect(ledger.bind("a", to: 5) == nil)
        #expect(ledger.session(by: 5) == "a")
    }

    @Test("A session that has ended is not lost with its connection")
    mutating func forgotten() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.forget("a")
        #expect(!ledger.isBound("a", to: 5))
        #expect(ledger.session(by: 5) == nil)
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.takeLost().isEmpty)
    }

    @Test("A container that registers anew by the same connection is lost with it")
    mutating func forgottenAndBoundAgain() {
        ledger.note(.accepted(descriptor: 5))
        _ = ledger.bind("a", to: 5)
        ledger.forget("a")
        #expect(ledger.bind("b", to: 5) == nil)
        ledger.note(.disconnected(descriptor: 5))
        #expect(ledger.takeLost() == ["b"])
    }
}
