import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: lost replicas and deleted models")
struct SchedulerLossTests {
    @Test("Queries in flight on a lost replica go to another one")
    func sendsElsewhere() throws {
        var test = SchedulerUnderTest(replicas: 1)
        test.submit(1, 2)
        let first = try #require(test.dispatch().first)
        test.addReplica(1)
        #expect(test.removeReplica(first.replica) == 2)
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).retries == 0)
        let second = try #require(test.dispatch().first)
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).retries == 2)
        #expect(second.items == [1, 2])
        #expect(second.replica == 1 - first.replica)
        test.complete(second)
        #expect(test.outcomes == [1: .output("1"), 2: .output("2")])
    }

    @Test("What a lost replica answers afterwards is for nobody")
    func ignoresLostReplica() throws {
        var test = SchedulerUnderTest(replicas: 2)
        test.submit(1)
        let first = try #require(test.dispatch().first)
        test.removeReplica(first.replica)
        #expect(test.complete(first) == nil)
        #expect(test.outcomes.isEmpty)
    }

    @Test("Queries of a lost replica are sent before those that came later")
    func goesToTheFront() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2, slotsPerReplica: 1)
        test.submit(1, 2, due: .seconds(1))
        let sent = test.dispatch()
        test.submit(3, 4, due: .seconds(2))
        let lost = try #require(sent.first { $0.items == [1] })
        let alive = try #require(sent.first { $0.items == [2] })
        test.removeReplica(lost.replica)
        test.complete(alive)
        #expect(test.dispatch().map(\.items) == [[1]])
    }

    @Test("A query whose second replica is lost too gets the default")
    func givesUpAfterTwoLosses() throws {
        var test = SchedulerUnderTest(replicas: 3)
        test.submit(1)
        for expected in [1, 0] {
            let batch = try #require(test.dispatch().first)
            #expect(test.removeReplica(batch.replica) == expected)
        }
        #expect(test.outcomes == [1: .defaultOutput(.lostTwice)])
        #expect(test.dispatch().isEmpty)
    }

    @Test("A query whose deadline has come with the loss gets the default")
    func respectsDeadline() {
        var test = SchedulerUnderTest(replicas: 1)
        test.submit(1, due: .seconds(1))
        test.submit(2, due: .seconds(2))
        #expect(test.dispatch().count == 1)
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.queriesInFlight == 2)
        test.removeReplica(0, now: .seconds(1))
        #expect(test.outcomes == [1: .defaultOutput(.deadline)])
    }

    @Test("A query that had the default already is not sent again")
    func doesNotRetryAnswered() {
        var test = SchedulerUnderTest(replicas: 2)
        test.submit(1, due: .seconds(1))
        #expect(test.dispatch().map(\.replica) == [0])
        test.tick(now: .seconds(1))
        #expect(test.removeReplica(0, now: .seconds(1)) == 0)
        #expect(test.dispatch(now: .seconds(1)).isEmpty)
        #expect(test.answeredAgain.isEmpty)
    }

    @Test("With no replica left, queries wait for a new one until their deadline")
    func waitsForNewReplica() {
        var test = SchedulerUnderTest(replicas: 1)
        test.submit(1, due: .seconds(1))
        test.submit(2, due: .seconds(2))
        #expect(test.dispatch().count == 1)
        test.removeReplica(0)
        #expect(test.dispatch().isEmpty)
        #expect(test.outcomes.isEmpty)
        test.tick(now: .seconds(1))
        #expect(test.outcomes == [1: .defaultOutput(.deadline)])
        test.addReplica(1)
        #expect(test.dispatch(now: .seconds(1)).map(\.items) == [[2]])
    }

    @Test("Losing a replica that nobody knows changes nothing")
    func ignoresUnknownReplica() {
        var test = SchedulerUnderTest()
        #expect(test.removeReplica(7) == 0)
        test.submit(1)
        #expect(test.dispatch().map(\.replica) == [0])
    }

    @Test("What waits for a model that is deleted gets the default; what is in flight is still answered")
    func deletesModel() throws {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.submit(1, 2)
        let batch = try #require(test.dispatch().first)
        test.scheduler.removeModel(SchedulerUnderTest.model)
        test.takeAnswers()
        #expect(test.outcomes == [2: .defaultOutput(.modelDeleted)])
        test.complete(batch)
        #expect(test.outcomes == [1: .output("1"), 2: .defaultOutput(.modelDeleted)])
        test.submit(3)
        #expect(test.outcomes[3] == .defaultOutput(.noReplica))
    }

    @Test("A query whose replica is lost after its model was deleted gets the default")
    func losesReplicaOfDeletedModel() {
        var test = SchedulerUnderTest()
        test.submit(1)
        #expect(test.dispatch().count == 1)
        test.scheduler.removeModel(SchedulerUnderTest.model)
        test.removeReplica(0)
        #expect(test.outcomes == [1: .defaultOutput(.modelDeleted)])
    }

    @Test("Of a model that is registered again nothing has been counted")
    func countsAnew() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1, queuedQueries: 1)
        test.submit(1)
        #expect(test.dispatch().count == 1)
        test.submit(2, 3)
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).queueFull == 1)
        test.scheduler.removeModel(SchedulerUnderTest.model)
        test.register(Batching(limit: .fixed(1)))
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model) == SchedulingCounters())
    }

    @Test("A model that is registered again is served by the replicas that are there")
    func registersAgain() {
        var test = SchedulerUnderTest()
        test.scheduler.removeModel(SchedulerUnderTest.model)
        test.register(Batching(limit: .fixed(1)))
        test.submit(1)
        #expect(test.dispatch().map(\.items) == [[1]])
    }

    @Test("Whatever happens, every query has exactly one outcome", arguments: 0..<40)
    func everyQueryHasOneOutcome(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var test = SchedulerUnderTest(limit: 3, replicas: 2)
        var inFlight: [SchedulerUnderTest.Sent] = []
        var replicas = [0, 1]
        var (submitted, nextReplica) = (0, 2)
        var now = Duration.zero
        for _ in 0..<400 {
            now += .milliseconds(Int.random(in: 0...5, using: &generator))
            test.tick(now: now)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0..<9:
                let due = now + .milliseconds(Int.random(in: 0...40, using: &generator))
                test.submit(submitted, due: due, now: now)
                submitted += 1
            case 9..<16:
                guard let index = inFlight.indices.randomElement(using: &generator) else { break }
                test.complete(inFlight.remove(at: index), now: now)
            case 16:
                guard let index = replicas.indices.randomElement(using: &generator) else { break }
                let lost = replicas.remove(at: index)
                test.removeReplica(lost, now: now)
            case 17, 18:
                test.addReplica(nextReplica, now: now)
                replicas.append(nextReplica)
                nextReplica += 1
            default:
                test.scheduler.removeModel(SchedulerUnderTest.model)
                test.takeAnswers()
                test.register(Batching(limit: .fixed(3)))
            }
            inFlight += test.dispatch(now: now)
            #expect(submitted == test.outcomes.count + test.scheduler.pendingCount)
        }
        test.tick(now: now + .seconds(1))
        for batch in inFlight { test.complete(batch, now: now + .seconds(1)) }
        #expect(Set(test.outcomes.keys) == Set(0..<submitted))
        #expect(test.answeredAgain.isEmpty)
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("A replica that missed a query twice is one that is lost with it")
    func missedTwice() throws {
        var (test, now) = try SchedulerUnderTest.learned(replicas: 1, slots: 2)
        test.submit(1000, due: now + .seconds(9), now: now)
        _ = try #require(test.dispatch(now: now).first)
        for item in [2000, 2001] {
            now += .milliseconds(10)
            test.submit(item, due: now + .seconds(9), now: now)
            let overtaking = try #require(test.dispatch(now: now).first)
            #expect(overtaking.items == [item])
            now += .milliseconds(10)
            test.complete(overtaking, now: now)
            now += .milliseconds(100)
            test.tick(now: now)
            if item == 2000 { #expect(test.dispatch(now: now).first?.items == [1000]) }
        }
        test.addReplica(7, now: now)
        test.removeReplica(0, now: now)
        #expect(test.outcomes[1000] == nil)
        #expect(test.dispatch(now: now).first?.items == [1000])
    }
}
