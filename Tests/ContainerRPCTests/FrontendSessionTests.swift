import ContainerRPC
import Testing

@Suite("A frontend's session")
struct FrontendSessionTests {
    /// A session whose container registered when the test began.
    private func registered(_ registration: Registration = .sum) -> FrontendSession {
        var session = FrontendSession(now: at(.zero))
        #expect(session.receive(.newContainer(registration), now: at(.zero)) == .register(registration))
        return session
    }

    // MARK: Registration

    @Test("A heartbeat of an unknown container is answered with a request for its metadata")
    func unknownHeartbeat() {
        var session = FrontendSession(now: at(.zero))
        #expect(session.receive(.heartbeat, now: at(.zero)) == .send(.requestMetadata))
        #expect(session.registration == nil)
    }

    @Test("Every heartbeat is answered, also while the metadata are under way")
    func everyHeartbeat() {
        var session = FrontendSession(now: at(.zero))
        #expect(session.receive(.heartbeat, now: at(.zero)) == .send(.requestMetadata))
        #expect(session.receive(.heartbeat, now: at(.zero)) == .send(.requestMetadata))
    }

    @Test("Metadata register the container, without a heartbeat before them")
    func registration() {
        var session = FrontendSession(now: at(.zero))
        #expect(session.receive(.newContainer(.sum), now: at(.zero)) == .register(.sum))
        #expect(session.registration == .sum)
    }

    @Test("A heartbeat of a registered container is answered with keep-alive")
    func knownHeartbeat() {
        var session = registered()
        #expect(session.receive(.heartbeat, now: at(.seconds(5))) == .send(.keepAlive))
    }

    @Test("The same metadata twice are one replica")
    func sameMetadata() {
        var session = registered()
        #expect(session.receive(.newContainer(.sum), now: at(.seconds(1))) == .none)
        #expect(session.registration == .sum)
    }

    @Test(
        "Other metadata end the session",
        arguments: [
            Registration(modelName: "product", modelVersion: "1", inputType: .float64),
            Registration(modelName: "sum", modelVersion: "2", inputType: .float64),
            Registration(modelName: "sum", modelVersion: "1", inputType: .float32),
        ])
    func otherMetadata(_ other: Registration) {
        var session = registered()
        #expect(session.receive(.newContainer(other), now: at(.seconds(1))) == .end(.replaced))
    }

    @Test("A name that only looks the same is another one")
    func lookAlike() {
        var session = registered(Registration(modelName: "caf\u{e9}", modelVersion: "1", inputType: .string))
        let other = Registration(modelName: "cafe\u{301}", modelVersion: "1", inputType: .string)
        #expect(session.receive(.newContainer(other), now: at(.seconds(1))) == .end(.replaced))
    }

    // MARK: Batches

    @Test("A response to a batch in flight completes it")
    func response() {
        var session = registered()
        session.sent(batch: 7, inputCount: 2, now: at(.zero))
        #expect(session.batchesInFlight == 1)
        let response = PredictResponse(id: 7, outputs: ["3.0", "0.5"])
        #expect(session.receive(.response(response), now: at(.seconds(1))) == .complete(response))
        #expect(session.batchesInFlight == 0)
    }

    @Test("Responses are matched by id, not by order")
    func responsesOutOfOrder() {
        var session = registered()
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        session.sent(batch: 8, inputCount: 2, now: at(.zero))
        let second = PredictResponse(id: 8, outputs: ["a", "b"])
        let first = PredictResponse(id: 7, outputs: ["c"])
        #expect(session.receive(.response(second), now: at(.seconds(1))) == .complete(second))
        #expect(session.receive(.response(first), now: at(.seconds(1))) == .complete(first))
    }

    @Test("A response with an id that is not in flight is ignored, and the session goes on")
    func unknownID() {
        var session = registered()
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        #expect(session.receive(.response(8, ["1"]), now: at(.seconds(1))) == .ignore(unknownID: 8))
        #expect(session.batchesInFlight == 1)
        #expect(session.receive(.heartbeat, now: at(.seconds(2))) == .send(.keepAlive))
    }

    @Test("A second response to the same batch is ignored")
    func secondResponse() {
        var session = registered()
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        let response = PredictResponse(id: 7, outputs: ["1"])
        #expect(session.receive(.response(response), now: at(.seconds(1))) == .complete(response))
        #expect(session.receive(.response(response), now: at(.seconds(1))) == .ignore(unknownID: 7))
    }

    @Test("A response of a container that has not registered is ignored")
    func responseBeforeRegistration() {
        var session = FrontendSession(now: at(.zero))
        #expect(session.receive(.response(0, ["1"]), now: at(.zero)) == .ignore(unknownID: 0))
    }

    @Test("Too few or too many outputs end the session", arguments: [[], ["1"], ["1", "2", "3"]])
    func wrongOutputCount(_ outputs: [String]) {
        var session = registered()
        session.sent(batch: 7, inputCount: 2, now: at(.zero))
        #expect(
            session.receive(.response(7, Outputs(outputs)), now: at(.seconds(1)))
                == .end(.wrongOutputCount(expected: 2, found: outputs.count)))
    }

    @Test("A malformed message ends the session")
    func malformed() {
        var session = registered()
        let error = WireError(.missingFrame, frame: 1, expected: "a type", found: "the end")
        #expect(session.receive(malformed: error, now: at(.seconds(1))) == .end(.malformed(error)))
    }

    // MARK: Silence

    @Test("A container that is idle and silent for 30 s is given up")
    func silence() {
        let session = registered()
        #expect(session.deadline == at(.seconds(30)))
        #expect(session.tick(now: at(.nanoseconds(29_999_999_999))) == .none)
        #expect(session.tick(now: at(.seconds(30))) == .end(.silent))
    }

    @Test("Whatever a container sends is a sign of life")
    func signsOfLife() {
        var session = registered()
        _ = session.receive(.heartbeat, now: at(.seconds(5)))
        #expect(session.deadline == at(.seconds(35)))
        _ = session.receive(.newContainer(.sum), now: at(.seconds(6)))
        #expect(session.deadline == at(.seconds(36)))
        _ = session.receive(.response(1, []), now: at(.seconds(7)))
        #expect(session.deadline == at(.seconds(37)))
        #expect(session.lastReceived == at(.seconds(7)))
    }

    @Test("A container that is busy with a batch for 45 s, and therefore silent, is not given up")
    func busy() {
        var session = registered()
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        #expect(session.deadline == nil)
        #expect(session.tick(now: at(.seconds(45))) == .none)
        let response = PredictResponse(id: 7, outputs: ["1"])
        #expect(session.receive(.response(response), now: at(.seconds(45))) == .complete(response))
    }

    @Test("The 30 s begin anew with the response to the last batch")
    func silenceAfterResponse() {
        var session = registered()
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        session.sent(batch: 8, inputCount: 1, now: at(.zero))
        _ = session.receive(.response(7, ["1"]), now: at(.seconds(45)))
        #expect(session.deadline == nil)
        _ = session.receive(.response(8, ["1"]), now: at(.seconds(90)))
        #expect(session.tick(now: at(.seconds(119))) == .none)
        #expect(session.tick(now: at(.seconds(120))) == .end(.silent))
    }

    @Test("A peer that never registers is given up as well")
    func silenceBeforeRegistration() {
        var session = FrontendSession(now: at(.zero))
        _ = session.receive(.heartbeat, now: at(.seconds(1)))
        #expect(session.tick(now: at(.seconds(30))) == .none)
        #expect(session.tick(now: at(.seconds(31))) == .end(.silent))
    }

    @Test("The silence limit can be set")
    func timing() {
        let session = FrontendSession(now: at(.zero), timing: SessionTiming(silenceLimit: .seconds(2)))
        #expect(session.deadline == at(.seconds(2)))
    }

    @Test("An end names its reason")
    func reasons() {
        let error = WireError(.unknownType, frame: 1, expected: "0", found: "9")
        #expect(
            "\(FrontendSession.EndReason.malformed(error))"
                == "malformed message: unknown-type in frame 1: expected 0, found 9")
        #expect(
            "\(FrontendSession.EndReason.wrongOutputCount(expected: 2, found: 1))"
                == "1 outputs for a batch of 2 inputs")
    }
}
