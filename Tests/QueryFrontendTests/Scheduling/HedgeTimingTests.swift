import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: when a batch is late, and what becomes of hedges that are not sent")
struct HedgeTimingTests {
    private static let application = ApplicationHandle(index: 0)

    @Test("Hedges that were saved up are still there when the application is published anew")
    func keepsSavings() {
        var budgets = HedgeBudgets()
        budgets.set(Hedging(maxExtraWork: 0.05), of: Self.application)
        for _ in 0..<100 { budgets.earn(Self.application) }
        budgets.set(Hedging(maxExtraWork: 0.1), of: Self.application)
        let isTaken = budgets.take(Self.application)
        #expect(isTaken)
    }

    /// Query 1000 is late on one replica, and waits as a hedge, the only one that there is; 1001 has been on the other
    /// one for 4 ms.
    private func hedgeWaits(due deadline: Duration) throws -> (
        SchedulerUnderTest, first: SchedulerUnderTest.Sent, other: SchedulerUnderTest.Sent, start: Duration
    ) {
        var test = SchedulerUnderTest(limit: 4, replicas: 2, slotsPerReplica: 1)
        // What 100 queries earn: one hedge.
        test.scheduler.setApplication(Self.application, hedging: Hedging(quantile: 0.95, maxExtraWork: 0.0101))
        let start = try test.rehearse()
        test.submit(1000, due: start + deadline, now: start)
        let first = try #require(test.dispatch(now: start).first)
        test.submit(1001, due: start + .seconds(9), now: start + .milliseconds(8))
        let other = try #require(test.dispatch(now: start + .milliseconds(8)).first)
        test.tick(now: start + .milliseconds(12))
        #expect(test.dispatch(now: start + .milliseconds(12)).isEmpty)
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 1)
        return (test, first, other, start)
    }

    enum End: CaseIterable { case answered, expired, failed }

    @Test("A hedge that waited and was not sent is another query's, however its own ended", arguments: End.allCases)
    func unspent(end: End) throws {
        var (test, first, _, start) = try hedgeWaits(due: .milliseconds(end == .expired ? 14 : 900))
        let now = start + .milliseconds(15)
        switch end {
        case .answered: test.complete(first, now: now)
        case .expired:
            test.tick(now: now)
            test.complete(first, now: now)
        case .failed:
            test.scheduler.fail(
                batch: first.id, on: ReplicaID(number: first.replica), .modelError, "", now: at(now))
            test.takeAnswers()
        }
        for milliseconds in 16...40 {
            test.tick(now: start + .milliseconds(milliseconds))
            let sent = test.dispatch(now: start + .milliseconds(milliseconds))
            if !sent.isEmpty {
                #expect(sent.map(\.items) == [[1001]])
                break
            }
        }
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).hedges == 1)
    }

    @Test("A hedge that was given up, because the other replica would be too late, is another query's")
    func givenUpHedge() throws {
        var (test, first, other, start) = try hedgeWaits(due: .milliseconds(25))
        test.submit(1002, due: start + .seconds(9), now: start + .milliseconds(13))
        test.complete(other, now: start + .milliseconds(18))
        #expect(test.dispatch(now: start + .milliseconds(18)).map(\.items) == [[1002]])
        test.complete(first, now: start + .milliseconds(19))
        #expect(test.outcomes[1000] == .output("1000"))
        test.tick(now: start + .milliseconds(30))
        #expect(test.dispatch(now: start + .milliseconds(30)).map(\.items) == [[1002]])
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).hedges == 1)
    }

    @Test("A hedge that the first replica forestalls is not counted as won")
    func firstWins() throws {
        var (test, now) = try SchedulerUnderTest.learned()
        test.scheduler.setApplication(Self.application, hedging: Hedging(quantile: 0.95, maxExtraWork: 1))
        test.submit(1000, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        now += .milliseconds(15)
        test.tick(now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
        test.complete(first, now: now)
        let counters = test.scheduler.counters(of: SchedulerUnderTest.model)
        #expect([counters.hedges, counters.hedgesWon] == [1, 0])
    }

    @Test("A batch that waits behind another is late by when its replica began with it, not by when it was sent")
    func lateByItsStart() throws {
        // The one before it ends when that was expected, or 0.9 ms earlier.
        for early in [Duration.zero, .microseconds(900)] {
            var (test, start) = try SchedulerUnderTest.learned(slots: 2)
            test.submit(1000, 1001, due: start + .seconds(1), now: start)
            let sent = test.dispatch(now: start)
            #expect(sent.count == 2)
            test.scheduler.setApplication(Self.application, hedging: Hedging(quantile: 0.95, maxExtraWork: 1))
            test.submit(1002, due: start + .seconds(1), now: start + .milliseconds(9))
            let second = try #require(test.dispatch(now: start + .milliseconds(9)).first)
            let before = try #require(sent.first { $0.replica == second.replica })
            let other = try #require(sent.first { $0.replica != second.replica })
            let begin = start + .milliseconds(10) - early
            test.complete(before, now: begin)
            test.complete(other, now: start + .milliseconds(10))
            test.tick(now: begin + .microseconds(9400))
            #expect(test.dispatch(now: begin + .microseconds(9400)).isEmpty)
            test.tick(now: begin + .microseconds(10_300))
            #expect(test.dispatch(now: begin + .microseconds(10_300)).map(\.items) == [[1002]])
        }
    }

    @Test("It tells when that batch is late by its start, also where nothing else is due before")
    func tellsWhenLate() throws {
        var (test, start) = try SchedulerUnderTest.learned(slots: 2)
        test.submit(1000, 1001, due: start + .seconds(1), now: start)
        let sent = test.dispatch(now: start)
        test.scheduler.setApplication(Self.application, hedging: Hedging(quantile: 0.95, maxExtraWork: 1))
        test.submit(1002, due: start + .seconds(1), now: start + .milliseconds(9))
        let second = try #require(test.dispatch(now: start + .milliseconds(9)).first)
        test.tick(now: start + .milliseconds(9))
        let before = try #require(sent.first { $0.replica == second.replica })
        test.complete(before, now: start + .microseconds(9100))
        let deadline = try #require(test.scheduler.deadline)
        #expect(deadline <= at(start + .microseconds(19_400)))
    }

    @Test("No hedge waits in the queue while every other replica is stuck")
    func noHedgeForStuckReplicas() throws {
        var (test, start) = try SchedulerUnderTest.learned()
        test.submit(1000, due: start + .milliseconds(30), now: start)
        let stuck = try #require(test.dispatch(now: start).first)
        test.tick(now: start + .milliseconds(70))
        #expect(test.scheduler.loads[ReplicaID(number: stuck.replica)]?.state == .stuck)
        test.scheduler.setApplication(Self.application, hedging: Hedging(quantile: 0.95, maxExtraWork: 1))
        test.submit(1001, due: start + .seconds(9), now: start + .milliseconds(70))
        #expect(test.dispatch(now: start + .milliseconds(70)).map(\.items) == [[1001]])
        test.tick(now: start + .milliseconds(85))
        #expect(test.dispatch(now: start + .milliseconds(85)).isEmpty)
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 0)
    }
}
