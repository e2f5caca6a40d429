import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: batches that are answered out of order, or never")
struct OvertakenBatchTests {
    private static let late = ReplicaID(number: 0)

    /// Query 1000 is on the last replica's first place, and the query of the second place has been answered.
    private func overtaken(replicas: Int = 1, due: Duration = .seconds(9)) throws -> (
        SchedulerUnderTest, lost: SchedulerUnderTest.Sent, now: Duration
    ) {
        var (test, now) = try SchedulerUnderTest.learned(replicas: replicas, slots: 2)
        test.submit(1000, due: now + due, now: now)
        let lost = try #require(test.dispatch(now: now).first)
        // The others have something to do, so that what comes next waits behind that.
        var others: [SchedulerUnderTest.Sent] = []
        for item in 1..<replicas {
            test.submit(1000 + item, due: now + .seconds(9), now: now)
            others += test.dispatch(now: now)
        }
        now += .milliseconds(10)
        for item in 0..<replicas { test.submit(2000 + item, due: now + .seconds(9), now: now) }
        let second = try #require(test.dispatch(now: now).first { $0.replica == lost.replica })
        for other in others { test.complete(other, now: now) }
        now += .milliseconds(10)
        test.complete(second, now: now)
        return (test, lost, now)
    }

    /// Query 1000 is on the only replica, and 1001 behind it.
    private func oneBehindTheOther() throws -> (SchedulerUnderTest, second: SchedulerUnderTest.Sent, now: Duration) {
        var (test, now) = try SchedulerUnderTest.learned(replicas: 1, slots: 2)
        test.submit(1000, due: now + .seconds(9), now: now)
        #expect(test.dispatch(now: now).count == 1)
        now += .milliseconds(10)
        test.submit(1001, due: now + .seconds(9), now: now)
        let second = try #require(test.dispatch(now: now).first)
        return (test, second, now)
    }

    @Test("That later ones are answered gives one that is not no more time")
    func keepsItsClock() throws {
        var (test, lost, now) = try overtaken(replicas: 2)
        var served = 0
        for round in 0..<100 where test.outcomes[1000] == nil {
            test.submit(3000 + round, due: now + .seconds(9), now: now)
            let sent = test.dispatch(now: now)
            for again in sent where again.items == [1000] { #expect(again.replica != lost.replica) }
            now += .milliseconds(1)
            for batch in sent { test.complete(batch, now: now) }
            served += sent.count
            test.tick(now: now)
        }
        #expect(test.outcomes[1000] == .output("1000"))
        #expect(served > 5, "the replica answers, and goes on getting queries")
        guard case .missing(let replica, _, lost.id, _) = test.notices.first, test.notices.count == 1 else {
            Issue.record("\(test.notices) instead of one missing batch")
            return
        }
        #expect(replica.number == lost.replica)
    }

    @Test("Where its replica is the only one, it is sent there once more, and that one is not called stuck")
    func againToTheSame() throws {
        var (test, lost, now) = try overtaken()
        now += .milliseconds(100)
        test.tick(now: now)
        let again = try #require(test.dispatch(now: now).first)
        #expect(again.items == [1000] && again.id != lost.id)
        #expect(test.scheduler.loads[Self.late]?.state == .active)
        test.complete(again, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
        let counters = test.scheduler.counters(of: SchedulerUnderTest.model)
        #expect([counters.missing, counters.retries, counters.stuck] == [1, 1, 0])
    }

    @Test("What is missing takes no place of another, and its answer still counts where it comes")
    func answersLate() throws {
        var (test, lost, now) = try overtaken(due: .milliseconds(40))
        now += .milliseconds(100)
        test.tick(now: now)
        #expect(test.outcomes[1000] == .defaultOutput(.deadline))
        test.submit(3000, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        test.submit(3001, due: now + .seconds(1), now: now)
        now += .milliseconds(10)
        let second = try #require(test.dispatch(now: now).first, "the second place is free")
        #expect(test.complete(lost, now: now) != nil)
        test.complete(first, now: now)
        test.complete(second, now: now)
        #expect(test.answeredAgain.isEmpty && test.scheduler.isAtRest)
    }

    @Test("Who asks the same as what is missing has it computed anew")
    func isNotJoined() throws {
        var test = SchedulerUnderTest(limit: 1)
        test.group = { $0 % 1000 }
        var now = try test.rehearse()
        test.submit(500, due: now + .milliseconds(15), now: now)
        #expect(test.dispatch(now: now).count == 1)
        now += .milliseconds(10)
        test.submit(600, due: now + .seconds(1), now: now)
        let second = try #require(test.dispatch(now: now).first)
        now += .milliseconds(10)
        test.complete(second, now: now)
        now += .milliseconds(100)
        test.tick(now: now)
        test.submit(1500, due: now + .seconds(1), now: now)
        let anew = try #require(test.dispatch(now: now).first)
        #expect(anew.items == [500])
        test.complete(anew, now: now)
        #expect(test.outcomes[1500] == .output("500"))
    }

    @Test("A replica that misses a batch is given up once nobody has waited for half a minute")
    func isGivenUp() throws {
        var (test, _, now) = try overtaken(due: .milliseconds(40))
        now += .milliseconds(100)
        test.scheduler.tick(now: at(now))
        #expect(test.scheduler.takeEffects().givenUp.isEmpty)
        test.scheduler.tick(now: at(now + .seconds(29)))
        #expect(test.scheduler.takeEffects().givenUp.isEmpty)
        test.scheduler.tick(now: at(now + .seconds(30)))
        #expect(test.scheduler.takeEffects().givenUp == [Self.late])
        test.scheduler.tick(now: at(now + .seconds(90)))
        #expect(test.scheduler.takeEffects().givenUp.isEmpty, "once")
    }

    @Test("A replica that misses batch after batch is given up at once")
    func missesMany() throws {
        var (test, now) = try SchedulerUnderTest.learned(replicas: 1, slots: 2)
        var givenUp: [ReplicaID] = []
        for round in 0..<8 {
            #expect(givenUp.isEmpty)
            test.submit(1000 + round, due: now + .milliseconds(12), now: now)
            #expect(test.dispatch(now: now).count == 1)
            now += .milliseconds(10)
            test.submit(2000 + round, due: now + .seconds(1), now: now)
            let second = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10)
            test.complete(second, now: now)
            now += .milliseconds(200)
            test.scheduler.tick(now: at(now))
            givenUp += test.scheduler.effects.givenUp
            test.takeAnswers()
        }
        #expect(givenUp == [Self.late])
        test.submit(3000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).isEmpty, "it is about to be lost")
    }

    @Test("A stuck replica that answers a later batch is taken back, and what it has not answered is missing")
    func recovers() throws {
        var (test, second, now) = try oneBehindTheOther()
        now += .seconds(1)
        test.tick(now: now)
        #expect(test.scheduler.loads[Self.late]?.state == .stuck)
        test.complete(second, now: now)
        #expect(test.scheduler.loads[Self.late]?.state == .active)
        test.tick(now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
    }

    @Test("A refusal overtakes nothing: who hangs and refuses what waits behind is stuck")
    func refusesBehind() throws {
        var (test, second, now) = try oneBehindTheOther()
        now += .milliseconds(30)
        test.scheduler.fail(batch: second.id, on: Self.late, .tooLate, "", now: at(now))
        test.takeAnswers()
        #expect(test.dispatch(now: now).isEmpty, "nothing waits behind what is late")
        now += .milliseconds(30)
        test.tick(now: now)
        #expect(test.scheduler.loads[Self.late]?.state == .stuck)
    }

    @Test("A stuck replica that answers what it was missing, and not what it is stuck with, stays stuck")
    func staysStuck() throws {
        var (test, lost, now) = try overtaken()
        test.submit(1001, due: now + .seconds(9), now: now)
        #expect(test.dispatch(now: now).count == 1)
        now += .seconds(1)
        test.tick(now: now)
        #expect(test.scheduler.loads[Self.late]?.state == .stuck)
        let noticed = test.notices.count
        test.complete(lost, now: now)
        #expect(test.scheduler.loads[Self.late]?.state == .stuck)
        #expect(test.notices.count == noticed)
    }

    @Test("A replica that drains is needed until what it misses is awaited no longer")
    func drains() throws {
        var (test, _, now) = try overtaken(due: .milliseconds(500))
        test.scheduler.setDraining(true, Self.late)
        now += .milliseconds(100)
        test.tick(now: now)
        #expect(test.dispatch(now: now).isEmpty)
        #expect(test.scheduler.isNeeded(Self.late))
        test.tick(now: now + .seconds(1))
        #expect(!test.scheduler.isNeeded(Self.late))
    }

    @Test("One replica that is lost with a query that it was asked twice is one replica")
    func lostOnce() throws {
        var (test, _, now) = try overtaken()
        now += .milliseconds(100)
        test.tick(now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
        test.removeReplica(0, now: now)
        #expect(test.outcomes[1000] == nil)
        test.addReplica(1, now: now)
        let again = try #require(test.dispatch(now: now).first)
        test.complete(again, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
    }

    @Test("What waits for another replica comes back to its own where that one is stuck")
    func comesBack() throws {
        var (test, lost, now) = try overtaken(replicas: 2)
        // The other one is full, and answers nothing any more.
        for item in 5000..<5008 { test.submit(item, due: now + .seconds(9), now: now) }
        var batches = test.dispatch(now: now)
        for _ in 0..<20 {
            now += .milliseconds(10)
            for batch in batches where batch.replica == lost.replica { test.complete(batch, now: now) }
            test.tick(now: now)
            batches = test.dispatch(now: now)
        }
        #expect(test.outcomes[1000] == .output("1000"))
        #expect(test.scheduler.loads[ReplicaID(number: 1 - lost.replica)]?.state == .stuck)
    }
}
