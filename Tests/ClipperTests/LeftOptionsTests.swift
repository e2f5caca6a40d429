import QueryFrontend
import Testing

@testable import clipper

@Suite("What a new version of a model has not")
struct LeftOptionsTests {
    private func before(_ batching: Batching? = Batching(), cache: Bool? = true, labels: [String] = [])
        -> RegisteredModel
    {
        RegisteredModel(
            name: "m", version: "1", inputType: "doubles", labels: labels, containerName: "c", modelDataPath: "p",
            isCurrent: true, batching: batching.map(BatchingDescription.init), cache: cache)
    }

    private func left(
        _ before: RegisteredModel, beside batching: Batching = Batching(), cache: Bool = true, labels: [String] = []
    ) -> [String] {
        LeftOptions(of: before, beside: batching, cache: cache, labels: labels).options
    }

    @Test("Each option of the version before is told as it is written")
    func all() {
        let batching = Batching(
            limit: .aimd(increase: 4, backoff: 0.9), maxDelay: .milliseconds(2), maxBatch: 512)
        #expect(
            left(before(batching, cache: false, labels: ["a", "b c"])) == [
                "--batching 'aimd(4,0.9)'", "--max-delay 2ms", "--max-batch 512", "--no-cache", "--label a 'b c'",
            ])
    }

    @Test("What is as it is by default, or was given anew, is not told")
    func nothing() {
        #expect(left(before()).isEmpty)
        let new = Batching(limit: .fixed(16), maxDelay: .milliseconds(1), maxBatch: 16)
        let old = Batching(limit: .fixed(8), maxDelay: .milliseconds(2), maxBatch: 8)
        #expect(left(before(old, cache: false, labels: ["a"]), beside: new, cache: false, labels: ["b"]).isEmpty)
        #expect(LeftOptions(of: before(), beside: Batching(), cache: true, labels: []).advice(for: id) == nil)
    }

    @Test("What the new version's options would contradict is not told")
    func contradictory() {
        #expect(left(before(Batching(maxBatch: 64)), beside: Batching(limit: .fixed(100))).isEmpty)
        #expect(left(before(Batching(limit: .fixed(64))), beside: Batching(maxBatch: 32)).isEmpty)
    }

    @Test("What a frontend does not tell is not missed")
    func untold() {
        #expect(left(before(nil, cache: nil)).isEmpty)
    }

    @Test("The advice names both versions, and how to give the options after all")
    func advice() {
        let left = LeftOptions(of: before(cache: false), beside: Batching(), cache: true, labels: [])
        #expect(
            left.advice(for: id) == """
                m:1 has --no-cache, which m:2 has not: options are each version's own. To give them: \
                `clipper model set m 2 --no-cache`
                """)
    }

    private let id = ModelVersion(name: "m", version: "2")
}
