import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("What is counted")
struct MeteringTests {
    private var metrics = FrontendMetrics(now: at(.zero))
    private let application = ApplicationHandle(index: 3)
    private let sum = ModelHandle(index: 2)

    @Test("What is recorded of something that is not registered leaves nothing")
    mutating func unregistered() {
        metrics.completed(1, of: sum, in: .milliseconds(1), now: at(.zero))
        metrics.noteLookup(of: sum)
        metrics.sent(arrivals: [at(.zero)], of: sum, now: at(.zero))
        metrics.applications[application]?.record(.output([]), after: .zero, now: at(.zero))
        #expect(metrics.models.values.isEmpty)
        #expect(metrics.applications.values.isEmpty)
    }

    @Test("Noting what exists already keeps its counts")
    mutating func notesAgain() {
        metrics.noteModel(sum, .sum, now: at(.zero))
        metrics.completed(5, of: sum, in: .milliseconds(1), now: at(.zero))
        metrics.noteModel(sum, .sum, now: at(.seconds(1)))
        #expect(metrics.models[sum]?.queries == 5)
        #expect(metrics.aggregateThroughput.count == 5)
    }

    @Test("What happened to a deleted model's queries counts for the frontend still")
    mutating func deletedModels() {
        metrics.noteModel(sum, .sum, now: at(.zero))
        metrics.completed(5, of: sum, in: .milliseconds(1), now: at(.zero))
        metrics.noteLookup(of: sum)
        metrics.noteHit(of: sum)
        metrics.forgetModel(sum)
        metrics.noteModel(sum, .sum, now: at(.seconds(1)))
        metrics.completed(2, of: sum, in: .milliseconds(1), now: at(.seconds(1)))
        #expect(metrics.models[sum]?.queries == 2)
        #expect([metrics.totals.queries, metrics.totals.cacheLookups, metrics.totals.cacheHits] == [7, 1, 1])
    }

    @Test("A batch's queries wait each for its own time, and the batch for that of its first")
    mutating func queueTimes() {
        metrics.noteModel(sum, .sum, now: at(.zero))
        metrics.sent(
            arrivals: [at(.milliseconds(2)), at(.milliseconds(1)), at(.milliseconds(3))], of: sum,
            now: at(.milliseconds(4)))
        let times = metrics.models[sum]?.queueTime
        #expect(times?.count == 3)
        #expect(times?.sum == 6000)
        #expect(metrics.queueingDelay.count == 1)
        #expect(metrics.queueingDelay.sum == 3000)
    }

    @Test("A query that was turned away counts as one that got the default output, whatever its request was answered")
    mutating func turnedAway() throws {
        metrics.noteApplication(application, "app", now: at(.zero))
        for reason in [DefaultReason.queueFull, .predictedLate, .deadline] {
            metrics.applications[application]?.record(.defaultOutput(reason), after: .zero, now: at(.zero))
        }
        let values = try #require(metrics.applications[application])
        #expect([values.queries, values.defaultCount, values.defaults[.queueFull], values.rejected] == [3, 3, 1, 0])
        #expect(values.latency.total.count == 3)
    }

    @Test("Refused requests are counted with their application, however often they are looked at")
    mutating func rejected() {
        let server = QueryServerState()
        metrics.noteApplication(application, "app", now: at(.zero))
        for index in [3, 4, 3] { server.noteRejected(ApplicationHandle(index: index)) }
        for _ in 0..<2 { metrics.noteRejected(server.rejected) }
        #expect(metrics.applications[application]?.rejected == 2)
        #expect(metrics.applications.values.count == 1)
    }
}

@Suite("Tables by handle")
struct HandleTableTests {
    private var table = HandleTable<ModelHandle, String>()

    @Test("A value is found by its handle, whatever came and went before")
    mutating func finds() {
        for index in [5, 0, 9, 2] { table[ModelHandle(index: index)] = "\(index)" }
        table[ModelHandle(index: 0)] = nil
        table[ModelHandle(index: 2)] = nil
        table[ModelHandle(index: 7)] = "7"
        table[ModelHandle(index: 9)]? += "!"
        let found = (0..<12).map { table[ModelHandle(index: $0)] }
        #expect(found == [nil, nil, nil, nil, nil, "5", nil, "7", nil, "9!", nil, nil])
        #expect(Set(table.values) == ["5", "7", "9!"])
    }

    @Test("Looking for what is not there, or removing it, adds nothing")
    mutating func misses() {
        table[ModelHandle(index: 3)]? += "x"
        table[ModelHandle(index: 3)] = nil
        table[ModelHandle(index: -1)] = "x"
        #expect(table.values.isEmpty)
    }
}
