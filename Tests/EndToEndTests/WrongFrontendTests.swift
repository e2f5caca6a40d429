import Foundation
import TestSupport
import Testing

/// A fault of a frontend, the scenario of RPC 4 that is there to find it, and a part of what that says.
struct KnownFrontendFlaw: Sendable, CustomTestStringConvertible {
    let flaw: FrontendFlaw
    let scenario: String
    let telling: String

    init(_ flaw: FrontendFlaw, _ scenario: String, _ telling: String) {
        (self.flaw, self.scenario, self.telling) = (flaw, scenario, telling)
    }

    var testDescription: String { flaw.rawValue }

    static let all: [KnownFrontendFlaw] = [
        KnownFrontendFlaw(.statesSeconds, "first-heartbeat", "a heartbeat interval in milliseconds"),
        KnownFrontendFlaw(.statesMicroseconds, "first-heartbeat", "a heartbeat interval in milliseconds"),
        KnownFrontendFlaw(.sendsBatchesFirst, "accepted-first", "expected accepted before the first batch"),
        KnownFrontendFlaw(.numbersIDsBySession, "unique-ids", "expected different ids of two batches in flight"),
        KnownFrontendFlaw(.otherNumber, "registration", "the number by which the frontend lists a"),
        KnownFrontendFlaw(.anotherReplica, "same-metadata-twice", "expected the same replica as before"),
        KnownFrontendFlaw(.ignoresOtherRegister, "other-capacity", "expected at most 1 input in a batch"),
        KnownFrontendFlaw(.keepsRefused, "input-type-mismatch", "expected the session to end after refused"),
        KnownFrontendFlaw(.budgetInMilliseconds, "budget", "expected a budget of most of the 60 s"),
        KnownFrontendFlaw(.padsRows, "ragged-rows", "expected the prediction"),
        KnownFrontendFlaw(.sortsRows, "ragged-rows", "expected the prediction"),
        KnownFrontendFlaw(.optionalItemType, "registration", "expected the tag 8010 for the field item-type"),
        KnownFrontendFlaw(.mandatoryReplica, "registration", "expected the tag 000c for the field replica"),
        KnownFrontendFlaw(.acceptsWithID, "registration", "expected the id 0 in a message that belongs to no batch"),
        KnownFrontendFlaw(.saysGoodbyeTwice, "goodbye", "expected one goodbye in a session"),
        KnownFrontendFlaw(.failsUnavailableItem, "unavailable-item", "expected a batch for b or a"),
        KnownFrontendFlaw(.sendsTooLargeAgain, "too-large", "half of the batch that was too large"),
        KnownFrontendFlaw(.sendsTooLargeAgain, "too-large-input", "it was sent again and again"),
    ]
}

@Suite("A wrong frontend")
struct WrongFrontendTests {
    @Test("Fails the scenario for its fault, which the message names", arguments: KnownFrontendFlaw.all)
    func fails(_ known: KnownFrontendFlaw) async throws {
        let (status, output) = try await played(known.flaw, [known.scenario])
        #expect(status == 1)
        #expect(output.contains(known.telling), "\(output)")
    }

    @Test("A right one behind the same proxy fails none of these")
    func right() async throws {
        let names = Set(KnownFrontendFlaw.all.map(\.scenario)).sorted()
        let (status, output) = try await played(.none, names)
        #expect(status == 0, "\(output)")
        #expect(output.contains("\(names.count) passed, 0 failed, 0 skipped"), "\(output)")
    }

    @Test("One that speaks RPC 4 alone need not answer containers of RPC 3")
    func fourAlone() async throws {
        let names = ["registration", "no-offer", "registers-in-rpc-3", "mixed-fleet"]
        let (status, output) = try await played(.speaksFourAlone, names)
        #expect(status == 0, "\(output)")
        #expect(output.contains("1 passed, 0 failed, 3 skipped"), "\(output)")
    }

    /// What becomes of these scenarios of RPC 4: the kit's exit code, and what it prints.
    private func played(_ flaw: FrontendFlaw, _ names: [String]) async throws -> (Int32?, String) {
        var result: (Int32?, String) = (nil, "")
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let proxy = try MeddlingProxy(flaw, before: frontend.rpc)
            defer { proxy.stop() }
            let port = try #require(proxy.endpoint.split(separator: ":").last)
            let kit = try processes.start(
                "clipper",
                [
                    "conformance", "frontend", "--rpc", "4", "--only", names.joined(separator: ","), "--rpc-port",
                    "\(port)", "--query", "http://\(frontend.query)", "--admin", "http://\(frontend.admin)",
                    "--timeout", flaw == .none ? "60s" : "8s",
                ])
            let status = try await kit.exitStatus(within: .seconds(300))
            result = (status, kit.standardOutput)
        }
        return result
    }
}
