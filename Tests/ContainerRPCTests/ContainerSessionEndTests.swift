import ContainerRPC
import Testing

@Suite("The end of a container's session")
struct ContainerSessionEndTests {
    // MARK: Ends

    @Test("After 30 s of silence the session is given up for another")
    func silence() {
        var session = ContainerSession.connected()
        for second in [5, 10, 15, 20, 25] { _ = session.tick(now: at(.seconds(second))) }
        #expect(session.deadline == at(.seconds(30)))
        #expect(session.tick(now: at(.seconds(30))) == .close(.unanswered))
        #expect(!session.isReading)
        session.reconnect(after: .seconds(30))
    }

    @Test("A thread that woke late gives the session up as well")
    func lateTick() {
        var session = ContainerSession.connected()
        #expect(session.tick(now: at(.seconds(100))) == .close(.unanswered))
    }

    @Test("Any message puts the silence off")
    func notSilent() {
        var session = ContainerSession.connected()
        _ = session.receive(.heartbeat(.keepAlive), now: at(.seconds(29)))
        #expect(session.tick(now: at(.seconds(30))) == .none)
        #expect(session.tick(now: at(.seconds(58))) == .send(.heartbeat))
        #expect(session.tick(now: at(.seconds(59))) == .close(.silent))
    }

    @Test("A lost connection ends the session, and the results of its batches are void")
    func disconnected() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        #expect(session.disconnected(now: at(.seconds(2))) == .close(.disconnected))
        #expect(session.number == 1)
        #expect(session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
        session.reconnect(after: .seconds(3))
        #expect(session.receive(.request(.batch(7)), now: at(.seconds(4))) == .run(.batch(7)))
        #expect(session.finished(batch: 7, ofSession: 0, .success(["old"]), now: at(.seconds(5))) == .none)
    }

    @Test("A connection that is refused before it stood is tried again on a new socket")
    func refused() {
        var session = ContainerSession(.sum, now: at(.zero))
        _ = session.tick(now: at(.zero))
        #expect(session.disconnected(now: at(.seconds(1))) == .close(.unanswered))
        session.reconnect(after: .seconds(1))
    }

    @Test("A malformed message ends the session")
    func malformed() {
        var session = ContainerSession.connected()
        let error = WireError(.countMismatch, frame: 6, expected: "1", found: "2")
        #expect(session.receive(malformed: error, now: at(.seconds(1))) == .close(.malformed(error)))
        #expect(!session.isReading)
    }

    @Test("A batch that fails ends the session, and not the container")
    func failedBatch() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.request(.batch(8)), now: at(.seconds(1)))
        #expect(session.finished(batch: 7, ofSession: 0, .failure(), now: at(.seconds(2))) == .close(.batchFailed))
        // The frontend sends the other batch elsewhere.
        #expect(session.finished(batch: 8, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
        session.reconnect(after: .seconds(3))
    }

    @Test("Between sessions nothing that comes has an effect")
    func betweenSessions() {
        var session = ContainerSession.connected()
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
        let action = session.disconnected(now: at(time))
        #expect(action == .close(.disconnected) || action == .close(.unanswered))
        return session.deadline.map { $0 - at(time) }
    }

    @Test("The pause doubles with each session that ends in failure, up to the longest")
    func backoff() {
        let timing = SessionTiming(firstBackoff: .milliseconds(100), longestBackoff: .seconds(1))
        var session = ContainerSession.connected(timing)
        var pauses: [Duration?] = []
        for second in 1...6 {
            pauses.append(pause(of: &session, at: .seconds(second)))
            session.reconnect(after: .seconds(second))
        }
        #expect(pauses == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
    }

    @Test("The pause stays the longest however many sessions fail")
    func backoffForEver() {
        var session = ContainerSession.connected()
        for second in 1...100 {
            _ = pause(of: &session, at: .seconds(second))
            session.reconnect(after: .seconds(second))
        }
        #expect(pause(of: &session, at: .seconds(200)) == SessionTiming.standard.longestBackoff)
    }

    @Test("No session is opened before the pause is over")
    func pauseIsKept() throws {
        var session = ContainerSession.connected()
        _ = session.disconnected(now: at(.seconds(1)))
        let due = try #require(session.deadline)
        #expect(session.tick(now: due - .nanoseconds(1)) == .none)
        #expect(session.tick(now: due) == .open)
    }

    @Test("An answered batch ends the run of failures")
    func backoffStartsAgain() {
        var session = ContainerSession.connected()
        let first = pause(of: &session, at: .seconds(1))
        session.reconnect(after: .seconds(1))
        #expect(pause(of: &session, at: .seconds(2)) != first)
        session.reconnect(after: .seconds(2))
        _ = session.receive(.request(.batch(7)), now: at(.seconds(3)))
        _ = session.finished(batch: 7, ofSession: session.number, .success(["1"]), now: at(.seconds(3)))
        #expect(pause(of: &session, at: .seconds(4)) == first)
    }

    @Test("A session that was answered for as long as the longest pause ends the run of failures, too")
    func backoffStartsAgainAfterALongSession() {
        var session = ContainerSession.connected()
        let first = pause(of: &session, at: .seconds(1))
        session.reconnect(after: .seconds(1))
        #expect(pause(of: &session, at: .seconds(2)) != first)
        session.reconnect(after: .seconds(2))
        _ = session.receive(.heartbeat(.requestMetadata), now: at(.seconds(3)))
        #expect(pause(of: &session, at: .seconds(8)) == first)
    }

    @Test("That time counts from its first answer, however many came since")
    func backoffCountsFromTheFirstAnswer() {
        var session = ContainerSession.connected()
        let first = pause(of: &session, at: .seconds(1))
        session.reconnect(after: .seconds(1))
        for second in 3...8 { _ = session.receive(.heartbeat(.requestMetadata), now: at(.seconds(second))) }
        #expect(pause(of: &session, at: .seconds(8)) == first)
    }

    @Test("A session that nobody answered is one, whatever an earlier frontend has said")
    func unansweredAfterAnAnsweredOne() {
        var session = ContainerSession.connected()
        _ = session.receive(.heartbeat(.requestMetadata), now: at(.seconds(1)))
        let first = pause(of: &session, at: .seconds(8))
        session.reconnect(after: .seconds(8))
        #expect(session.disconnected(now: at(.seconds(9))) == .close(.unanswered))
        #expect(session.deadline.map { $0 - at(.seconds(9)) } != first)
    }

    @Test("A connection that ends before the frontend has said anything may be to something else")
    func unanswered() {
        var session = ContainerSession.connected()
        #expect(session.disconnected(now: at(.seconds(1))) == .close(.unanswered))
        session.reconnect(after: .seconds(1))
        _ = session.receive(.heartbeat(.requestMetadata), now: at(.seconds(2)))
        #expect(session.disconnected(now: at(.seconds(3))) == .close(.disconnected))
        #expect("\(ContainerSession.CloseReason.unanswered)".contains("is this its RPC port?"))
    }

    @Test("A batch that fails after others were answered costs no pause; a second one does")
    func failedBatchPause() throws {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.finished(batch: 7, ofSession: 0, .failure(), now: at(.seconds(2)))
        #expect(session.deadline == at(.seconds(2)))
        session.reconnect(after: .seconds(2))
        _ = session.receive(.request(.batch(8)), now: at(.seconds(3)))
        _ = session.finished(batch: 8, ofSession: session.number, .failure(), now: at(.seconds(4)))
        #expect(try #require(session.deadline) > at(.seconds(4)))
    }

    @Test("A frontend of another version is asked again after the longest pause")
    func otherVersion() {
        var session = ContainerSession.connected()
        let error = WireError(.unsupportedVersion, frame: 1, expected: "3", found: "5")
        #expect(session.receive(malformed: error, now: at(.seconds(1))) == .close(.malformed(error)))
        #expect(session.deadline == at(.seconds(1)) + SessionTiming.standard.longestBackoff)
        #expect(
            "\(ContainerSession.CloseReason.malformed(error))"
                == "the frontend speaks RPC version 5, which this container does not")
    }

    // MARK: Stopping

    @Test("A container that is told to stop while idle ends at once")
    func stopIdle() {
        var session = ContainerSession.connected()
        #expect(session.stop(now: at(.zero)) == .finish(last: nil))
        #expect(session.deadline == nil)
        #expect(!session.isReading)
    }

    @Test("A container that is told to stop before it is connected, or between sessions, ends at once")
    func stopUnconnected() {
        var waiting = ContainerSession(.sum, now: at(.zero))
        #expect(waiting.stop(now: at(.zero)) == .finish(last: nil))
        var connecting = ContainerSession(.sum, now: at(.zero))
        _ = connecting.tick(now: at(.zero))
        #expect(connecting.stop(now: at(.zero)) == .finish(last: nil))
        #expect(connecting.connected(now: at(.seconds(1))) == .none)
    }

    @Test("A container that is told to stop answers what it has read, and ends with the last answer")
    func stopFinishesBatches() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.receive(.request(.batch(8)), now: at(.seconds(1)))
        #expect(session.stop(now: at(.zero)) == .none)
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
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = session.stop(now: at(.zero))
        #expect(session.receive(.request(.batch(8)), now: at(.seconds(2))) == .none)
        #expect(session.deadline == nil)
        #expect(session.tick(now: at(.seconds(100))) == .none)
    }

    @Test("Told to stop a second time, it ends at once")
    func stopTwice() {
        var session = ContainerSession.connected()
        _ = session.receive(.request(.batch(7)), now: at(.seconds(1)))
        #expect(session.stop(now: at(.zero)) == .none)
        #expect(session.stop(now: at(.zero)) == .finish(last: nil))
        #expect(session.stop(now: at(.zero)) == .none)
    }

    @Test("A container that is stopping ends when its last batch fails, or its frontend goes")
    func stoppingEnds() {
        var failing = ContainerSession.connected()
        _ = failing.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = failing.stop(now: at(.zero))
        #expect(failing.finished(batch: 7, ofSession: 0, .failure(), now: at(.seconds(2))) == .finish(last: nil))

        var lost = ContainerSession.connected()
        _ = lost.receive(.request(.batch(7)), now: at(.seconds(1)))
        _ = lost.stop(now: at(.zero))
        #expect(lost.disconnected(now: at(.seconds(2))) == .finish(last: nil))
        #expect(lost.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(3))) == .none)
    }

    @Test("A container that has ended opens nothing more")
    func ended() {
        var session = ContainerSession.connected()
        _ = session.stop(now: at(.zero))
        #expect(session.tick(now: at(.seconds(100))) == .none)
        #expect(session.disconnected(now: at(.seconds(100))) == .none)
        #expect(session.deadline == nil)
    }
}
