import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: hedging")
struct HedgingTests {
    private static let application = ApplicationHandle(index: 0)

    /// Two replicas whose batches take 10 ms, and an application that hedges.
    private func learned(_ hedging: Hedging? = Hedging(quantile: 0.95, maxExtraWork: 0.5)) throws -> (
        SchedulerUnderTest, now: Duration
    ) {
        var test = SchedulerUnderTest(limit: 4, replicas: 2, slotsPerReplica: 1)
        test.scheduler.setApplication(Self.application, hedging: hedging)
        var now = Duration.zero
        for round in 0..<100 {
            test.submit(round, due: now + .seconds(1), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10)
            test.complete(batch, now: now)
        }
        return (test, now)
    }

    /// Query 1000 is on one replica, which is late with it, and about to be sent to the other.
    private func late() throws -> (SchedulerUnderTest, first: SchedulerUnderTest.Sent, now: Duration) {
        var (test, now) = try learned()
        test.submit(1000, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        now += .milliseconds(20)
        test.tick(now: now)
        return (test, first, now)
    }

    @Test("A query of a batch that is late is sent to a second replica; the first answer wins, the second is dropped")
    func hedges() throws {
        var (test, now) = try learned()
        test.submit(1000, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        test.tick(now: now + .milliseconds(5))
        #expect(test.dispatch(now: now + .milliseconds(5)).isEmpty)
        test.tick(now: now + .milliseconds(20))
        let second = try #require(test.dispatch(now: now + .milliseconds(20)).first)
        #expect(second.items == [1000])
        #expect(second.replica == 1 - first.replica)
        test.complete(second, now: now + .milliseconds(30))
        #expect(test.outcomes[1000] == .output("1000"))
        test.complete(first, now: now + .milliseconds(40))
        #expect(test.answeredAgain.isEmpty)
        let counters = test.scheduler.counters(of: SchedulerUnderTest.model)
        #expect(counters.hedges == 1)
        #expect(counters.hedgesWon == 1)
        #expect(test.scheduler.underWayCount(of: SchedulerUnderTest.model) == 0)
    }

    @Test("Who joins a query that another asked for first has it hedged all the same, if his application hedges")
    func joins() throws {
        var (test, now) = try learned()
        test.group = { $0 % 1000 }
        test.submit(500, due: now + .seconds(1), application: 1, now: now)
        let first = try #require(test.dispatch(now: now).first)
        now += .milliseconds(5)
        test.submit(1500, due: now + .milliseconds(500), now: now)
        now += .milliseconds(15)
        test.tick(now: now)
        let second = try #require(test.dispatch(now: now).first)
        #expect(second.items == [500] && second.replica == 1 - first.replica)
        test.complete(second, now: now)
        #expect(test.outcomes[500] == .output("500") && test.outcomes[1500] == .output("500"))
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).hedges == 1)
    }

    @Test("Who joins after all others have had their outcome has it hedged, too")
    func joinsLate() throws {
        var (test, now) = try learned()
        test.group = { $0 % 1000 }
        test.submit(500, due: now + .milliseconds(12), application: 1, now: now)
        #expect(test.dispatch(now: now).count == 1)
        now += .milliseconds(14)
        test.tick(now: now)
        #expect(test.outcomes[500] == .defaultOutput(.deadline))
        test.submit(1500, due: now + .milliseconds(500), now: now)
        now += .milliseconds(10)
        test.tick(now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[500]])
    }

    @Test("When the first replica answers before a second has room, nothing is sent again")
    func notNeeded() throws {
        var (test, now) = try learned()
        test.submit(1000, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        test.submit(1001, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).first?.replica == 1 - first.replica)
        test.tick(now: now + .milliseconds(12))
        #expect(test.dispatch(now: now + .milliseconds(12)).isEmpty)
        test.complete(first, now: now + .milliseconds(13))
        #expect(test.outcomes[1000] == .output("1000"))
        #expect(test.dispatch(now: now + .milliseconds(13)).flatMap(\.items) == [1001])
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 0)
    }

    @Test("An application that does not hedge waits until the replica is called stuck")
    func off() throws {
        var (test, now) = try learned(nil)
        test.submit(1000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).count == 1)
        test.tick(now: now + .milliseconds(50))
        #expect(test.dispatch(now: now + .milliseconds(50)).isEmpty)
        test.tick(now: now + .milliseconds(100))
        #expect(test.dispatch(now: now + .milliseconds(100)).flatMap(\.items) == [1000])
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).hedges == 0)
    }

    @Test("Extra work is bounded: a share of what was sent, saved up to a bound")
    func budget() {
        var budgets = HedgeBudgets()
        budgets.set(Hedging(maxExtraWork: 0.05), of: Self.application)
        var taken = 0
        for _ in 0..<1000 {
            budgets.earn(Self.application)
            if budgets.take(Self.application) { taken += 1 }
        }
        #expect((45...50).contains(taken))
        for _ in 0..<1_000_000 { budgets.earn(Self.application) }
        taken = 0
        while budgets.take(Self.application) { taken += 1 }
        #expect(taken == Int(HedgeBudgets.mostSaved))
    }

    @Test("When the replica of the first copy is lost, the second copy is enough")
    func firstLost() throws {
        var (test, first, now) = try late()
        let second = try #require(test.dispatch(now: now).first)
        test.removeReplica(first.replica, now: now)
        #expect(test.dispatch(now: now).isEmpty)
        test.complete(second, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
    }

    @Test(
        "When the second copy is lost or refused, a third replica is asked while the first is still late",
        arguments: [true, false])
    func secondLost(isLost: Bool) throws {
        var (test, first, now) = try late()
        let second = try #require(test.dispatch(now: now).first)
        test.addReplica(2, now: now)
        if isLost {
            test.removeReplica(second.replica, now: now)
        } else {
            test.scheduler.fail(
                batch: second.id, on: ReplicaID(number: second.replica), .unavailable, "", now: at(now))
        }
        test.tick(now: now)
        let third = try #require(test.dispatch(now: now).first)
        #expect(third.replica == 2 && first.replica != 2)
        test.complete(third, now: now)
        #expect(test.outcomes[1000] == .output("1000"))
    }

    @Test("A query that two replicas were lost with is not hedged once more, though the first copy is still late")
    func lostTwiceAsHedge() throws {
        var (test, _, now) = try late()
        for number in 2...3 {
            let second = try #require(test.dispatch(now: now).first)
            test.addReplica(number, now: now)
            test.removeReplica(second.replica, now: now)
            test.tick(now: now)
        }
        #expect(test.dispatch(now: now).isEmpty)
    }

    @Test("A query whose both copies are lost was in flight on two lost replicas: it gets the default")
    func bothLost() throws {
        var (test, _, now) = try late()
        #expect(test.dispatch(now: now).count == 1)
        test.addReplica(2, now: now)
        test.removeReplica(0, now: now)
        test.removeReplica(1, now: now)
        #expect(test.outcomes[1000] == .defaultOutput(.lostTwice))
        #expect(test.dispatch(now: now).isEmpty)
    }
}
