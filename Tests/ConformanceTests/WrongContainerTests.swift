import ContainerConformance
import ContainerRPC
import Foundation
import TestSupport
import Testing

/// A fault of a container, the scenario that is there to find it, and a part of what that says.
struct KnownFlaw: Sendable, CustomTestStringConvertible {
    let flaw: String
    let scenario: String
    let version: RPCVersion
    let telling: String

    init(_ flaw: String, _ scenario: String, _ version: RPCVersion, _ telling: String) {
        self.flaw = flaw
        self.scenario = scenario
        self.version = version
        self.telling = telling
    }

    var testDescription: String { "\(flaw) in \(version)" }

    static let all: [KnownFlaw] = [
        KnownFlaw("registers-unasked", "registration", .three, "expected a heartbeat as the first message"),
        KnownFlaw("beats-late", "heartbeats-idle", .four, "expected a heartbeat within 1.2 s"),
        KnownFlaw("beats-slowly", "heartbeats-idle", .four, "6 heartbeats within 2.2 s, one every 200 ms"),
        KnownFlaw("beats-once-until-answered", "first-heartbeat-again", .four, "expected the first heartbeat again"),
        KnownFlaw("wrong-id", "batch-of-one", .three, "expected the id of a batch in flight"),
        KnownFlaw("wrong-id", "any-id", .four, "expected the id of a batch in flight"),
        KnownFlaw("wrong-count", "batch-of-5000", .three, "of 5000 inputs, but the response has 4999"),
        KnownFlaw("wrong-count", "batch-of-5000", .four, "of 5000 inputs, but the response has 4999"),
        KnownFlaw("swaps-outputs", "order", .three, "the output in its place is that of input 1"),
        KnownFlaw("swaps-outputs", "order", .four, "the output in its place is that of input 1"),
        KnownFlaw("ignores-version", "other-version", .three, "after a message of version 2: expected another session"),
        KnownFlaw("ignores-version", "other-version", .four, "after a message of version 5: expected another session"),
        KnownFlaw("answers-twice", "queued-batches", .three, "it was answered twice"),
        KnownFlaw("answers-twice", "queued-batches", .four, "it was answered twice"),
        KnownFlaw("skips-batch", "queued-batches", .three, "1 batch had none within"),
        KnownFlaw("answers-forgotten", "forgotten-batches", .three, "which it must not answer (any more)"),
        KnownFlaw("answers-forgotten", "forgotten-batches", .four, "which it must not answer (any more)"),
        KnownFlaw("registers-once", "frontend-restart", .four, "expected register, the answer to welcome"),
        KnownFlaw(
            "dies-at-malformed", "malformed-surplus-frame", .three,
            "the process to live, but it has ended with exit status 1"),
        KnownFlaw("answers-malformed", "malformed-size-mismatch", .three, "which it must not answer"),
        KnownFlaw("answers-malformed", "malformed-offsets-descend", .four, "which it must not answer"),
        KnownFlaw("ignores-malformed", "malformed-surplus-frame", .four, "after a heartbeat with a frame too many"),
        KnownFlaw("wrong-digit", "registration", .three, "unknown-data-type in frame 4"),
        KnownFlaw("nul-after-digit", "registration", .three, "one ASCII digit, 1 byte"),
        KnownFlaw("surplus-frame", "registration", .three, "surplus-frame in frame 6"),
        KnownFlaw("surplus-frame", "registration", .four, "surplus-frame in frame 1"),
        KnownFlaw("no-empty-frame", "batch-of-one", .three, "not-empty in frame 0"),
        KnownFlaw("invalid-utf8", "batch-of-one", .three, "invalid-utf8 in frame 5"),
        KnownFlaw("invalid-utf8", "batch-of-one", .four, "invalid-utf8 in frame 2"),
        KnownFlaw("no-prefix", "registration", .four, "a routing id that begins with rpc4-"),
        KnownFlaw("short-routing-id", "registration", .four, "at least 16 random bytes"),
        KnownFlaw("ignores-welcome", "registration", .four, "expected register, the answer to welcome"),
        KnownFlaw("takes-unknown-fields", "malformed-unknown-field", .four, "which it must not answer"),
        KnownFlaw("refuses-optional-fields", "unknown-optional-field", .four, "the container ended its session"),
        KnownFlaw("refuses-notices", "unknown-notice", .four, "the container ended its session"),
        KnownFlaw("no-goodbye", "sigterm-idle", .four, "expected goodbye before the container ends"),
        KnownFlaw("waits-for-goodbye", "sigterm-without-answer", .four, "expected the process to end after SIGTERM"),
        KnownFlaw("drops-at-stop", "sigterm-under-load", .four, "expected an answer to every batch that came before"),
        KnownFlaw("exit-status", "sigterm-idle", .three, "expected exit status 0"),
        KnownFlaw("exit-status", "sigterm-idle", .four, "expected exit status 0"),
        KnownFlaw("wrong-offsets", "batch-of-one", .four, "offsets in frame 1"),
        KnownFlaw("answers-in-three", "batch-of-one", .four, "expected messages of RPC 4 in a session of RPC 4"),
        KnownFlaw("wrong-errors", "model-fails", .four, "item-errors in frame 3"),
        KnownFlaw("hasty-return", "refused", .four, "expected no new session for another"),
        KnownFlaw("patient-for-ever", "silent-frontend", .four, "the container holds on to the session that it had"),
        KnownFlaw("takes-too-large", "too-large-batch", .four, "expected failure with the code 4"),
        KnownFlaw("takes-wrong-type", "wrong-type", .three, "which it must not answer"),
        KnownFlaw("takes-wrong-type", "wrong-type", .four, "expected failure with the code 2"),
        KnownFlaw("speaks-four-to-three", "fallback", .four, "to a frontend that speaks RPC 3"),
        KnownFlaw("returns-when-drained", "drained", .four, "expected no other session of a drained container"),
        KnownFlaw("dies-at-no-inputs", "no-inputs", .three, "it has ended with exit status 1"),
        KnownFlaw("answers-feedback", "feedback", .three, "which it must not answer"),
        KnownFlaw("answers-feedback", "feedback", .four, "which it must not answer"),
        KnownFlaw("silent-while-busy", "heartbeats-busy", .four, "as beats-while-busy says"),
        KnownFlaw("refuses-empty-input", "empty-inputs", .three, "the container ended its session"),
        KnownFlaw("other-metadata", "metadata-again", .four, "expected the same metadata again"),
        KnownFlaw("dies-at-model-error", "model-fails", .four, "it has ended with exit status 1"),
        KnownFlaw("same-routing-id", "malformed-surplus-frame", .four, "another routing id for another session"),
        KnownFlaw("optional-name", "registration", .four, "the tag 8004 for the field model-name"),
        KnownFlaw("beats-by-receipt", "heartbeats-amid-messages", .four, "whatever the frontend sends meanwhile"),
        KnownFlaw("keeps-welcome-times", "downgrade-times", .four, "the welcome before"),
        KnownFlaw("hasty-return", "refused-without-time", .four, "expected no new session for another"),
        KnownFlaw("answers-goodbye", "goodbye-from-frontend", .four, "expected no answer to a goodbye"),
        KnownFlaw("says-goodbye-twice", "sigterm-idle", .four, "expected one goodbye in a session"),
        KnownFlaw("dies-when-drained", "drained", .four, "expected exit status 0 of a drained container"),
        KnownFlaw("ignores-drained", "drained", .four, "its heartbeats go on"),
        KnownFlaw("silent-while-leaving", "sigterm-without-answer", .four, "while the container leaves"),
        KnownFlaw("registers-while-leaving", "welcome-while-leaving", .four, "but it registered again"),
        KnownFlaw("registers-while-leaving", "metadata-while-leaving", .four, "but it is new container"),
        KnownFlaw("waits-unwelcomed", "sigterm-unwelcomed", .four, "it lives still after"),
        KnownFlaw("deaf-to-second-signal", "sigterm-twice", .four, "it lives still after"),
        KnownFlaw("registers-early", "registration", .four, "expected no metadata before they are asked for"),
        KnownFlaw("registers-twice", "registration", .four, "one register for each welcome, but there was 1 more"),
        KnownFlaw("registers-with-id", "registration", .four, "but the bytes of its id are 01 00 00 00"),
        KnownFlaw("same-ids-each-time", "routing-ids", .four, "expected another routing id for another process"),
        KnownFlaw("few-random-bits", "registration", .four, "it has 16 hexadecimal digits, which are 64 bits"),
        KnownFlaw("waits-for-accepted", "predict-before-accepted", .four, "to a batch that came before accepted"),
        KnownFlaw("ignores-late-refusal", "refused-unprompted", .four, "after refused in a session that was accepted"),
        KnownFlaw("sleeps-through-signal", "sigterm-refused", .four, "it lives still after"),
        KnownFlaw("ends-at-unknown-goodbye", "goodbye-unknown-code", .four, "which is to be taken for 1"),
        KnownFlaw("reads-nanoseconds", "budget", .four, "results of a batch that has 900 ms"),
        KnownFlaw("looks-at-id", "id-without-batch", .four, "the container ended its session"),
        KnownFlaw("reverses-large-batches", "batch-of-5000", .three, "in that of input 4999, as a batch of 4 shows"),
        KnownFlaw("reverses-large-batches", "batch-of-5000", .four, "in that of input 4999, as a batch of 4 shows"),
        KnownFlaw("answers-in-next-session", "stale-batches", .three, "whose session has ended"),
        KnownFlaw("answers-in-next-session", "stale-batches", .four, "whose session has ended"),
        KnownFlaw("drops-at-goodbye", "sigterm-under-load", .four, "an answer to every batch that came before"),
        KnownFlaw("ignores-failure", "model-fails", .four, "an error for the input '[666]'"),
        KnownFlaw("ignores-invalid-utf8", "malformed-invalid-utf8", .three, "after a string that is not UTF-8"),
        KnownFlaw("ignores-invalid-utf8", "malformed-invalid-utf8", .four, "after a string that is not UTF-8"),
        KnownFlaw("ignores-invalid-utf8", "malformed-character-cut", .four, "after a character that is divided"),
        KnownFlaw("ignores-invalid-utf8", "malformed-reason-not-utf8", .four, "after a goodbye whose reason"),
        KnownFlaw("garbles-queued", "queued-batches", .three, "an input alone and while other batches wait"),
        KnownFlaw("garbles-queued", "queued-batches", .four, "an input alone and while other batches wait"),
        KnownFlaw("garbles-ragged", "ragged-rows", .three, "an input alone and among inputs of other lengths"),
        KnownFlaw("garbles-ragged", "ragged-rows", .four, "an input alone and among inputs of other lengths"),
        KnownFlaw("garbles-beside-failure", "model-fails", .four, "an input alone and beside one that fails"),
        KnownFlaw("garbles-beside-large", "input-of-16-mib", .four, "an input alone and beside one of 256 KiB"),
        KnownFlaw("ids-by-process", "routing-ids", .four, "expected at least 16 random bytes in each routing id"),
        KnownFlaw("half-random-ids", "routing-ids", .four, "expected at least 16 random bytes in each routing id"),
        KnownFlaw("names-in-lower-case", "names", .three, "'Sum_é', as CLIPPER_MODEL_NAME says"),
        KnownFlaw("names-in-lower-case", "names", .four, "but it has registered 'sum_é'"),
        KnownFlaw("version-as-number", "names", .four, "but it has registered '7'"),
        KnownFlaw("reads-version-of-16-bits", "malformed-version-of-16-bits", .four, "which it must not answer"),
        KnownFlaw("reads-type-of-16-bits", "unknown-notice", .four, "which it must not answer"),
        KnownFlaw("skips-foreign-field", "malformed-field-of-another-message", .four, "which it must not answer"),
        KnownFlaw("takes-field-twice", "malformed-field-twice", .four, "which it must not answer"),
        KnownFlaw("takes-times-of-zero", "malformed-interval-of-0", .four, "after a welcome with a heartbeat interval"),
        KnownFlaw("takes-times-of-zero", "malformed-limit-of-0", .four, "after a welcome with a silence limit of 0"),
        KnownFlaw("takes-surplus-frames", "malformed-surplus-welcome", .four, "after a welcome with a frame too many"),
        KnownFlaw("takes-surplus-frames", "malformed-surplus-accepted", .four, "after accepted with a frame too many"),
        KnownFlaw("takes-surplus-frames", "malformed-surplus-refused", .four, "after refused with a frame too many"),
        KnownFlaw("takes-surplus-frames", "malformed-surplus-goodbye", .four, "has ended with exit status 0"),
        KnownFlaw("takes-short-offsets", "malformed-offsets-short", .four, "which it must not answer"),
        KnownFlaw("takes-cut-elements", "malformed-element-cut", .four, "which it must not answer"),
        KnownFlaw("answers-behind-malformed", "batch-behind-malformed", .three, "which it must not answer"),
        KnownFlaw("answers-behind-malformed", "batch-behind-malformed", .four, "which it must not answer"),
        KnownFlaw("reads-budget-of-32-bits", "budget", .four, "a budget of 4294967296 µs"),
        KnownFlaw("reads-signed-budget", "budget", .four, "a budget of 9223372036854775808 µs"),
        KnownFlaw("states-nanoseconds", "compute-time", .four, "expected a compute-time in microseconds"),
        KnownFlaw("beats-rarely", "heartbeats-idle", .four, "expected a heartbeat every 1 s"),
        KnownFlaw("double-patience", "silent-frontend", .four, "when the frontend has said nothing for 2 s"),
    ]
}

@Suite struct WrongContainerTests {
    @Test(arguments: KnownFlaw.all)
    func `a wrong container fails the scenario for its fault, which the message names`(_ known: KnownFlaw) async throws
    {
        let results = try await played(known.flaw, only: [known.scenario], version: known.version)
        let result = try #require(results.first)
        #expect(results.count == 1)
        guard case .failed(let message) = result.verdict else {
            Issue.record("\(known.scenario) says \(result.verdict)")
            return
        }
        #expect(message.contains(known.telling))
        #expect(!result.transcript.entries.isEmpty)
    }

    @Test(arguments: [RPCVersion.three, .four])
    func `a container that does not pause between sessions passes with a remark`(_ version: RPCVersion) async throws {
        // On a machine that has much to do a session may begin so late that no pause is missed.
        for _ in 0..<5 {
            let results = try await played("hasty-reconnects", only: ["pauses"], version: version)
            guard case .passed(let note) = try #require(results.first).verdict else {
                Issue.record("it is \(results[0].verdict)")
                return
            }
            if note?.contains("it should pause for 100 ms first") == true { return }
        }
        Issue.record("there is no remark")
    }

    @Test func `a container that does not pause after a goodbye passes with a remark`() async throws {
        for _ in 0..<5 {
            let results = try await played("hasty-after-goodbye", only: ["pauses"], version: .four)
            guard case .passed(let note) = try #require(results.first).verdict else {
                Issue.record("it is \(results[0].verdict)")
                return
            }
            if note?.contains("after the frontend's goodbye: it should pause") == true { return }
        }
        Issue.record("there is no remark")
    }

    @Test func `two processes with the same routing id are told once, whatever is played`() async throws {
        let results = try await played("same-ids-each-time", only: ["fallback", "drained", "refused"], version: .four)
        #expect(results.count { $0.remark.contains("another routing id for another process") } == 1)
        #expect(results.count { $0.verdict.isFailure } == 1)
    }

    @Test func `a container that a heartbeat keeps from its end passes with a remark`() async throws {
        let results = try await played("lingers-alone", only: ["sigterm-alone"], version: .four)
        guard case .passed(let note) = try #require(results.first).verdict else {
            Issue.record("it is \(results[0].verdict)")
            return
        }
        #expect(note?.contains("its linger is to be 500 ms at most") == true)
    }

    @Test(arguments: [("late-goodbye", true), ("none", false)])
    func `a container whose goodbye waits until all is answered passes with a remark`(_ flaw: String, isLate: Bool)
        async throws
    {
        let results = try await played(flaw, only: ["sigterm-under-load"], version: .four, slow: "[4711]")
        guard case .passed(let note) = try #require(results.first).verdict else {
            Issue.record("it is \(results[0].verdict)")
            return
        }
        #expect((note?.contains("its goodbye came after") == true) == isLate, "\(note ?? "")")
    }

    @Test func `where only a large batch takes long, what a busy machine may cause is no fault`() async throws {
        // It is silent for 1.7 s, and 20 s are tolerated.
        let results = try await played(
            "silent-while-busy", only: ["heartbeats-busy"], version: .four, tardiness: .seconds(20))
        // Whether it is skipped or passes is up to what else the machine has to do.
        #expect(results.map(\.verdict.isFailure) == [false], "\(results)")
    }

    @Test func `a container that sends without a pause is given up all the same`() async throws {
        let results = try await played("floods", only: ["batch-of-one"], version: .four, answer: .seconds(3))
        #expect(results.map(\.verdict.isFailure) == [true])
    }

    @Test func `with a single sample input the order is not told, and the reason names the option`() async throws {
        let results = try await played("none", only: ["order"], version: .four, samples: ["[1, 2]"])
        #expect(results.first?.remark.contains("give --sample-input again") == true, "\(results)")
    }

    @Test(arguments: [RPCVersion.three, .four])
    func `a right container fails nothing`(_ version: RPCVersion) async throws {
        // The long ones of RPC 3 are played by the end-to-end tests of the containers that are shipped.
        let names = ListedScenario.ofContainers.map(\.name).filter { name in
            version == .four || !["silent-frontend", "heartbeats-idle", "first-heartbeat-again"].contains(name)
        }
        let results = try await played("none", only: names, version: version, jobs: 4)
        #expect(results.count > 40)
        for result in results {
            #expect(
                !result.verdict.isFailure,
                "\(result.title): \(result.remark)\n\(result.transcript.lines.joined(separator: "\n"))")
        }
        #expect(results.count { if case .passed = $0.verdict { true } else { false } } > 35)
    }

    @Test func `a container that offers only RPC 3 has nothing to fail in RPC 4, unless that was asked for`()
        async throws
    {
        let results = try await played("no-prefix", only: ["registration"], version: .four, requiresVersion4: false)
        guard case .skipped(let reason) = try #require(results.first).verdict else {
            Issue.record("it is \(results[0].verdict)")
            return
        }
        #expect(reason.contains("does not offer RPC 4"))
    }

    @Test func `a container of RPC 4 alone need not answer a frontend of RPC 3`() async throws {
        let results = try await played(
            "speaks-only-four",
            only: ["registration", "fallback", "frontend-downgrade", "downgrade-times", "frontend-upgrade"],
            version: .four, jobs: 4)
        #expect(results.count == 5)
        for result in results {
            switch result.verdict {
            case .passed: #expect(result.name == "registration")
            case .skipped(let reason): #expect(reason.contains("speaks RPC 4 alone") && result.name != "registration")
            case .failed(let fault): Issue.record("\(result.title): \(fault)")
            }
        }
    }

    @Test(arguments: [false, true])
    func `a container of RPC 4 alone has nothing to fail in RPC 3, unless that was asked for`(isAskedFor: Bool)
        async throws
    {
        let results = try await played(
            "speaks-only-four", only: ["registration", "order"], version: .three, requiresVersion3: isAskedFor)
        #expect(results.map(\.verdict.isFailure) == [isAskedFor, false])
        #expect(
            results.allSatisfy {
                $0.remark.contains(isAskedFor && $0.name == "order" ? "did not register" : "RPC 4 alone")
            })
    }

    @Test func `a container that has spoken RPC 3 before has to go on`() async throws {
        let results = try await played(
            "speaks-three-once", only: ["registration", "malformed-surplus-frame"], version: .three)
        #expect(results.map(\.verdict.isFailure) == [false, true])
        #expect(results.last?.remark.contains("it opened another session") == true)
    }

    private func played(
        _ flaw: String, only: [String], version: RPCVersion, jobs: Int = 1, requiresVersion4: Bool = true,
        requiresVersion3: Bool = false, samples: [String] = [], slow: String? = nil, answer: Duration = .seconds(8),
        tardiness: Duration = .seconds(1)
    ) async throws -> [ScenarioResult] {
        var options = ContainerRun.Options(
            command: try Command([try BuiltProducts.executable("wrong-container").path, flaw]))
        options.only = only
        options.versions = [version]
        options.requiresVersion4 = requiresVersion4
        options.requiresVersion3 = requiresVersion3
        options.jobs = jobs
        options.inputs.failing = "[666]"
        options.inputs.samples = samples
        options.inputs.slow = slow
        // A right answer comes within milliseconds. A fault that is the lack of one is waited for as long as this.
        let isRight = flaw == "none"
        options.bounds = Bounds(answer: isRight ? .seconds(60) : answer, start: .seconds(120))
        if !isRight { (options.bounds.session, options.bounds.tardiness) = (.seconds(9), tardiness) }
        let run = ContainerRun(options)
        return await turnstile.pass { await run.run() }
    }
}
