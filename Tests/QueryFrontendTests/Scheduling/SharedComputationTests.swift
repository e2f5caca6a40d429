import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: equal queries share one computation")
struct SharedComputationTests {
    /// All queries ask the same.
    private func equalQueries(replicas: Int = 1) -> SchedulerUnderTest {
        var test = SchedulerUnderTest(replicas: replicas)
        test.group = { _ in 0 }
        return test
    }

    @Test("Equal queries that come together are computed once, and each gets the output")
    func together() throws {
        var test = equalQueries()
        test.submit(1, 2, 3)
        let batch = try #require(test.dispatch().first)
        #expect(batch.items == [0])
        test.complete(batch)
        #expect(test.outcomes == [1: .output("0"), 2: .output("0"), 3: .output("0")])
        #expect(test.computed == ["0"])
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).shared == 2)
    }

    @Test("A query joins an equal one that is in flight")
    func inFlight() throws {
        var test = equalQueries()
        test.submit(1)
        let batch = try #require(test.dispatch().first)
        test.submit(2)
        #expect(test.dispatch().isEmpty)
        test.complete(batch)
        #expect(test.outcomes == [1: .output("0"), 2: .output("0")])
    }

    @Test("Nobody waits for what a new replica was given first, where another one is well")
    func firstBatch() throws {
        var test = SchedulerUnderTest(limit: 1)
        test.group = { $0 % 1000 }
        test.submit(1)
        test.complete(try #require(test.dispatch().first), now: .milliseconds(10))
        test.addReplica(1, now: .milliseconds(10))
        test.submit(2, due: .seconds(9), now: .milliseconds(10))
        #expect(try #require(test.dispatch(now: .milliseconds(10)).first).replica == 1)
        test.submit(1002, due: .seconds(9), now: .milliseconds(20))
        let anew = try #require(test.dispatch(now: .milliseconds(20)).first)
        #expect(anew.items == [2] && anew.replica == 0)
        test.complete(anew, now: .milliseconds(30))
        #expect(test.outcomes[1002] == .output("2") && test.outcomes[2] == nil)
        test.submit(3, 1003, due: .seconds(9), now: .milliseconds(30))
        #expect(test.dispatch(now: .milliseconds(30)).map(\.items) == [[3]], "equal ones share elsewhere as ever")
    }

    @Test("Queries with other inputs are computed apart, and so are equal ones that may not be shared")
    func apart() {
        var test = SchedulerUnderTest()
        test.group = { $0 / 2 }
        test.submit(0, 1, 2)
        #expect(test.dispatch().map(\.items) == [[0, 1]])
        test.group = nil
        test.submit(7, 7)
        #expect(test.dispatch().map(\.items) == [[7, 7]])
    }

    @Test("Each of them has its own deadline: the first to be due does not end the others' wait")
    func ownDeadlines() throws {
        var test = equalQueries()
        test.submit(1, due: .seconds(1))
        let batch = try #require(test.dispatch().first)
        test.submit(2, due: .seconds(3))
        test.submit(3, due: .milliseconds(500))
        test.tick(now: .milliseconds(500))
        #expect(test.outcomes == [3: .defaultOutput(.deadline)])
        test.tick(now: .seconds(1))
        #expect(test.outcomes[1] == .defaultOutput(.deadline))
        #expect(test.outcomes[2] == nil)
        test.complete(batch, now: .seconds(2))
        #expect(test.outcomes[2] == .output("0"))
        #expect(test.answeredAgain.isEmpty)
    }

    @Test("One that joins with an earlier deadline is served by it, also while the first still waits for a replica")
    func earlierDeadline() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.group = { $0 == 1 || $0 == 3 ? 1 : $0 }
        test.submit(0)
        #expect(test.dispatch().count == 1)
        test.submit(1, due: .seconds(9))
        test.submit(2, due: .seconds(5))
        test.submit(3, due: .seconds(2))
        test.tick(now: .seconds(2))
        #expect(test.outcomes[3] == .defaultOutput(.deadline))
        test.tick(now: .seconds(5))
        #expect(test.outcomes[2] == .defaultOutput(.deadline))
        test.tick(now: .seconds(9))
        #expect(test.outcomes[1] == .defaultOutput(.deadline))
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("An output that comes when nobody waits any more is still worth keeping, and a new query can join before")
    func lateOutput() throws {
        var test = equalQueries()
        test.submit(1, due: .seconds(1))
        let batch = try #require(test.dispatch().first)
        test.tick(now: .seconds(1))
        test.submit(2, due: .seconds(3), now: .seconds(2))
        #expect(test.dispatch(now: .seconds(2)).isEmpty)
        test.complete(batch, now: .milliseconds(2500))
        #expect(test.outcomes == [1: .defaultOutput(.deadline), 2: .output("0")])
        #expect(test.computed == ["0"])
        #expect(test.scheduler.underWayCount(of: SchedulerUnderTest.model) == 0)
    }

    @Test("A computation that fails, fails for the one who asked first; the others get another")
    func failure() throws {
        var test = equalQueries(replicas: 3)
        test.submit(1, 2)
        for _ in 0..<2 {
            let batch = try #require(test.dispatch().first)
            test.removeReplica(batch.replica)
        }
        #expect(test.outcomes == [1: .defaultOutput(.lostTwice)])
        let batch = try #require(test.dispatch().first)
        test.complete(batch)
        #expect(test.outcomes[2] == .output("0"))
    }

    @Test("What ends replicas ends four of them at most, however many ask for it")
    func endsReplicas() throws {
        var test = equalQueries(replicas: 20)
        for item in 1...10 { test.submit(item) }
        var lost = 0
        while let sent = test.dispatch().first {
            test.removeReplica(sent.replica)
            lost += 1
        }
        #expect(lost == 4)
        #expect(test.outcomes.count == 10)
        #expect(test.outcomes.values.allSatisfy { $0 == .defaultOutput(.lostTwice) })
        // Who comes later is somebody else.
        test.submit(11)
        #expect(test.dispatch().count == 1)
    }

    @Test("Those who share take a place each: beyond the most that may wait they are turned away")
    func bounded() throws {
        var test = SchedulerUnderTest(queuedQueries: 2)
        test.group = { _ in 0 }
        test.submit(1, 2, 3)
        #expect(test.outcomes == [3: .defaultOutput(.queueFull)])
        let batch = try #require(test.dispatch().first)
        // In flight it takes no place in the queue; those who share it still do.
        test.submit(4, 5)
        #expect(test.outcomes[4] == nil)
        #expect(test.outcomes[5] == .defaultOutput(.queueFull))
        test.complete(batch)
        #expect([1, 2, 4].allSatisfy { test.outcomes[$0] == .output("0") })
    }

    @Test("Nobody joins a query that a stuck replica has: another replica computes it")
    func stuck() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2)
        test.group = { $0 }
        var now = Duration.zero
        for round in 0..<40 {
            test.submit(round, due: now + .seconds(1), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10)
            test.complete(batch, now: now)
        }
        test.submit(1000, due: now + .seconds(9), now: now)
        let stuck = try #require(test.dispatch(now: now).first)
        now += .seconds(1)
        test.tick(now: now)
        test.submit(1000, due: now + .seconds(9), now: now)
        let other = try #require(test.dispatch(now: now).first)
        #expect(other.items == [1000])
        #expect(other.replica == 1 - stuck.replica)
        test.complete(other, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
    }

    @Test("Nor one that was to be hedged as its replica got stuck: its hedge may never be sent")
    func stuckBeforeHedge() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2, slotsPerReplica: 1)
        test.scheduler.setApplication(ApplicationHandle(index: 0), hedging: Hedging(quantile: 0.95, maxExtraWork: 1))
        var now = Duration.zero
        for item in 100..<160 {
            test.submit(item, due: now + .seconds(1), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10)
            test.complete(batch, now: now)
        }
        test.group = { $0 < 10 ? 7 : $0 }
        test.submit(1, 50, due: now + .milliseconds(500), now: now)
        let sent = test.dispatch(now: now)
        let stuck = try #require(sent.first { $0.items == [7] })
        let busy = try #require(sent.first { $0.items == [50] })
        for _ in 0..<100 {
            now += .milliseconds(10)
            test.tick(now: now)
            #expect(test.dispatch(now: now).isEmpty)
        }
        #expect(test.outcomes[1] == .defaultOutput(.deadline))
        test.complete(busy, now: now)
        test.submit(2, due: now + .seconds(1), now: now)
        let other = try #require(test.dispatch(now: now).first)
        #expect(other.replica != stuck.replica)
        test.complete(other, now: now)
        #expect(test.outcomes[2] == .output("7"))
    }

    @Test("A query that is joined by one which is due sooner is sent before what is due between the two")
    func movesForward() throws {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.group = { $0 == 1 || $0 == 3 ? 1 : $0 }
        test.submit(0)
        let first = try #require(test.dispatch().first)
        test.submit(1, due: .seconds(9))
        test.submit(2, due: .seconds(5))
        test.submit(3, due: .seconds(2))
        test.complete(first)
        #expect(test.dispatch().map(\.items) == [[1]])
    }

    @Test("Who asked first, and is due after one who joined, gets the default in time, in flight as well")
    func formerFirst() throws {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.group = { $0 > 0 ? 1 : 0 }
        test.submit(0)
        let first = try #require(test.dispatch().first)
        test.submit(1, due: .seconds(9))
        test.submit(2, due: .seconds(2))
        test.complete(first)
        #expect(test.dispatch().map(\.items) == [[1]])
        test.tick(now: .seconds(2))
        #expect(test.outcomes[2] == .defaultOutput(.deadline))
        test.tick(now: .seconds(9))
        #expect(test.outcomes[1] == .defaultOutput(.deadline))
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("However many have shared meanwhile, those who share what is in flight get the default in time")
    func manyShare() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2, slotsPerReplica: 1)
        test.group = { $0 < 10 ? 7 : $0 / 2 }
        test.submit(1, due: .seconds(1))
        let slow = try #require(test.dispatch().first)
        test.submit(2, due: .seconds(2))
        test.submit(3, due: .seconds(3))
        for item in 10..<5010 {
            test.submit(2 * item, 2 * item + 1, due: .seconds(9))
            let batch = try #require(test.dispatch().first)
            #expect(batch.replica != slow.replica)
            test.complete(batch)
        }
        for item in 1...3 {
            test.tick(now: .seconds(item))
            #expect(test.outcomes[item] == .defaultOutput(.deadline))
        }
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("What is late is not joined any more where another replica can answer")
    func late() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2, slotsPerReplica: 2)
        test.group = { $0 % 1000 }
        var now = try test.rehearse()
        test.submit(500, due: now + .milliseconds(100), now: now)
        let frozen = try #require(test.dispatch(now: now).first)
        now += .milliseconds(15)
        test.submit(1500, due: now + .milliseconds(100), now: now)
        #expect(test.dispatch(now: now).isEmpty)
        now += .milliseconds(10)
        test.submit(2500, due: now + .milliseconds(20), now: now)
        let other = try #require(test.dispatch(now: now).first)
        #expect(other.replica != frozen.replica)
        test.complete(other, now: now + .milliseconds(10))
        #expect(test.outcomes[2500] == .output("500"))
        test.complete(frozen, now: now + .milliseconds(20))
        #expect(test.outcomes[500] == .output("500") && test.outcomes[1500] == .output("500"))
    }
}
