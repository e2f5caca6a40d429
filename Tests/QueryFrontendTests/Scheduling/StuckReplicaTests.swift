import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: what replicas are judged by, and what a stuck one has")
struct StuckReplicaTests {
    @Test("What goes to another replica because its own was stuck does not come back to that one once it answers")
    func staysAway() throws {
        var (test, start) = try SchedulerUnderTest.learned(slots: 2)
        test.submit(1000, 1001, due: start + .seconds(9), now: start)
        let sent = test.dispatch(now: start)
        test.submit(1002, due: start + .seconds(9), now: start + .milliseconds(9))
        let second = try #require(test.dispatch(now: start + .milliseconds(9)).first)
        let before = try #require(sent.first { $0.replica == second.replica })
        let other = try #require(sent.first { $0.replica != second.replica })
        test.complete(other, now: start + .milliseconds(10))
        test.submit(1003, due: start + .seconds(9), now: start + .milliseconds(58))
        #expect(test.dispatch(now: start + .milliseconds(58)).map(\.replica) == [other.replica])
        test.tick(now: start + .milliseconds(62))
        #expect(test.dispatch(now: start + .milliseconds(62)).isEmpty)
        #expect(test.scheduler.loads[ReplicaID(number: second.replica)]?.state == .stuck)
        test.complete(before, now: start + .milliseconds(63))
        // It fills the other replica.
        test.submit(1004, due: start + .seconds(2), now: start + .milliseconds(67))
        #expect(test.dispatch(now: start + .milliseconds(67)).map(\.items) == [[1004]])
        test.tick(now: start + .milliseconds(72))
        #expect(test.dispatch(now: start + .milliseconds(72)).isEmpty)
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 1)
    }

    @Test("A batch that waited behind another at the replica has taken what it took from that one's end on")
    func latencyBehindAnother() throws {
        var test = SchedulerUnderTest(limit: 1)
        test.submit(1, 2)
        let sent = test.dispatch()
        #expect(sent.count == 2)
        test.complete(sent[0], now: .milliseconds(10))
        test.complete(sent[1], now: .milliseconds(20))
        let load = try #require(test.scheduler.loads[ReplicaID(number: 0)])
        let intercept = try #require(load.intercept)
        let latency = intercept + (try #require(load.slope))
        #expect(abs(latency / .milliseconds(1) - 10) < 0.1)
    }

    /// One replica has had query 1000 for a second, and is called stuck. All queries from 1000 on ask the same.
    private func stuckAlone() throws -> (SchedulerUnderTest, stuck: SchedulerUnderTest.Sent, now: Duration) {
        var test = SchedulerUnderTest(limit: 1, replicas: 1, slotsPerReplica: 1)
        test.group = { min($0, 1000) }
        var now = try test.rehearse()
        test.submit(1000, due: now + .seconds(9), now: now)
        let stuck = try #require(test.dispatch(now: now).first)
        now += .seconds(1)
        test.tick(now: now)
        #expect(test.dispatch(now: now).isEmpty)
        return (test, stuck, now)
    }

    @Test(
        "A stuck replica that is alone is tried now and then: one that lost a batch is well again with its next answer"
    )
    func triedAlone() throws {
        var test = SchedulerUnderTest(limit: 64, replicas: 1, slotsPerReplica: 2)
        var now = try test.rehearse()
        test.submit(1000, due: now + .milliseconds(500), now: now)
        try #require(test.dispatch(now: now).map(\.items) == [[1000]])
        now += .milliseconds(200)
        test.tick(now: now)
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.state == .stuck)
        test.submit(1001, 1002, due: now + .seconds(9), now: now)
        #expect(test.dispatch(now: now).isEmpty)
        #expect(test.dispatch(now: now + .milliseconds(90)).isEmpty)
        // Nobody has to look by chance.
        #expect(try #require(test.scheduler.deadline) <= at(now + .milliseconds(101)))
        now += .milliseconds(101)
        test.tick(now: now)
        let trial = try #require(test.dispatch(now: now).first)
        #expect(trial.items == [1001])
        now += .milliseconds(10)
        test.complete(trial, now: now)
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.state == .active)
        #expect(test.dispatch(now: now).map(\.items) == [[1002]])
        #expect(test.outcomes[1001] == .output("1001"))
    }

    @Test("A stuck replica that refuses what it is tried with is left alone as long as before")
    func refusesTrial() throws {
        var test = SchedulerUnderTest(limit: 64, replicas: 1, slotsPerReplica: 2)
        var now = try test.rehearse()
        test.submit(1000, due: now + .milliseconds(500), now: now)
        try #require(test.dispatch(now: now).count == 1)
        now += .milliseconds(200)
        test.tick(now: now)
        test.submit(1001, 1002, due: now + .seconds(9), now: now)
        now += .milliseconds(101)
        test.tick(now: now)
        let trial = try #require(test.dispatch(now: now).first)
        test.scheduler.fail(batch: trial.id, on: ReplicaID(number: 0), .unavailable, "busy", now: at(now))
        for _ in 0..<9 {
            #expect(test.dispatch(now: now).isEmpty)
            now += .milliseconds(10)
            test.tick(now: now)
        }
        now += .milliseconds(20)
        test.tick(now: now)
        #expect(test.dispatch(now: now).count == 1)
    }

    @Test("A model of which all replicas are stuck is silent, and so is one whose new replica does as the lost one did")
    func silent() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 1, slotsPerReplica: 1)
        let model = SchedulerUnderTest.model
        var now = try test.rehearse()
        #expect(test.scheduler.served.serving(of: model) == .answering)
        test.submit(1000, due: now + .milliseconds(500), now: now)
        try #require(test.dispatch(now: now).count == 1)
        now += .milliseconds(200)
        test.tick(now: now)
        #expect(test.dispatch(now: now).isEmpty)
        #expect(test.scheduler.served.serving(of: model) == .silent)
        now += .seconds(31)
        test.tick(now: now)
        #expect(test.dispatch(now: now).isEmpty)
        test.removeReplica(0, now: now)
        #expect(test.scheduler.served.serving(of: model) == .none)
        // It is tried with one query, and believed again once it answers.
        test.addReplica(1, now: now)
        #expect(test.dispatch(now: now).isEmpty)
        #expect(test.scheduler.served.serving(of: model) == .answering)
        test.submit(1001, due: now + .milliseconds(500), now: now)
        let trial = try #require(test.dispatch(now: now).first)
        #expect(test.scheduler.served.serving(of: model) == .silent)
        test.complete(trial, now: now + .milliseconds(10))
        #expect(test.dispatch(now: now + .milliseconds(10)).isEmpty)
        #expect(test.scheduler.served.serving(of: model) == .answering)
    }

    @Test("A stuck replica beside one that is well gets nothing")
    func notTriedBesideOthers() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 2)
        test.submit(1000, due: now + .seconds(9), now: now)
        let stuck = try #require(test.dispatch(now: now).first)
        now += .milliseconds(200)
        for item in 1001..<1200 {
            test.tick(now: now)
            test.submit(item, due: now + .seconds(1), now: now)
            let sent = test.dispatch(now: now)
            #expect(!sent.contains { $0.replica == stuck.replica })
            now += .milliseconds(20)
            for batch in sent { test.complete(batch, now: now) }
        }
    }

    @Test("Who asks what a stuck replica has is answered by a new one, of which nothing is known yet")
    func asksStuckAgain() throws {
        var (test, _, now) = try stuckAlone()
        test.addReplica(1, now: now)
        test.submit(1001, due: now + .seconds(9), now: now)
        let anew = try #require(test.dispatch(now: now).first)
        #expect(anew.replica == 1)
        test.complete(anew, now: now)
        #expect(test.outcomes[1001] == .output("1000"))
    }

    @Test("What a stuck replica answers when another has long done so is not kept: it may be out of date")
    func lateOutputIsNotKept() throws {
        var (test, stuck, now) = try stuckAlone()
        test.addReplica(1, now: now)
        test.submit(1, due: now + .seconds(9), now: now)
        test.complete(try #require(test.dispatch(now: now).first), now: now + .milliseconds(10))
        now += .milliseconds(10)
        let again = try #require(test.dispatch(now: now).first)
        #expect(again.items == [1000])
        test.complete(again, now: now)
        let kept = test.computed.count
        test.complete(stuck, now: now)
        #expect(test.computed.count == kept)
        #expect(test.computed.last == "1000")
    }

    @Test("A replica that was too late with a batch has not failed: it keeps its share of what waits")
    func tooLateIsNoFailure() throws {
        var (test, now) = try SchedulerUnderTest.learned(limit: 4)
        test.submit(1000, due: now + .milliseconds(50), now: now)
        let late = try #require(test.dispatch(now: now).first)
        now += .milliseconds(45)
        test.scheduler.fail(batch: late.id, on: ReplicaID(number: late.replica), .tooLate, "", now: at(now))
        test.takeAnswers()
        test.submit(1, 2, 3, 4, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).map(\.items.count) == [2, 2])
    }

    @Test("One that drains is done once nobody waits for what it has: it may never answer")
    func drains() throws {
        var (test, now) = try SchedulerUnderTest.learned()
        test.submit(1000, due: now + .milliseconds(500), now: now)
        let sent = try #require(test.dispatch(now: now).first)
        test.scheduler.setDraining(true, ReplicaID(number: sent.replica))
        now += .milliseconds(200)
        test.tick(now: now)
        #expect(test.scheduler.isNeeded(ReplicaID(number: sent.replica)))
        // It has gone elsewhere, as the replica is stuck, and nobody answers it there either.
        _ = test.dispatch(now: now)
        now += .seconds(2)
        test.tick(now: now)
        #expect(test.outcomes[1000] == .defaultOutput(.deadline))
        #expect(!test.scheduler.isNeeded(ReplicaID(number: sent.replica)))
    }
}
