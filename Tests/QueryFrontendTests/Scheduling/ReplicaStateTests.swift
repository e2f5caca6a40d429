import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: stuck and draining replicas")
struct ReplicaStateTests {
    /// One of two replicas has had query 1000 for a second, and is called stuck.
    private func stuckWithOne() throws -> (SchedulerUnderTest, stuck: SchedulerUnderTest.Sent, now: Duration) {
        var (test, now) = try SchedulerUnderTest.learned(slots: 2)
        test.submit(1000, due: now + .seconds(9), now: now)
        let stuck = try #require(test.dispatch(now: now).first)
        now += .seconds(1)
        test.tick(now: now)
        return (test, stuck, now)
    }

    @Test("A replica whose batch is far beyond what was predicted gets nothing until it answers")
    func stuck() throws {
        var (test, stuck, now) = try stuckWithOne()
        #expect(test.scheduler.loads[ReplicaID(number: stuck.replica)]?.state == .stuck)
        #expect(
            test.notices == [
                .stuck(ReplicaID(number: stuck.replica), SchedulerUnderTest.model, batchAge: .seconds(1))
            ])
        var others: [SchedulerUnderTest.Sent] = []
        for item in 2000..<2010 { test.submit(item, due: now + .seconds(9), now: now) }
        others += test.dispatch(now: now)
        #expect(!others.isEmpty)
        #expect(others.allSatisfy { $0.replica == 1 - stuck.replica })
        test.complete(stuck, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
        #expect(test.notices.last == .recovered(ReplicaID(number: stuck.replica), SchedulerUnderTest.model))
        #expect(test.dispatch(now: now).map(\.replica).contains(stuck.replica))
    }

    @Test("What a stuck replica has goes to one that is well, and the first answer counts")
    func sendsAgain() throws {
        var (test, stuck, now) = try stuckWithOne()
        let again = test.dispatch(now: now)
        #expect(again.map(\.items) == [[1000]])
        #expect(again.map(\.replica) == [1 - stuck.replica])
        test.complete(try #require(again.first), now: now)
        #expect(test.outcomes[1000] == .output("1000"))
        test.complete(stuck, now: now)
        let counters = test.scheduler.counters(of: SchedulerUnderTest.model)
        #expect([counters.retries, counters.hedges, counters.hedgesWon] == [1, 0, 0])
        #expect(test.scheduler.isAtRest)
    }

    @Test("Where the second replica is lost as well, or another one is well later, it is sent once more")
    func sendsOnceMore() throws {
        var (test, stuck, now) = try stuckWithOne()
        let second = try #require(test.dispatch(now: now).first)
        test.scheduler.fail(batch: second.id, on: ReplicaID(number: second.replica), .unavailable, "busy", now: at(now))
        #expect(test.dispatch(now: now).isEmpty, "it has failed, and no other is well")
        now += .milliseconds(10)
        test.submit(1001, due: now + .seconds(9), now: now)
        let trial = try #require(test.dispatch(now: now).first)
        #expect(trial.items == [1001])
        now += .milliseconds(10)
        test.complete(trial, now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
        #expect(test.scheduler.loads[ReplicaID(number: stuck.replica)]?.state == .stuck)
    }

    @Test("Where the stuck replica answers before another one has room, nothing is sent again")
    func recoversFirst() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 1)
        test.submit(1000, due: now + .seconds(9), now: now)
        let stuck = try #require(test.dispatch(now: now).first)
        now += .milliseconds(995)
        test.submit(1001, due: now + .seconds(9), now: now)
        let other = try #require(test.dispatch(now: now).first)
        now += .milliseconds(5)
        test.tick(now: now)
        #expect(test.dispatch(now: now).isEmpty)
        test.complete(stuck, now: now)
        test.complete(other, now: now)
        #expect(test.dispatch(now: now).isEmpty)
        #expect(test.outcomes[1000] == .output("1000"))
        #expect(test.scheduler.isAtRest)
    }

    @Test("A replica that takes long for its first batch is not called stuck: nothing was predicted")
    func firstBatch() {
        var test = SchedulerUnderTest()
        test.submit(1, due: .seconds(100))
        #expect(test.dispatch().count == 1)
        test.tick(now: .seconds(45))
        #expect(test.notices.isEmpty)
    }

    @Test("A replica that never answers its first batch is called stuck in the end, and another gets what comes")
    func firstBatchThatHangs() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 1)
        test.submit(1, due: .seconds(1))
        #expect(test.dispatch().count == 1)
        test.tick(now: .milliseconds(29_999))
        #expect(test.notices.isEmpty)
        #expect(try #require(test.scheduler.deadline) == at(.seconds(30)))
        test.tick(now: .seconds(30))
        #expect(
            test.notices == [.stuck(ReplicaID(number: 0), SchedulerUnderTest.model, batchAge: .seconds(30))])
        test.submit(2, due: .seconds(60), now: .seconds(31))
        #expect(test.dispatch(now: .seconds(31)).isEmpty)
        test.addReplica(1, now: .seconds(32))
        let second = try #require(test.dispatch(now: .seconds(32)).first)
        #expect(second.replica == 1)
        test.complete(second, now: .seconds(33))
        test.submit(3, due: .seconds(270), now: .seconds(269))
        // A model may load for minutes; one that has forgotten its first batch would get nothing ever.
        test.scheduler.tick(now: at(.seconds(269)))
        #expect(test.scheduler.takeEffects().givenUp.isEmpty)
        test.scheduler.tick(now: at(.seconds(270)))
        #expect(test.scheduler.takeEffects().givenUp == [ReplicaID(number: 0)])
    }

    @Test("One that drains may be all that there is: it is called lost with its first batch, too")
    func firstBatchThatHangsWhileDraining() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 1)
        test.submit(1, due: .seconds(1))
        #expect(test.dispatch().count == 1)
        test.tick(now: .seconds(30))
        test.scheduler.setDraining(true, ReplicaID(number: 0))
        _ = test.dispatch(now: .seconds(30))
        test.scheduler.tick(now: at(.seconds(269)))
        #expect(test.scheduler.takeEffects().givenUp.isEmpty)
        let deadline = try #require(test.scheduler.deadline)
        #expect(deadline <= at(.seconds(270)))
        test.scheduler.tick(now: at(.seconds(270)))
        #expect(test.scheduler.takeEffects().givenUp == [ReplicaID(number: 0)])
    }

    @Test("One that leaves is not called lost: it ends by itself")
    func leavesWithBatch() throws {
        var (test, stuck, now) = try stuckWithOne()
        test.scheduler.setLeaving(ReplicaID(number: stuck.replica))
        test.complete(try #require(test.dispatch(now: now).first), now: now)
        now += .seconds(60)
        test.scheduler.tick(now: at(now))
        #expect(test.scheduler.takeEffects().givenUp.isEmpty)
    }

    @Test("The second batch is sent just before the first is expected to end, not earlier: meanwhile it can grow")
    func secondBatch() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 2)
        test.removeReplica(1, now: now)
        test.submit(1000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).count == 1)
        test.submit(1001, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now + .milliseconds(5)).isEmpty)
        var second: [SchedulerUnderTest.Sent] = []
        var time = now
        while second.isEmpty {
            time = try #require(test.scheduler.deadline) - at(.zero)
            test.tick(now: time)
            second = test.dispatch(now: time)
        }
        #expect(second.map(\.items) == [[1001]])
        #expect(time > now + .milliseconds(7) && time < now + .milliseconds(10))
    }

    @Test("A replica too slow for all that waits is left alone beside a quicker one, and tried again after a second")
    func tooSlow() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2, slotsPerReplica: 1)
        var now = Duration.zero
        // Replica 0 takes 10 ms, replica 1 takes 100 ms.
        for round in 0..<40 {
            test.submit(2 * round, 2 * round + 1, due: now + .seconds(1), now: now)
            let sent = test.dispatch(now: now).sorted { $0.replica < $1.replica }
            #expect(sent.map(\.replica) == [0, 1])
            test.complete(sent[0], now: now + .milliseconds(10))
            test.complete(sent[1], now: now + .milliseconds(100))
            now += .milliseconds(100)
        }
        // What is due in 50 ms waits for the quick one, however often somebody looks.
        var slow: [Duration] = []
        let begin = now
        for step in 0..<150 {
            test.submit(1000 + 2 * step, 1001 + 2 * step, due: now + .milliseconds(50), now: now)
            let sent = test.dispatch(now: now)
            slow += sent.filter { $0.replica == 1 }.map { _ in now - begin }
            now += .milliseconds(10)
            for batch in sent where batch.replica == 0 { test.complete(batch, now: now) }
            test.tick(now: now)
        }
        #expect(slow.count == 1)
        #expect(try #require(slow.first) > .seconds(1))
        #expect(test.answeredAgain.isEmpty)
    }

    @Test("One that is too slow again is tried after twice as long each time")
    func tooSlowAgain() throws {
        var (test, now) = quickAndSlow(2)
        test.register(Batching(limit: .fixed(1)))
        var tried: [Duration] = []
        var slow: SchedulerUnderTest.Sent?
        let begin = now
        var item = 1000
        while tried.count < 4, now < begin + .seconds(60) {
            test.submit(item, item + 1, due: now + .milliseconds(50), now: now)
            item += 2
            let sent = test.dispatch(now: now)
            if let batch = sent.first(where: { $0.replica == 1 }) {
                tried.append(now - begin)
                slow = batch
            }
            now += .milliseconds(10)
            for batch in sent where batch.replica == 0 { test.complete(batch, now: now) }
            if let batch = slow, let last = tried.last, now - begin >= last + .milliseconds(100) {
                test.complete(batch, now: now)
                slow = nil
            }
            test.tick(now: now)
        }
        let pauses = zip(tried, tried.dropFirst()).map { $1 - $0 }
        #expect(pauses.count == 3)
        #expect(zip(pauses, [2, 4, 8]).allSatisfy { $0 > .seconds($1) && $0 < .seconds($1) + .milliseconds(300) })
    }

    @Test("One that was too slow while it was alone is tried a second after its last answer once another is there")
    func tooSlowAlone() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 1, slotsPerReplica: 1)
        var now = Duration.zero
        for item in 0..<10 {
            test.submit(item, due: now + .milliseconds(50), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(120)
            test.tick(now: now)
            test.complete(batch, now: now)
        }
        test.addReplica(1, now: now)
        test.submit(100, 101, due: now + .milliseconds(500), now: now)
        let both = test.dispatch(now: now)
        now += .milliseconds(10)
        for batch in both where batch.replica == 1 { test.complete(batch, now: now) }
        now += .milliseconds(110)
        for batch in both where batch.replica == 0 { test.complete(batch, now: now) }
        let last = now
        var tried: Duration?
        var item = 1000
        while tried == nil, now < last + .seconds(3) {
            test.submit(item, item + 1, due: now + .milliseconds(50), now: now)
            item += 2
            let sent = test.dispatch(now: now)
            if sent.contains(where: { $0.replica == 0 }) { tried = now - last }
            now += .milliseconds(10)
            for batch in sent where batch.replica == 1 { test.complete(batch, now: now) }
            test.tick(now: now)
        }
        let pause = try #require(tried)
        #expect(pause > .seconds(1) && pause < .milliseconds(1300), "\(pause)")
    }

    /// Replica 0 takes 10 ms, the others 100 ms; all have just answered.
    private func quickAndSlow(_ replicas: Int) -> (SchedulerUnderTest, now: Duration) {
        var test = SchedulerUnderTest(limit: 1, replicas: replicas, slotsPerReplica: 1)
        var now = Duration.zero
        for round in 0..<40 {
            for item in 0..<replicas { test.submit(replicas * round + item, due: now + .seconds(1), now: now) }
            for batch in test.dispatch(now: now).sorted(by: { $0.replica < $1.replica }) {
                test.complete(batch, now: now + .milliseconds(batch.replica == 0 ? 10 : 100))
            }
            now += .milliseconds(100)
        }
        test.register(Batching(limit: .fixed(64)))
        return (test, now)
    }

    @Test("A replica that is tried again gets one query: the others are for the quick one, and none is given up")
    func triedAgainWithOne() {
        var (test, now) = quickAndSlow(2)
        test.register(Batching(limit: .fixed(4)))
        now += .seconds(2)
        for item in 1000..<1010 { test.submit(item, due: now + .milliseconds(50), now: now) }
        var sent = test.dispatch(now: now).sorted { $0.replica < $1.replica }
        #expect(sent.map(\.items.count) == [4, 1])
        #expect(!test.outcomes.keys.contains { $0 >= 1000 })
        for _ in 0..<3 {
            now += .milliseconds(10)
            for batch in sent where batch.replica == 0 { test.complete(batch, now: now) }
            sent = test.dispatch(now: now)
        }
        #expect((1000..<1010).count { test.outcomes[$0] == .output("\($0)") } == 9)
    }

    @Test("Replicas that are too slow for what waits take no share of it")
    func tooSlowToShare() {
        var (test, now) = quickAndSlow(4)
        for item in 1000..<1060 { test.submit(item, due: now + .milliseconds(50), now: now) }
        let sent = test.dispatch(now: now)
        #expect(sent.map(\.replica) == [0])
        #expect(sent.map(\.items.count) == [60])
    }

    @Test("Nor do those that may be tried again")
    func triedAgainBesideShares() {
        var (test, now) = quickAndSlow(4)
        now += .seconds(2)
        for item in 1000..<1060 { test.submit(item, due: now + .milliseconds(15), now: now) }
        let sent = test.dispatch(now: now).sorted { $0.replica < $1.replica }
        #expect(sent.map(\.items.count) == [60])
    }

    @Test("A draining replica gets nothing new, and what it has is answered")
    func draining() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 1)
        test.submit(1000, due: now + .seconds(1), now: now)
        let batch = try #require(test.dispatch(now: now).first)
        test.scheduler.setDraining(true, ReplicaID(number: batch.replica))
        test.submit(1001, 1002, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).map(\.replica) == [1 - batch.replica])
        test.complete(batch, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
        #expect(test.dispatch(now: now).isEmpty)
        #expect(test.scheduler.loads[ReplicaID(number: batch.replica)]?.state == .draining)
        test.scheduler.setDraining(false, ReplicaID(number: batch.replica))
        #expect(test.dispatch(now: now).map(\.replica) == [batch.replica])
    }

    @Test("A draining replica is needed while it works, and while it is the only one for what waits")
    func needed() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 1)
        test.removeReplica(1, now: now)
        let replica = ReplicaID(number: 0)
        test.submit(1000, 1001, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        test.scheduler.setDraining(true, replica)
        test.complete(first, now: now)
        #expect(test.scheduler.isNeeded(replica))
        test.addReplica(2, now: now)
        #expect(!test.scheduler.isNeeded(replica))
        let second = try #require(test.dispatch(now: now).first)
        #expect(second.replica == 2)
        test.complete(second, now: now)
        #expect(!test.scheduler.isNeeded(replica))
        #expect(!test.scheduler.isNeeded(ReplicaID(number: 77)))
    }

    @Test("When all replicas drain, new queries get the default, and what waited is served by them before they go")
    func drainsAll() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 1)
        test.submit(1000, 1001, 1002, due: now + .seconds(1), now: now)
        let sent = test.dispatch(now: now)
        #expect(sent.count == 2)
        for replica in 0..<2 { test.scheduler.setDraining(true, ReplicaID(number: replica)) }
        test.submit(2000, due: now + .seconds(1), now: now)
        #expect(test.outcomes[2000] == .defaultOutput(.noReplica))
        for batch in sent { test.complete(batch, now: now) }
        let last = try #require(test.dispatch(now: now).first)
        test.complete(last, now: now)
        #expect([1000, 1001, 1002].allSatisfy { test.outcomes[$0] == .output("\($0)") })
    }
}
