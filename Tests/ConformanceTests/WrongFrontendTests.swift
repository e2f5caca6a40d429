import ContainerConformance
import ContainerRPC
import TestSupport
import Testing

/// A fault of a frontend, the scenario that is there to find it, and a part of what that says.
///
/// These are the scenarios that need no query: those that do are played against the frontend of this package by the
/// end-to-end tests.
struct KnownFrontendFlaw: Sendable, CustomTestStringConvertible {
    let flaw: WrongFrontend.Flaw
    let scenario: String
    let version: RPCVersion
    let telling: String

    init(_ flaw: WrongFrontend.Flaw, _ scenario: String, _ version: RPCVersion, _ telling: String) {
        self.flaw = flaw
        self.scenario = scenario
        self.version = version
        self.telling = telling
    }

    var testDescription: String { "\(flaw.rawValue), \(version)" }

    static let all: [KnownFrontendFlaw] = [
        KnownFrontendFlaw(.answersNothing, "first-heartbeat", .three, "expected an answer to a heartbeat"),
        KnownFrontendFlaw(.answersNothing, "first-heartbeat", .four, "expected an answer to a heartbeat"),
        KnownFrontendFlaw(.keepsStrangersAlive, "first-heartbeat", .three, "expected request-metadata"),
        KnownFrontendFlaw(.keepsStrangersAlive, "first-heartbeat", .four, "expected welcome"),
        KnownFrontendFlaw(.shortSilenceLimit, "first-heartbeat", .four, "at least twice the heartbeat interval"),
        KnownFrontendFlaw(.surplusFrame, "first-heartbeat", .three, "surplus-frame in frame 4"),
        KnownFrontendFlaw(.surplusFrame, "first-heartbeat", .four, "surplus-frame in frame 1"),
        KnownFrontendFlaw(.sendsFourToThree, "first-heartbeat", .three, "to a container that does not offer RPC 4"),
        KnownFrontendFlaw(.acceptsAnything, "malformed-register", .four, "expected refused with the code 4"),
        KnownFrontendFlaw(.acceptsAnything, "unknown-mandatory-field", .four, "expected refused with the code 2"),
        KnownFrontendFlaw(.refusesWithAnotherCode, "unknown-mandatory-field", .four, "the frontend sent: refused 5"),
    ]
}

@Suite struct WrongFrontendTests {
    @Test(arguments: KnownFrontendFlaw.all)
    func `a wrong frontend fails the scenario for its fault, which the message names`(_ known: KnownFrontendFlaw)
        async throws
    {
        let results = try await played(known.flaw, only: [known.scenario], version: known.version)
        guard case .failed(let message) = try #require(results.first).verdict else {
            Issue.record("\(known.scenario) says \(results[0].verdict)")
            return
        }
        #expect(message.contains(known.telling))
    }

    @Test(arguments: [RPCVersion.three, .four])
    func `a right frontend fails none of these`(_ version: RPCVersion) async throws {
        let names = ["first-heartbeat", "malformed-register", "unknown-mandatory-field"]
        let results = try await played(.none, only: names, version: version)
        #expect(results.count == (version == .four ? 3 : 1))
        for result in results { #expect(!result.verdict.isFailure, "\(result.title): \(result.remark)") }
    }

    @Test func `a frontend whose administration nobody answers is a failure that names the address`() async throws {
        let results = try await played(.none, only: ["registration"], version: .three)
        #expect(results.first?.remark == "nobody answers at http://127.0.0.1:1")
    }

    private func played(
        _ flaw: WrongFrontend.Flaw, only: [String], version: RPCVersion
    ) async throws -> [ScenarioResult] {
        let frontend = try WrongFrontend(flaw)
        defer { frontend.stop() }
        // Nothing listens at port 1.
        let nobody = HTTPAddress(host: "127.0.0.1", port: 1)
        var options = FrontendRun.Options(rpcEndpoint: frontend.endpoint, query: nobody, administration: nobody)
        options.versions = [version]
        options.requiresVersion4 = true
        options.only = only
        options.bounds = Bounds(answer: .seconds(8))
        let run = FrontendRun(options)
        return await turnstile.pass { await run.run() }
    }
}
