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

    @Test("What shadows answer later counts towards the bound on bytes, and goes with its query")
    func lateOutputs() {
        let now = MonotonicTime(nanoseconds: 0)
        let each = query().byteCount
        var queries = AnsweredQueries(capacity: 10, capacityBytes: 2 * each + 100, age: .seconds(1))
        queries.insert(query(), id: 1, now: now)
        queries.insert(query(), id: 2, now: now)
        queries.note(String(repeating: "y", count: 90), of: 1, in: 1)
        #expect(queries.byteCount == 2 * each + 90)
        queries.note(String(repeating: "y", count: 90), of: 1, in: 2)
        #expect(queries.byteCount == 2 * each + 90)
        let second = queries.query(2, of: SelectorWorld.application, now: now)
        #expect(second?.members[1].output == nil)
        queries.insert(query(), id: 3, now: now)
        #expect(queries.byteCount == 2 * each)
        let first = queries.query(1, of: SelectorWorld.application, now: now)
        #expect(first == nil)
    }
}
