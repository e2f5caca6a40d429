import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: delayed batching")
struct DelayedBatchingTests {
    /// A model whose batches take 10 ms whatever their size, that may wait for company, and has had a query every 2 ms.
    private func learned(_ maxDelay: Duration, every gap: Duration = .milliseconds(2)) -> (
        SchedulerUnderTest, now: Duration
    ) {
        var test = SchedulerUnderTest(limit: 8, slotsPerReplica: 1)
        test.register(Batching(limit: .fixed(8), maxDelay: maxDelay))
        var now = Duration.zero
        var inFlight: (batch: SchedulerUnderTest.Sent, ends: Duration)?
        for item in 0..<400 {
            now += gap
            if let done = inFlight, done.ends <= now {
                test.complete(done.batch, now: now)
                inFlight = nil
            }
            test.submit(item, due: now + .seconds(1), now: now)
            test.tick(now: now)
            if let batch = test.dispatch(now: now).first { inFlight = (batch, now + .milliseconds(10)) }
        }
        if let inFlight { test.complete(inFlight.batch, now: inFlight.ends) }
        now = max(now, inFlight?.ends ?? now)
        for batch in test.dispatch(now: now) { test.complete(batch, now: now + .milliseconds(10)) }
        return (test, now + .milliseconds(10))
    }

    @Test("A replica with nothing to do waits for company, as long as it may, when the next query is expected soon")
    func waits() throws {
        var (test, now) = learned(.milliseconds(5))
        test.submit(1000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).isEmpty)
        test.submit(1001, due: now + .seconds(1), now: now + .milliseconds(2))
        #expect(test.dispatch(now: now + .milliseconds(2)).isEmpty)
        test.tick(now: now + .milliseconds(5))
        #expect(test.dispatch(now: now + .milliseconds(5)).map(\.items) == [[1000, 1001]])
    }

    @Test("A full batch does not wait")
    func full() {
        var (test, now) = learned(.milliseconds(5))
        for item in 1000..<1008 { test.submit(item, due: now + .seconds(1), now: now) }
        #expect(test.dispatch(now: now).map(\.items) == [Array(1000..<1008)])
    }

    @Test("It does not wait where the deadline leaves no time for it")
    func deadline() {
        var (test, now) = learned(.milliseconds(5))
        test.submit(1000, due: now + .milliseconds(12), now: now)
        let sent = test.dispatch(now: now)
        test.tick(now: now + .milliseconds(2))
        #expect(sent.count + test.dispatch(now: now + .milliseconds(2)).count == 1)
    }

    @Test("Where it may wait for as long as the deadline allows, it waits for half of what the model leaves of that")
    func half() {
        var (test, now) = learned(.milliseconds(5))
        test.register(Batching(limit: .fixed(8), maxDelay: .seconds(60)))
        // The model takes 10 ms of the 50.
        for (item, time) in [(1000, Duration.zero), (1001, .milliseconds(7)), (1002, .milliseconds(14))] {
            test.submit(item, due: now + .milliseconds(50), now: now + time)
            #expect(test.dispatch(now: now + time).isEmpty)
        }
        test.tick(now: now + .milliseconds(22))
        #expect(test.dispatch(now: now + .milliseconds(22)).map(\.items) == [[1000, 1001, 1002]])
    }

    @Test("It waits no longer once the next query is later than what company saves")
    func silence() throws {
        var (test, now) = learned(.milliseconds(5))
        test.register(Batching(limit: .fixed(8), maxDelay: .seconds(60)))
        test.submit(1000, due: now + .seconds(300), now: now)
        #expect(test.dispatch(now: now).isEmpty)
        let next = try #require(test.scheduler.deadline)
        #expect(next <= at(now + .milliseconds(10)))
        test.tick(now: now + .milliseconds(10))
        #expect(test.dispatch(now: now + .milliseconds(10)).map(\.items) == [[1000]])
    }

    @Test("It does not wait when the next query is expected later than what company saves")
    func rare() {
        var (test, now) = learned(.milliseconds(50), every: .milliseconds(100))
        test.submit(1000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
    }

    @Test("By default nothing waits")
    func off() {
        var (test, now) = learned(.zero)
        test.submit(1000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
    }

    @Test("A replica that drains waits for no company: none comes any more")
    func drainsAtOnce() {
        var test = SchedulerUnderTest(limit: 8, slotsPerReplica: 1)
        test.register(Batching(limit: .fixed(8), maxDelay: .milliseconds(5)))
        var now = Duration.zero
        for item in 0..<40 {
            test.submit(item, due: now + .seconds(1), now: now)
            test.tick(now: now + .milliseconds(5))
            for batch in test.dispatch(now: now + .milliseconds(5)) {
                test.complete(batch, now: now + .milliseconds(15))
            }
            now += .milliseconds(15)
        }
        for item in 40..<60 {
            now += .milliseconds(1)
            test.submit(item, due: now + .seconds(1), now: now)
        }
        while let batch = test.dispatch(now: now).first {
            now += .milliseconds(10)
            test.complete(batch, now: now)
        }
        for item in 60..<120 {
            now += .microseconds(100)
            test.submit(item, due: now + .seconds(9), now: now)
            while let batch = test.dispatch(now: now).first {
                now += .milliseconds(10)
                test.complete(batch, now: now)
            }
            test.tick(now: now)
        }
        test.tick(now: now + .milliseconds(6))
        while let batch = test.dispatch(now: now + .milliseconds(6)).first {
            test.complete(batch, now: now + .milliseconds(16))
        }
        now += .milliseconds(17)
        test.submit(1000, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).isEmpty, "it waits for company")
        test.scheduler.setDraining(true, ReplicaID(number: 0))
        #expect(test.dispatch(now: now).map(\.items) == [[1000]])
    }
}
