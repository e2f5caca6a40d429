import ContainerRPC
import Testing

@Suite("A container's session")
struct ContainerSessionTests {
    /// A session whose connection stands since the test began.
    private func connected(_ timing: SessionTiming = .standard) -> ContainerSession {
        var session = ContainerSession(.sum, now: at(.zero), timing: timing)
        #expect(session.tick(now: at(.zero)) == .open)
        #expect(session.connected(now: at(.zero)) == .send(.heartbeat))
        return session
    }

    /// Lets the session that ended at `time` open and connect its successor without delay.
    private func reconnect(_ session: inout ContainerSession, after time: Duration) {
        #expect(session.tick(now: session.deadline ?? at(time)) == .open)
        #expect(session.connected(now: session.deadline ?? at(time)) == .send(.heartbeat))
    }

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
        #expect(session.tick(now: at(.zero)) == .open)
        #expect(session.deadline == nil)
        #expect(session.tick(now: at(.seconds(3600))) == .none)
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
        var session = connected()
        for second in [5, 10, 15] {
            #expect(session.tick(now: at(.seconds(second) - .nanoseconds(1))) == .none)
            #expect(session.tick(now: at(.seconds(second))) == .send(.heartbeat))
            #expect(session.receive(.heartbeat(.keepAlive), now: at(.seconds(second))) == .none)
        }
    }

    @Test("It goes on beating when nothing comes back, also before the first answer")
    func beatsUnanswered() {
        var session = connected()
        for second in [5, 10, 15, 20, 25] {
            #expect(session.deadline == at(.seconds(second)))
            #expect(session.tick(now: at(.seconds(second))) == .send(.heartbeat))
        }
    }

    @Test("It does not beat while messages come faster than every 5 s")
    func noBeatWhileBusy() {
        var session = connected()
        for second in 1...20 {
            #expect(session.receive(.request(.batch(UInt32(second))), now: at(.seconds(second))) != .none)
            #expect(session.tick(now: at(.seconds(second))) == .none)
        }
        #expect(session.deadline == at(.seconds(25)))
    }

    @Test("It beats while its model works on a batch")
    func beatsWhilePredicting() {
        var session = connected()
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(1))) == .run(.batch(7)))
        #expect(session.tick(now: at(.seconds(6))) == .send(.heartbeat))
    }

    @Test("A request for metadata is answered with them, each time")
    func metadata() {
        var session = connected()
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.zero)) == .send(.newContainer(.sum)))
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.zero)) == .send(.newContainer(.sum)))
    }

    // MARK: Batches

    @Test("A batch is handed to the model, and its outputs are sent under its id")
    func batch() {
        var session = connected()
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(1))) == .run(.batch(7)))
        #expect(
            session.finished(batch: 7, ofSession: session.number, .success(["3.0"]), now: at(.seconds(2)))
                == .send(.response(7, ["3.0"])))
    }

    @Test("Batches are read while one is worked on, and each is answered")
    func batches() {
        var session = connected()
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
        var session = connected()
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
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(2)))
        #expect(session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
    }

    @Test("Feedback is a sign of life, and otherwise ignored")
    func feedback() {
        var session = connected()
        #expect(session.receive(.request(.batch(7, .feedback)), now: at(.seconds(4))) == .none)
        #expect(session.deadline == at(.seconds(9)))
    }

    @Test("Batches from before a request for metadata are void, for the frontend has forgotten them")
    func forgottenBatches() {
        var session = connected()
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
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.heartbeat(.requestMetadata), now: at(.seconds(2)))
        #expect(session.finished(batch: 7, ofSession: 0, .failure, now: at(.seconds(3))) == .none)
        #expect(session.isReading)
    }

    // MARK: Ends

    @Test("After 30 s of silence the session is given up for another")
    func silence() {
        var session = connected()
        for second in [5, 10, 15, 20, 25] { _ = session.tick(now: at(.seconds(second))) }
        #expect(session.deadline == at(.seconds(30)))
        #expect(session.tick(now: at(.seconds(30))) == .close(.silent))
        #expect(!session.isReading)
        reconnect(&session, after: .seconds(30))
    }

    @Test("A thread that woke late gives the session up as well")
    func lateTick() {
        var session = connected()
        #expect(session.tick(now: at(.seconds(100))) == .close(.silent))
    }

    @Test("Any message puts the silence off")
    func notSilent() {
        var session = connected()
        _ = session.receive(.heartbeat(.keepAlive), now: at(.seconds(29)))
        #expect(session.tick(now: at(.seconds(30))) == .none)
        #expect(session.tick(now: at(.seconds(58))) == .send(.heartbeat))
        #expect(session.tick(now: at(.seconds(59))) == .close(.silent))
    }

    @Test("A lost connection ends the session, and the results of its batches are void")
    func disconnected() {
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        #expect(session.disconnected(now: at(.seconds(2))) == .close(.disconnected))
        #expect(session.number == 1)
        #expect(session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
        reconnect(&session, after: .seconds(3))
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(4))) == .run(.batch(7)))
        #expect(session.finished(batch: 7, ofSession: 0, .success(["old"]), now: at(.seconds(5))) == .none)
    }

    @Test("A connection that is refused before it stood is tried again on a new socket")
    func refused() {
        var session = ContainerSession(.sum, now: at(.zero))
        _ = session.tick(now: at(.zero))
        #expect(session.disconnected(now: at(.seconds(1))) == .close(.disconnected))
        reconnect(&session, after: .seconds(1))
    }

    @Test("A malformed message ends the session")
    func malformed() {
        var session = connected()
        let error = WireError(.countMismatch, frame: 6, expected: "1", found: "2")
        #expect(session.receive(malformed: error, now: at(.seconds(1))) == .close(.malformed(error)))
        #expect(!session.isReading)
    }

    @Test("A batch that fails ends the session, and not the container")
    func failedBatch() {
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.request(.batch(8)), now: at(.seconds(1)))
        #expect(session.finished(batch: 7, ofSession: 0, .failure, now: at(.seconds(2))) == .close(.batchFailed))
        // The frontend sends the other batch elsewhere.
        #expect(session.finished(batch: 8, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
        reconnect(&session, after: .seconds(3))
    }

    @Test("Between sessions nothing that comes has an effect")
    func betweenSessions() {
        var session = connected()
        _ = session.disconnected(now: at(.seconds(1)))
        let due = session.deadline
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(1))) == .none)
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.seconds(1))) == .none)
        #expect(session.disconnected(now: at(.seconds(1))) == .none)
        #expect(session.connected(now: at(.seconds(1))) == .none)
        let error = WireError(.notEmpty, frame: 0, expected: "an empty frame", found: "1 bytes")
        #expect(session.receive(malformed: error, now: at(.seconds(1))) == .none)
        #expect(session.deadline == due)
    }

    // MARK: Pauses between sessions

    /// How long the session waits after the next loss of its connection at `time`.
    private func pause(of session: inout ContainerSession, at time: Duration) -> Duration? {
        #expect(session.disconnected(now: at(time)) == .close(.disconnected))
        return session.deadline.map { $0 - at(time) }
    }

    @Test("The pause doubles with each session that ends in failure, up to the longest")
    func backoff() {
        let timing = SessionTiming(firstBackoff: .milliseconds(100), longestBackoff: .seconds(1))
        var session = connected(timing)
        var pauses: [Duration?] = []
        for second in 1...6 {
            pauses.append(pause(of: &session, at: .seconds(second)))
            reconnect(&session, after: .seconds(second))
        }
        #expect(pauses == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
    }

    @Test("The pause stays the longest however many sessions fail")
    func backoffForEver() {
        var session = connected()
        for second in 1...100 {
            _ = pause(of: &session, at: .seconds(second))
            reconnect(&session, after: .seconds(second))
        }
        #expect(pause(of: &session, at: .seconds(200)) == SessionTiming.standard.longestBackoff)
    }

    @Test("No session is opened before the pause is over")
    func pauseIsKept() throws {
        var session = connected()
        _ = session.disconnected(now: at(.seconds(1)))
        let due = try #require(session.deadline)
        #expect(session.tick(now: due - .nanoseconds(1)) == .none)
        #expect(session.tick(now: due) == .open)
    }

    @Test("An answered batch ends the run of failures")
    func backoffStartsAgain() {
        var session = connected()
        let first = pause(of: &session, at: .seconds(1))
        reconnect(&session, after: .seconds(1))
        #expect(pause(of: &session, at: .seconds(2)) != first)
        reconnect(&session, after: .seconds(2))
        _ = session.receive(.request(.batch(7)), now: at(.seconds(3)))
        _ = session.finished(batch: 7, ofSession: session.number, .success(["1"]), now: at(.seconds(3)))
        #expect(pause(of: &session, at: .seconds(4)) == first)
    }

    @Test("A batch that fails after others were answered costs no pause; a second one does")
    func failedBatchPause() throws {
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.finished(batch: 7, ofSession: 0, .failure, now: at(.seconds(2)))
        #expect(session.deadline == at(.seconds(2)))
        reconnect(&session, after: .seconds(2))
        _ = session.receive(.request(.batch(8)), now: at(.seconds(3)))
        _ = session.finished(batch: 8, ofSession: session.number, .failure, now: at(.seconds(4)))
        #expect(try #require(session.deadline) > at(.seconds(4)))
    }

    @Test("A frontend of another version is asked again after the longest pause")
    func otherVersion() {
        var session = connected()
        let error = WireError(.unsupportedVersion, frame: 1, expected: "3", found: "4")
        #expect(session.receive(malformed: error, now: at(.seconds(1))) == .close(.malformed(error)))
        #expect(session.deadline == at(.seconds(1)) + SessionTiming.standard.longestBackoff)
        #expect(
            "\(ContainerSession.CloseReason.malformed(error))"
                == "the frontend speaks RPC version 4, this container 3")
    }

    // MARK: Stopping

    @Test("A container that is told to stop while idle ends at once")
    func stopIdle() {
        var session = connected()
        #expect(session.stop() == .finish(last: nil))
        #expect(session.deadline == nil)
        #expect(!session.isReading)
    }

    @Test("A container that is told to stop before it is connected, or between sessions, ends at once")
    func stopUnconnected() {
        var waiting = ContainerSession(.sum, now: at(.zero))
        #expect(waiting.stop() == .finish(last: nil))
        var connecting = ContainerSession(.sum, now: at(.zero))
        _ = connecting.tick(now: at(.zero))
        #expect(connecting.stop() == .finish(last: nil))
        #expect(connecting.connected(now: at(.seconds(1))) == .none)
    }

    @Test("A container that is told to stop answers what it has read, and ends with the last answer")
    func stopFinishesBatches() {
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.request(.batch(8)), now: at(.seconds(1)))
        #expect(session.stop() == .none)
        #expect(!session.isReading)
        #expect(
            session.finished(batch: 7, ofSession: 0, .success(["a"]), now: at(.seconds(2)))
                == .send(.response(7, ["a"])))
        #expect(
            session.finished(batch: 8, ofSession: 0, .success(["b"]), now: at(.seconds(3)))
                == .finish(last: .response(8, ["b"])))
    }

    @Test("A container that is stopping reads nothing more, and does not beat")
    func stoppingReadsNothing() {
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.stop()
        #expect(session.receive(.request(.batch(8)), now: at(.seconds(2))) == .none)
        #expect(session.deadline == nil)
        #expect(session.tick(now: at(.seconds(100))) == .none)
    }

    @Test("Told to stop a second time, it ends at once")
    func stopTwice() {
        var session = connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        #expect(session.stop() == .none)
        #expect(session.stop() == .finish(last: nil))
        #expect(session.stop() == .none)
    }

    @Test("A container that is stopping ends when its last batch fails, or its frontend goes")
    func stoppingEnds() {
        var failing = connected()
        _ = failing.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = failing.stop()
        #expect(failing.finished(batch: 7, ofSession: 0, .failure, now: at(.seconds(2))) == .finish(last: nil))

        var lost = connected()
        _ = lost.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = lost.stop()
        #expect(lost.disconnected(now: at(.seconds(2))) == .finish(last: nil))
        #expect(lost.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
    }

    @Test("A container that has ended opens nothing more")
    func ended() {
        var session = connected()
        _ = session.stop()
        #expect(session.tick(now: at(.seconds(100))) == .none)
        #expect(session.disconnected(now: at(.seconds(100))) == .none)
        #expect(session.deadline == nil)
    }
}
