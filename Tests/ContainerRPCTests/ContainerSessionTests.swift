import ContainerRPC
import Testing

@Suite("A container's session")
struct ContainerSessionTests {
    // MARK: Opening

    @Test("The first session is opened at once")
    func opens() {
        var session = ContainerSession(.sum, now: at(.zero))
        #expect(session.deadline == at(.zero))
        #expect(!session.isReading)
        #expect(session.tick(now: at(.zero)) == .open)
        #expect(session.isReading)
    }

    @Test("A container waits for its frontend for as long as it takes, and sends nothing until it is there")
    func waitsForFrontend() {
        var session = ContainerSession(.sum, now: at(.zero))
        // What accepts connections there and says nothing is no frontend: another connection is tried now and then.
        for _ in 0..<100 {
            guard let opening = session.deadline else { return #expect(Bool(false), "it gave up") }
            #expect(session.tick(now: opening) == .open)
            #expect(session.deadline == opening + .seconds(30))
            #expect(session.tick(now: opening + .seconds(29)) == .none)
            #expect(session.tick(now: opening + .seconds(30)) == .close(.unanswered))
        }
    }

    @Test("The first message is a heartbeat, sent when the connection stands")
    func firstHeartbeat() {
        var session = ContainerSession(.sum, now: at(.zero))
        _ = session.tick(now: at(.zero))
        #expect(session.connected(now: at(.seconds(60))) == .send(.heartbeat))
        #expect(session.deadline == at(.seconds(65)))
    }

    // MARK: Heartbeats and metadata

    @Test("An idle container beats every 5 s")
    func beats() {
        var session = ContainerSession.connected()
        for second in [5, 10, 15] {
            #expect(session.tick(now: at(.seconds(second) - .nanoseconds(1))) == .none)
            #expect(session.tick(now: at(.seconds(second))) == .send(.heartbeat))
            #expect(session.receive(.heartbeat(.keepAlive), now: at(.seconds(second))) == .none)
        }
    }

    @Test("It goes on beating when nothing comes back, also before the first answer")
    func beatsUnanswered() {
        var session = ContainerSession.connected()
        for second in [5, 10, 15, 20, 25] {
            #expect(session.deadline == at(.seconds(second)))
            #expect(session.tick(now: at(.seconds(second))) == .send(.heartbeat))
        }
    }

    @Test("It does not beat while messages come faster than every 5 s")
    func noBeatWhileBusy() {
        var session = ContainerSession.connected()
        for second in 1...20 {
            #expect(session.receive(.request(.batch(UInt32(second))), now: at(.seconds(second))) != .none)
            #expect(session.tick(now: at(.seconds(second))) == .none)
        }
        #expect(session.deadline == at(.seconds(25)))
    }

    @Test("It beats while its model works on a batch")
    func beatsWhilePredicting() {
        var session = ContainerSession.connected()
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(1))) == .run(.batch(7)))
        #expect(session.tick(now: at(.seconds(6))) == .send(.heartbeat))
    }

    @Test("A request for metadata is answered with them, each time")
    func metadata() {
        var session = ContainerSession.connected()
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.zero)) == .send(.newContainer(.sum)))
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.zero)) == .send(.newContainer(.sum)))
    }

    // MARK: Batches

    @Test("A batch is handed to the model, and its outputs are sent under its id")
    func batch() {
        var session = ContainerSession.connected()
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(1))) == .run(.batch(7)))
        #expect(
            session.finished(batch: 7, ofSession: session.number, .success(["3.0"]), now: at(.seconds(2)))
                == .send(.response(7, ["3.0"])))
    }

    @Test("Batches are read while one is worked on, and each is answered")
    func batches() {
        var session = ContainerSession.connected()
        for id in [7, 8, 9] as [UInt32] {
            #expect(session.receive(.request(.batch(id)), now: at(.seconds(1))) == .run(.batch(id)))
        }
        for id in [7, 8, 9] as [UInt32] {
            #expect(
                session.finished(batch: id, ofSession: 0, .success(["\(id)"]), now: at(.seconds(2)))
                    == .send(.response(id, ["\(id)"])))
        }
    }

    @Test("Two batches with the same id are both answered")
    func sameID() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        for output in [["a"], ["b"]] as [Outputs] {
            #expect(
                session.finished(batch: 7, ofSession: 0, .success(output), now: at(.seconds(2)))
                    == .send(.response(7, output)))
        }
    }

    @Test("A batch is answered once")
    func answeredOnce() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(2)))
        #expect(session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
    }

    @Test("Feedback is a sign of life, and otherwise ignored")
    func feedback() {
        var session = ContainerSession.connected()
        #expect(session.receive(.request(.batch(7, .feedback)), now: at(.seconds(4))) == .none)
        #expect(session.deadline == at(.seconds(9)))
    }

    @Test("Batches from before a request for metadata are void, for the frontend has forgotten them")
    func forgottenBatches() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        let forgotten = session.number
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.seconds(2))) == .send(.newContainer(.sum)))
        // The frontend may use the id again.
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(3))) == .run(.batch(7)))
        #expect(session.finished(batch: 7, ofSession: forgotten, .success(["old"]), now: at(.seconds(4))) == .none)
        #expect(
            session.finished(batch: 7, ofSession: session.number, .success(["new"]), now: at(.seconds(5)))
                == .send(.response(7, ["new"])))
    }

    @Test("A batch that was forgotten and fails does not end the session")
    func forgottenFailure() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.heartbeat(.requestMetadata), now: at(.seconds(2)))
        #expect(session.finished(batch: 7, ofSession: 0, .failure(), now: at(.seconds(3))) == .none)
        #expect(session.isReading)
    }
}
