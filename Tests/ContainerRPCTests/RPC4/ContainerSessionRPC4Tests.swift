import ContainerRPC
import Testing

@Suite("RPC 4: a container's session")
struct ContainerSessionRPC4Tests {
    private static let registration = Registration(
        modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four, details: details)
    private static let details: RegistrationDetails = {
        var details = RegistrationDetails()
        details.largestBatch = 2
        return details
    }()
    private let welcome = Welcome(heartbeatInterval: .seconds(1), silenceLimit: .seconds(4))

    /// A session that offers RPC 4, connected since the test began.
    private func offering() -> ContainerSession {
        var session = ContainerSession(Self.registration, now: at(.zero))
        #expect(session.tick(now: at(.zero)) == .open)
        #expect(session.connected(now: at(.zero)) == .send(.heartbeat))
        return session
    }

    /// A session that its frontend has welcomed.
    private func welcomed() -> ContainerSession {
        var session = offering()
        #expect(session.receive(.welcome(welcome), now: at(.zero)) == .send(.newContainer(Self.registration)))
        #expect(session.receive(.accepted(replica: 0), now: at(.zero)) == .none)
        return session
    }

    @Test("Welcomed, it registers in version 4 with all it has to say")
    func registers() {
        #expect(welcomed().version == .four)
    }

    @Test("Asked for its metadata in version 3, it goes on in 3 and says what 3 can say")
    func fallsBack() {
        var session = offering()
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.zero)) == .send(.newContainer(.sum)))
        #expect(session.version == .three)
    }

    @Test("When another frontend answers in another version, it follows")
    func followsTheFrontend() {
        var session = welcomed()
        _ = session.receive(.request(.batch(7)), now: at(.zero))
        #expect(session.receive(.heartbeat(.requestMetadata), now: at(.seconds(1))) == .send(.newContainer(.sum)))
        // What it was asked by the frontend that is gone is for nobody.
        #expect(session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.seconds(1))) == .none)
        #expect(
            session.receive(.welcome(welcome), now: at(.seconds(2))) == .send(.newContainer(Self.registration)))
        #expect(session.version == .four)
    }

    @Test("A batch that comes in version 3 is answered in 3, and one in version 4 in 4")
    func answersAsAsked() {
        var session = welcomed()
        #expect(session.receive(.request(.batch(7)), in: .three, now: at(.zero)) == .run(.batch(7)))
        #expect(session.version == .three)
        // RPC 3 has no place for the time that the model took.
        #expect(
            session.finished(
                batch: 7, ofSession: 0, .success(["1"]), computeTime: .milliseconds(2), now: at(.zero))
                == .send(.response(7, ["1"])))
        #expect(session.receive(.request(.batch(8)), in: .four, now: at(.zero)) == .run(.batch(8)))
        #expect(session.version == .four)
    }

    @Test("The times of a welcome end when the frontend speaks version 3")
    func timesEndWithVersion4() {
        var session = welcomed()
        #expect(session.receive(.heartbeat(.keepAlive), in: .three, now: at(.zero)) == .none)
        #expect(session.deadline == at(.seconds(5)))
    }

    @Test("It keeps the times that the frontend states, and beats when it has sent nothing, whatever it receives")
    func statedTimes() {
        var session = welcomed()
        #expect(session.deadline == at(.seconds(1)))
        _ = session.receive(.heartbeat(.keepAlive), now: at(.milliseconds(900)))
        #expect(session.tick(now: at(.seconds(1))) == .send(.heartbeat))
        #expect(session.tick(now: at(.milliseconds(4_900))) == .close(.silent))
    }

    @Test("A batch that failed is told, and the session goes on")
    func failedBatch() {
        var session = welcomed()
        _ = session.receive(.request(.batch(7)), now: at(.zero))
        #expect(
            session.finished(batch: 7, ofSession: 0, .failure(reason: "why"), now: at(.zero))
                == .send(.failure(BatchFailure(id: 7, code: .modelError, reason: "why"))))
        #expect(session.isReading)
    }

    @Test("Outputs with errors of some inputs are an answer; in version 3 the batch has failed")
    func itemErrors() {
        var outputs: Outputs = ["1", ""]
        outputs.errors = [ItemError(index: 1, code: .modelError, text: "why")]
        var session = welcomed()
        _ = session.receive(.request(.batch(7)), now: at(.zero))
        #expect(
            session.finished(
                batch: 7, ofSession: 0, .success(outputs), computeTime: .milliseconds(2), now: at(.zero))
                == .send(
                    .response(PredictResponse(id: 7, outputs: outputs, computeTime: .milliseconds(2)))))
        var old = ContainerSession.connected()
        _ = old.receive(.request(.batch(7)), now: at(.zero))
        #expect(
            old.finished(batch: 7, ofSession: 0, .success(outputs), now: at(.zero)) == .close(.batchFailed))
    }

    @Test("A batch of another type, or a larger one than it takes, does not reach the model")
    func refusesBatches() {
        var session = welcomed()
        let texts = InputValues(elements: .string([]), rowEnds: [0])
        guard
            case .send(.failure(let wrong)) = session.receive(
                .request(PredictRequest(id: 1, inputs: texts)), now: at(.zero))
        else {
            Issue.record("no failure")
            return
        }
        #expect(wrong.id == 1 && wrong.code == .invalidInput)
        let many = InputValues(elements: .float64([]), rowEnds: [0, 0, 0])
        guard
            case .send(.failure(let large)) = session.receive(
                .request(PredictRequest(id: 2, inputs: many)), now: at(.zero))
        else {
            Issue.record("no failure")
            return
        }
        #expect(large.id == 2 && large.code == .tooLarge)
    }

    @Test("A batch beyond the number that it has stated is given back, and one after an answer is taken")
    func tooManyInFlight() throws {
        var registration = Self.registration
        registration.details.batchesInFlight = 2
        var session = ContainerSession(registration, now: at(.zero))
        _ = session.tick(now: at(.zero))
        _ = session.connected(now: at(.zero))
        _ = session.receive(.welcome(welcome), now: at(.zero))
        for id: UInt32 in [1, 2] {
            #expect(session.receive(.request(.batch(id)), now: at(.zero)) == .run(.batch(id)))
        }
        guard case .send(.failure(let failure)) = session.receive(.request(.batch(3)), now: at(.zero)) else {
            Issue.record("it took a third batch")
            return
        }
        #expect(failure.id == 3 && failure.code == .unavailable)
        _ = session.finished(batch: 1, ofSession: session.number, .success(["1"]), now: at(.zero))
        #expect(session.receive(.request(.batch(4)), now: at(.zero)) == .run(.batch(4)))
    }

    @Test("Refused, it comes back after the time that it was told, and says why it went")
    func refused() {
        var session = offering()
        let refusal = Refusal(.inputTypeMismatch, reason: "start it with doubles", retryAfter: .seconds(9))
        #expect(session.receive(.refused(refusal), now: at(.zero)) == .close(.refused(refusal)))
        #expect(session.deadline == at(.seconds(9)))
        #expect("\(ContainerSession.CloseReason.refused(refusal))".contains("start it with doubles"))
    }

    @Test("Told to stop, it says goodbye, answers what still comes, and ends with the frontend's goodbye")
    func leaves() {
        var session = welcomed()
        #expect(session.stop(now: at(.zero)) == .send(.goodbye(Goodbye(.stopping))))
        #expect(session.isReading)
        #expect(session.receive(.request(.batch(7)), now: at(.zero)) == .run(.batch(7)))
        // The frontend has nothing under way any more; the batch in hand is answered all the same.
        #expect(session.receive(.goodbye(Goodbye(.stopping)), now: at(.zero)) == .none)
        #expect(!session.isReading)
        #expect(
            session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.zero))
                == .finish(last: .response(7, ["1"])))
    }

    @Test("While it answers what it has left, it goes on beating")
    func beatsToTheEnd() {
        var session = welcomed()
        _ = session.receive(.request(.batch(7)), now: at(.zero))
        _ = session.stop(now: at(.zero))
        _ = session.receive(.goodbye(Goodbye(.stopping)), now: at(.zero))
        #expect(session.deadline == at(.seconds(1)))
        #expect(session.tick(now: at(.seconds(1))) == .send(.heartbeat))
        #expect(session.deadline == at(.seconds(2)))
    }

    @Test("A frontend that does not answer its goodbye is not waited for longer than 5 s")
    func patience() {
        var session = welcomed()
        _ = session.stop(now: at(.zero))
        #expect(session.tick(now: at(.seconds(1))) == .send(.heartbeat))
        #expect(session.tick(now: at(.seconds(5))) == .finish(last: nil))
    }

    @Test("Nor is it where heartbeats are rarer than that")
    func patienceBetweenBeats() {
        var session = offering()
        let welcome = Welcome(heartbeatInterval: .seconds(60), silenceLimit: .seconds(180))
        _ = session.receive(.welcome(welcome), in: .four, now: at(.zero))
        _ = session.stop(now: at(.zero))
        #expect(session.deadline == at(.seconds(5)))
        #expect(session.tick(now: at(.seconds(5))) == .finish(last: nil))
    }

    @Test("A message that cannot be read while it leaves is the last one: what it has is answered, and it ends")
    func malformedWhileLeaving() {
        var session = welcomed()
        _ = session.receive(.request(.batch(7)), now: at(.zero))
        _ = session.stop(now: at(.zero))
        let error = WireError(.countMismatch, frame: 6, expected: "1", found: "2")
        #expect(session.receive(malformed: error, now: at(.zero)) == .none)
        #expect(!session.isReading)
        let last = session.finished(batch: 7, ofSession: 0, .success(["1"]), now: at(.zero))
        #expect(last == .finish(last: .response(7, ["1"])))
    }

    @Test("Told to stop twice, it ends at once")
    func stopsTwice() {
        var session = welcomed()
        _ = session.receive(.request(.batch(7)), now: at(.zero))
        _ = session.stop(now: at(.zero))
        #expect(session.stop(now: at(.zero)) == .finish(last: nil))
    }

    @Test("A batch that comes in version 3 while it leaves, and fails, ends it: nothing else could tell the frontend")
    func failsWhileLeaving() {
        var session = welcomed()
        _ = session.stop(now: at(.zero))
        #expect(session.receive(.request(.batch(7)), in: .three, now: at(.zero)) == .run(.batch(7)))
        #expect(session.finished(batch: 7, ofSession: 0, .failure(), now: at(.zero)) == .finish(last: nil))
    }

    @Test("A frontend that forgets it while it leaves gets no registration")
    func forgottenWhileLeaving() {
        var session = welcomed()
        _ = session.stop(now: at(.zero))
        #expect(session.receive(.welcome(welcome), now: at(.zero)) == .finish(last: nil))
        var busy = welcomed()
        _ = busy.receive(.request(.batch(7)), now: at(.zero))
        _ = busy.stop(now: at(.zero))
        // It has forgotten the batch, too: nobody waits for its answer.
        #expect(busy.receive(.welcome(welcome), now: at(.zero)) == .finish(last: nil))
        var refused = welcomed()
        _ = refused.receive(.request(.batch(7)), now: at(.zero))
        _ = refused.stop(now: at(.zero))
        #expect(refused.receive(.refused(Refusal(.inputTypeMismatch)), now: at(.zero)) == .finish(last: nil))
    }

    @Test("Refused without a pause it takes the shortest one")
    func refusedWithoutPause() {
        var session = offering()
        _ = session.receive(.refused(Refusal(.inputTypeMismatch, retryAfter: .zero)), now: at(.zero))
        #expect(session.deadline == at(.milliseconds(100)))
    }

    @Test("An answered batch ends the growth of the pause, also where the answer is that it failed")
    func failureIsAnswer() {
        var session = welcomed()
        let error = WireError(.countMismatch, frame: 6, expected: "1", found: "2")
        for _ in 0..<3 {
            _ = session.receive(malformed: error, now: at(.zero))
            _ = session.tick(now: session.deadline ?? at(.zero))
            _ = session.connected(now: at(.zero))
            _ = session.receive(.welcome(welcome), in: .four, now: at(.zero))
        }
        _ = session.receive(.request(.batch(7)), in: .four, now: at(.zero))
        _ = session.finished(batch: 7, ofSession: session.number, .failure(), now: at(.zero))
        _ = session.receive(malformed: error, now: at(.zero))
        #expect(session.deadline == at(.milliseconds(100)))
    }

    @Test("When the frontend goes, the next session begins; when an operator has drained it, it ends")
    func frontendGoes() {
        var session = welcomed()
        let goodbye = Goodbye(.restarting, reason: "new version")
        #expect(session.receive(.goodbye(goodbye), now: at(.zero)) == .close(.goodbye(goodbye)))
        #expect(session.tick(now: at(.seconds(1))) == .open)
        #expect(session.version == .three)
        var drained = welcomed()
        #expect(drained.receive(.goodbye(Goodbye(.drained)), now: at(.zero)) == .finish(last: nil))
    }

    @Test("Feedback, notices and acceptance ask for nothing")
    func asksForNothing() {
        var session = welcomed()
        let feedback = FeedbackMessage(id: 1, inputs: InputValues(elements: .float64([1]), rowEnds: [1]), labels: ["a"])
        for message in [.feedback(feedback), .notice(type: 300), .accepted(replica: 3)] as [FrontendMessage] {
            #expect(session.receive(message, now: at(.zero)) == .none)
        }
    }

    @Test("Its routing id offers version 4, and is another one each time")
    func routingIDs() {
        var generator = SplitMix64(seed: 1)
        let first = RoutingID.offeringVersion4(using: &generator)
        #expect(first.offersVersion4)
        #expect(first.bytes.count == 37)
        // A frontend takes two containers of one id for one, and libzmq turns the second away.
        let others = (0..<1_000).map { _ in RoutingID.offeringVersion4(using: &generator) }
        #expect(Set(others + [first]).count == 1_001)
        #expect(!RoutingID(Array("rpc3-".utf8)).offersVersion4)
    }

    @Test("The times of a welcome end with its session")
    func timesEndWithTheSession() throws {
        let registration = Registration(
            modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four)
        var session = ContainerSession(registration, now: at(.zero))
        _ = session.tick(now: at(.zero))
        _ = session.connected(now: at(.zero))
        let welcome = Welcome(heartbeatInterval: .seconds(1), silenceLimit: .seconds(4))
        _ = session.receive(.welcome(welcome), in: .four, now: at(.zero))
        #expect(session.disconnected(now: at(.seconds(1))) == .close(.disconnected))
        let due = try #require(session.deadline)
        #expect(session.tick(now: due) == .open)
        // Nobody answers there for as long as the container itself waits.
        #expect(session.deadline == due + SessionTiming.standard.silenceLimit)
    }
}
