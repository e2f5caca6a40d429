import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: the door")
struct AdmissionTests {
    @Test("A query beyond the most that may wait is turned away; the others are served")
    func fullByCount() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1, queuedQueries: 2)
        test.submit(0)
        #expect(test.dispatch().count == 1)
        test.submit(1, 2, 3)
        #expect(test.outcomes == [3: .defaultOutput(.queueFull)])
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 2)
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).queueFull == 1)
    }

    @Test("The bytes of what waits are bounded, and count for nothing once it is sent")
    func fullByBytes() throws {
        // Inputs are of four bytes.
        var tiny = SchedulerUnderTest(queuedBytes: 3)
        tiny.submit(1)
        #expect(tiny.outcomes == [1: .defaultOutput(.inputTooLarge)], "nothing has to wait for it to be too large")
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1, queuedBytes: 8)
        test.submit(0)
        let first = try #require(test.dispatch().first)
        test.submit(1, 2, 3)
        #expect(test.outcomes == [3: .defaultOutput(.queueFull)])
        #expect(test.scheduler.queuedBytes(of: SchedulerUnderTest.model) == 8)
        test.complete(first)
        #expect(test.dispatch().count == 1)
        #expect(test.scheduler.queuedBytes(of: SchedulerUnderTest.model) == 4)
        test.submit(4)
        #expect(test.outcomes[4] == nil)
    }

    /// A scheduler that has learned that a batch of n takes 10 ms + n ms, and serves at most ten at a time.
    private func learned(slots: Int = 1) throws -> (SchedulerUnderTest, now: Duration) {
        var test = SchedulerUnderTest(limit: 10, slotsPerReplica: slots)
        var now = Duration.zero
        for round in 0..<40 {
            let size = round % 10 + 1
            for item in 0..<size { test.submit(round * 10 + item, due: now + .seconds(1), now: now) }
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10 + size)
            test.complete(batch, now: now)
        }
        return (test, now)
    }

    /// The same, and replica 1, which has taken 100 ms for its only query.
    private func learnedBesideSlowReplica() throws -> (SchedulerUnderTest, Duration) {
        var (test, now) = try learned()
        test.addReplica(1, now: now)
        test.submit(1000, due: now + .seconds(1), now: now)
        let slow = try #require(test.dispatch(now: now).first)
        #expect(slow.replica == 1)
        now += .milliseconds(100)
        test.complete(slow, now: now)
        return (test, now)
    }

    @Test("A query that cannot be answered in time behind all that waits is turned away at once")
    func predictedLate() throws {
        var (test, now) = try learned()
        for item in 1000..<1010 { test.submit(item, due: now + .seconds(1), now: now) }
        #expect(test.dispatch(now: now).count == 1)
        // Ten are in flight for 20 ms; then ten more for as long, and the eleventh must wait for those too.
        for item in 2000..<2011 { test.submit(item, due: now + .milliseconds(45), now: now) }
        #expect(test.outcomes[2009] == nil)
        #expect(test.outcomes[2010] == .defaultOutput(.predictedLate))
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).predictedLate == 1)
    }

    @Test("What a replica could do that has not answered yet keeps nobody waiting in vain")
    func unprovenReplica() throws {
        var (test, now) = try learned()
        for item in 1000..<1010 { test.submit(item, due: now + .seconds(1), now: now) }
        #expect(test.dispatch(now: now).count == 1)
        test.addReplica(1, now: now)
        test.submit(1500, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).map(\.replica) == [1])
        for item in 2000..<2011 { test.submit(item, due: now + .milliseconds(45), now: now) }
        #expect(test.outcomes[2009] == nil)
        #expect(test.outcomes[2010] == .defaultOutput(.predictedLate))
    }

    /// Replica 0, which takes 1 ms + n × 0.1 ms, and replica 1, which takes 15 ms + n × 0.8 ms; both have answered often.
    private func learnedUnequal() throws -> (SchedulerUnderTest, Duration) {
        var test = SchedulerUnderTest(limit: 200, replicas: 2, slotsPerReplica: 1)
        var now = Duration.zero
        for round in 0..<60 {
            let size = 2 * (round % 8 + 1) + (round > 30 ? 200 : 0)
            for item in 0..<size { test.submit(round * 1000 + item, due: now + .seconds(9), now: now) }
            let batches = test.dispatch(now: now)
            #expect(batches.count == 2)
            for batch in batches.sorted(by: { $0.replica < $1.replica }) {
                let time =
                    batch.replica == 0
                    ? Duration.milliseconds(1) + .microseconds(100) * batch.items.count
                    : .milliseconds(15) + .microseconds(800) * batch.items.count
                test.complete(batch, now: now + time)
            }
            now += .milliseconds(200)
        }
        return (test, now)
    }

    @Test("Of unequal replicas each is expected to do what it can: what the quick one answers in time is let in")
    func unequalReplicas() throws {
        var (test, now) = try learnedUnequal()
        test.register(Batching(limit: .deadline))
        // The slow one is busy; the quick one has nothing to do, and takes 11 ms for a hundred.
        test.submit(100_000, 100_001, due: now + .seconds(9), now: now)
        for batch in test.dispatch(now: now) where batch.replica == 0 {
            test.complete(batch, now: now + .milliseconds(1))
        }
        now += .milliseconds(1)
        for item in 200_000..<200_100 { test.submit(item, due: now + .milliseconds(20), now: now) }
        #expect(test.outcomes.keys.filter { $0 >= 200_000 }.isEmpty)
        #expect(test.dispatch(now: now).first?.items.count == 100)
    }

    @Test("Applications with different SLOs are each judged by their own")
    func severalSLOs() throws {
        var (test, now) = try learned()
        for item in 1000..<1010 { test.submit(item, due: now + .seconds(1), now: now) }
        #expect(test.dispatch(now: now).count == 1)
        for round in 0..<3 {
            // Ten are in flight for 20 ms: one that is due before is turned away, whoever came before it.
            for (number, milliseconds) in [500, 18, 400, 18, 300, 18, 200, 18, 100, 18].enumerated() {
                let item = 2000 + 10 * round + number
                test.submit(item, due: now + .milliseconds(milliseconds), now: now)
                #expect((test.outcomes[item] == .defaultOutput(.predictedLate)) == (milliseconds == 18))
            }
        }
    }

    @Test("Those who share a computation take places that distinct queries then do not find")
    func sharersTakePlaces() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1, queuedQueries: 4)
        test.group = { $0 < 10 ? 7 : $0 }
        test.submit(0)
        #expect(test.dispatch().count == 1)
        test.submit(1, 2, 3)
        test.submit(10)
        #expect(test.outcomes.isEmpty)
        test.submit(11, 4)
        #expect(test.outcomes == [11: .defaultOutput(.queueFull), 4: .defaultOutput(.queueFull)])
    }

    @Test("One that is due before those that wait is not turned away for their sake")
    func earlierDeadline() throws {
        var (test, now) = try learned()
        for item in 1000..<1010 { test.submit(item, due: now + .seconds(9), now: now) }
        #expect(test.dispatch(now: now).count == 1)
        for item in 2000..<2100 { test.submit(item, due: now + .seconds(9), now: now) }
        test.submit(3000, due: now + .milliseconds(45), now: now)
        #expect(test.outcomes[3000] == nil)
    }

    @Test("A query that nothing waits before is tried however slow the model was: so it is seen to become quicker")
    func triesIdleReplica() throws {
        var (test, now) = try learned()
        test.submit(5000, due: now + .milliseconds(2), now: now)
        let batch = try #require(test.dispatch(now: now).first)
        #expect(batch.items == [5000])
        test.complete(batch, now: now + .milliseconds(1))
        #expect(test.outcomes[5000] == .output("5000"))
    }

    @Test("So it is where another replica is quicker, and busy: that one does not give it up for the idle one")
    func triesIdleReplicaBesideBusyOne() throws {
        var (test, now) = try learnedBesideSlowReplica()
        test.submit(1001, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).map(\.replica) == [0])
        // The quick one takes 11 ms, and is about to be given its next batch.
        now += .milliseconds(10)
        test.submit(2000, due: now + .milliseconds(5), now: now)
        let batch = try #require(test.dispatch(now: now).first)
        #expect(batch.replica == 1)
        #expect(batch.items == [2000])
    }

    @Test("A lone query waits for a busy replica that will be in time, where the idle one would not be")
    func waitsForQuickReplica() throws {
        var (test, now) = try learnedBesideSlowReplica()
        test.submit(1001, due: now + .seconds(1), now: now)
        let busy = try #require(test.dispatch(now: now).first)
        #expect(busy.replica == 0)
        // It takes 11 ms, and the idle one a hundred.
        test.submit(2000, due: now + .milliseconds(50), now: now)
        #expect(test.dispatch(now: now).isEmpty)
        now += .milliseconds(11)
        test.complete(busy, now: now)
        #expect(test.dispatch(now: now).map(\.replica) == [0])
    }

    @Test("What has become too old while it waited is given up for those that can still be served")
    func earlyDrop() throws {
        var (test, now) = try learned()
        test.submit(1000, due: now + .seconds(1), now: now)
        let batch = try #require(test.dispatch(now: now).first)
        test.submit(2000, due: now + .milliseconds(25), now: now)
        test.submit(3000, due: now + .milliseconds(90), now: now)
        // The batch takes three times as long as it should: 2000 has no time left for one of its own.
        now += .milliseconds(20)
        test.complete(batch, now: now)
        #expect(test.dispatch(now: now).map(\.items) == [[3000]])
        #expect(test.outcomes[2000] == .defaultOutput(.predictedLate))
    }

    @Test("An input more must fit into the bytes that may wait, wholly")
    func fullByBytesUnevenly() {
        // Inputs are of four bytes.
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1, queuedBytes: 10)
        test.submit(0)
        #expect(test.dispatch().count == 1)
        test.submit(1, 2, 3)
        #expect(test.outcomes == [3: .defaultOutput(.queueFull)])
        #expect(test.scheduler.queuedBytes(of: SchedulerUnderTest.model) == 8)
    }

    @Test("Queries whose place in the queue has changed count once at the door")
    func outdatedPlaces() throws {
        var test = SchedulerUnderTest(limit: 10, slotsPerReplica: 1)
        var now = Duration.zero
        for round in 0..<40 {
            let size = round % 10 + 1
            for item in 0..<size { test.submit(round * 10 + item, due: now + .seconds(1), now: now) }
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10 + size)
            test.complete(batch, now: now)
        }
        // Ten are in flight for 20 ms, and many wait that are due later.
        for item in 1000..<1010 { test.submit(item, due: now + .seconds(9), now: now) }
        #expect(test.dispatch(now: now).count == 1)
        for item in 5000..<5020 { test.submit(item, due: now + .seconds(9), now: now) }
        // Five are due soon, and sooner since others have joined them.
        test.group = { $0 >= 3000 ? $0 - 1000 : $0 }
        for item in 2000..<2005 { test.submit(item, due: now + .milliseconds(45), now: now) }
        for item in 3000..<3005 { test.submit(item, due: now + .milliseconds(44), now: now) }
        test.group = nil
        // It is the sixth of the next batch, not the eleventh.
        test.submit(4000, due: now + .milliseconds(45), now: now)
        #expect(test.outcomes[4000] == nil)
    }
}
