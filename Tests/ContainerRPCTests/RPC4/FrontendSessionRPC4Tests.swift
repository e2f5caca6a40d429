import ContainerRPC
import Testing

@Suite("RPC 4: a frontend's session")
struct FrontendSessionRPC4Tests {
    private func registration(beatsWhileBusy: Bool = false) -> Registration {
        var details = RegistrationDetails()
        details.beatsWhileBusy = beatsWhileBusy
        return Registration(
            modelName: "sum", modelVersion: "1", inputType: .float64, rpcVersion: .four, details: details)
    }

    private func registered(beatsWhileBusy: Bool = false) -> FrontendSession {
        let registration = registration(beatsWhileBusy: beatsWhileBusy)
        var session = FrontendSession(now: at(.zero), version: .four)
        #expect(session.receive(.newContainer(registration), now: at(.zero)) == .register(registration))
        return session
    }

    @Test("The same registration again is confirmed again, and is one replica")
    func registersTwice() {
        var session = registered()
        #expect(session.receive(.newContainer(registration()), now: at(.zero)) == .confirm)
    }

    @Test("One that registers in version 3 is spoken to in 3, whatever it offered")
    func registersInVersion3() {
        var session = FrontendSession(now: at(.zero), version: .four)
        #expect(session.receive(.newContainer(.sum), now: at(.zero)) == .register(.sum))
        #expect(session.version == .three)
        #expect(session.receive(.newContainer(.sum), now: at(.zero)) == .none)
    }

    @Test("A failure answers a batch in flight, once")
    func failure() {
        var session = registered()
        session.sent(batch: 7, inputCount: 3, now: at(.zero))
        let failure = BatchFailure(id: 7, code: .tooLate)
        #expect(session.receive(.failure(failure), now: at(.zero)) == .fail(failure))
        #expect(session.receive(.failure(failure), now: at(.zero)) == .ignore(unknownID: 7))
    }

    @Test("One that leaves is released, and has left when its last batch is answered")
    func leaves() {
        var session = registered()
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        #expect(session.receive(.goodbye(Goodbye(.stopping)), now: at(.zero)) == .release(Goodbye(.stopping)))
        #expect(!session.hasLeft)
        #expect(session.receive(.goodbye(Goodbye(.stopping)), now: at(.zero)) == .none)
        _ = session.receive(.response(7, ["1"]), now: at(.zero))
        #expect(session.hasLeft)
    }

    @Test("One that beats while it is busy is given up when it does not")
    func silentWhileBusy() {
        var session = registered(beatsWhileBusy: true)
        session.sent(batch: 7, inputCount: 1, now: at(.zero))
        #expect(session.tick(now: at(.seconds(30))) == .end(.silent))
        var other = registered()
        other.sent(batch: 7, inputCount: 1, now: at(.zero))
        #expect(other.tick(now: at(.seconds(30))) == .none)
    }

    @Test("A registration that cannot be read is refused with the reason; later mistakes end the session")
    func malformed() {
        let unknown = WireError(.unknownField, frame: 0, expected: "fields", found: "field 99")
        var session = FrontendSession(now: at(.zero), version: .four)
        #expect(
            session.receive(malformed: unknown, isRegistration: true, now: at(.zero))
                == .end(.refused(Refusal(.unknownField, reason: unknown.description))))
        let invalid = WireError(.invalidName, frame: 0, expected: "a name", found: "none")
        #expect(
            session.receive(malformed: invalid, isRegistration: true, now: at(.zero))
                == .end(.refused(Refusal(.invalid, reason: invalid.description))))
        var stranger = FrontendSession(now: at(.zero), version: .four)
        #expect(stranger.receive(malformed: invalid, now: at(.zero)) == .end(.malformed(invalid)))
        var known = registered()
        #expect(known.receive(malformed: invalid, now: at(.zero)) == .end(.malformed(invalid)))
    }

    @Test("A registration that cannot be read is refused also after one that holds")
    func malformedAgain() {
        var session = registered()
        let invalid = WireError(.invalidName, frame: 0, expected: "a name", found: "none")
        #expect(
            session.receive(malformed: invalid, isRegistration: true, now: at(.zero))
                == .end(.refused(Refusal(.invalid, reason: invalid.description))))
    }

    @Test("Spoken to in version 3, it cannot be refused: the session ends without a word")
    func malformedInVersion3() {
        var session = FrontendSession(now: at(.zero), version: .four)
        _ = session.receive(.newContainer(.sum), now: at(.zero))
        let invalid = WireError(.invalidName, frame: 0, expected: "a name", found: "none")
        #expect(
            session.receive(malformed: invalid, isRegistration: true, now: at(.zero)) == .end(.malformed(invalid)))
    }
}
