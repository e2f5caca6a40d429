import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Queries that feedback can name")
struct AnsweredQueriesTests {
    private func query() -> AnsweredQueries.Answered {
        AnsweredQueries.Answered(
            application: SelectorWorld.application,
            members: [
                AnsweredQueries.Answered.Member(model: "a", probability: 1, output: "x"),
                AnsweredQueries.Answered.Member(model: "shadow"),
            ], candidates: ["a"])
    }

    @Test("What was put together of the models' answers counts, too")
    func ownOutput() {
        var combined = query()
        combined.output = .text(String(repeating: "x", count: 1_000))
        #expect(combined.byteCount == query().byteCount + 1_000)
    }

    @Test("So do the names of those that could have been chosen")
    func manyCandidates() {
        var bandit = query()
        bandit.candidates = (0..<1_000).map(String.init)
        #expect(bandit.byteCount > query().byteCount + 15_000)
    }

    @Test("What shadows answer later counts towards the bound on bytes, and goes with its query")
    func lateOutputs() {
        let now = MonotonicTime(nanoseconds: 0)
        let each = query().byteCount
        var queries = AnsweredQueries(capacity: 10, capacityBytes: 2 * each + 100, age: .seconds(1))
        queries.insert(query(), id: 1, now: now)
        queries.insert(query(), id: 2, now: now)
        queries.note(String(repeating: "y", count: 90), of: 1, in: 1)
        #expect(queries.byteCount == 2 * each + 90)
        // The oldest makes room, for what is answered later too, and not for itself.
        queries.note(String(repeating: "y", count: 90), of: 1, in: 2)
        #expect(queries.byteCount == each + 90)
        let first = queries.query(1, of: SelectorWorld.application, now: now)
        let second = queries.query(2, of: SelectorWorld.application, now: now)
        #expect(first == nil)
        #expect(second?.members[1].output?.count == 90)
        queries.note(String(repeating: "z", count: 2 * each), of: 1, in: 2)
        #expect(queries.byteCount == each + 90)
        queries.insert(query(), id: 3, now: now)
        #expect(queries.count == 2)
        queries.insert(query(), id: 4, now: now)
        #expect(queries.byteCount == 2 * each)
    }
}
