import Synchronization
import Testing

@testable import clipper

/// Refuses connections so many times, and then answers.
private final class StartingFrontend: FrontendTransport {
    private let refusalsLeft: Mutex<Int>
    private let refusal: NoAnswerError
    let asked = Atomic(0)

    init(refusals: Int, by refusal: NoAnswerError = .refused) {
        refusalsLeft = Mutex(refusals)
        self.refusal = refusal
    }

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        asked.add(1, ordering: .relaxed)
        let refuses = refusalsLeft.withLock { left in
            left -= 1
            return left >= 0
        }
        if refuses { throw refusal }
        return FrontendReply(status: 200, body: "PONG")
    }
}

@Suite("Asking a frontend that is just starting")
struct PatientTransportTests {
    private let ping = FrontendRequest(method: "GET", path: ["admin", "ping"], body: nil)

    private func ask(_ frontend: some FrontendTransport, retries: Int) async throws -> FrontendReply {
        try await PatientTransport(base: frontend, retries: retries, pause: .zero)
            .reply(to: ping, at: FrontendAddress("http://127.0.0.1:1338"), patience: .seconds(1))
    }

    @Test("What is refused while the ports are not there yet is asked again")
    func asksAgain() async throws {
        let frontend = StartingFrontend(refusals: 3)
        #expect(try await ask(frontend, retries: 3).body == "PONG")
        #expect(frontend.asked.load(ordering: .relaxed) == 4)
    }

    @Test("Where nobody comes to listen it ends as refused")
    func givesUp() async throws {
        let frontend = StartingFrontend(refusals: 100)
        await #expect(throws: NoAnswerError.refused) { try await ask(frontend, retries: 3) }
        #expect(frontend.asked.load(ordering: .relaxed) == 4)
    }

    @Test("Nobody waits longer than their patience, however many tries are left")
    func isNotMorePatient() async throws {
        let frontend = StartingFrontend(refusals: 100)
        let transport = PatientTransport(base: frontend, retries: 50, pause: .milliseconds(1))
        await #expect(throws: NoAnswerError.refused) {
            try await transport.reply(
                to: ping, at: FrontendAddress("http://127.0.0.1:1338"), patience: .milliseconds(3))
        }
        #expect(frontend.asked.load(ordering: .relaxed) == 4)
    }

    @Test("A request that may have arrived is not sent twice", arguments: [NoAnswerError.silent, .other("closed")])
    func asksOnce(error: NoAnswerError) async throws {
        let frontend = StartingFrontend(refusals: 1, by: error)
        await #expect(throws: error) { try await ask(frontend, retries: 3) }
        #expect(frontend.asked.load(ordering: .relaxed) == 1)
    }
}
