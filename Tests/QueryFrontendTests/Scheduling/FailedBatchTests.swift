import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: replicas that say that they failed")
struct FailedBatchTests {
    private func fail(
        _ batch: SchedulerUnderTest.Sent, _ code: FailureCode, in test: inout SchedulerUnderTest, now: Duration = .zero
    ) {
        test.scheduler.fail(
            batch: batch.id, on: ReplicaID(number: batch.replica), code, "why", now: at(now))
        test.takeAnswers()
    }

    @Test("Of a batch with one bad query, that one gets the model's words and the others their outputs")
    func itemError() throws {
        var test = SchedulerUnderTest()
        test.submit(1, 2, 3)
        let batch = try #require(test.dispatch().first)
        var outputs: Outputs = ["1", "", "3"]
        outputs.errors = [ItemError(index: 1, code: .invalidInput, text: "two is too many")]
        let completed = test.scheduler.complete(
            batch: batch.id, on: ReplicaID(number: 0), outputs, now: at(.milliseconds(1)))
        test.takeAnswers()
        #expect(completed?.size == 3)
        #expect(
            test.outcomes == [1: .output("1"), 2: .failed(.invalidInput, "two is too many"), 3: .output("3")])
        #expect(test.dispatch().isEmpty)
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("A batch that the model failed is not tried elsewhere: its queries hear of it")
    func modelError() throws {
        var test = SchedulerUnderTest(replicas: 2)
        test.submit(1, 2)
        for batch in test.dispatch() { fail(batch, .modelError, in: &test) }
        #expect(test.outcomes == [1: .failed(.modelError, "why"), 2: .failed(.modelError, "why")])
        #expect(test.dispatch().isEmpty)
    }

    @Test("A batch that was too late costs its queries their answer; nothing is learned of what it took")
    func tooLate() throws {
        var test = SchedulerUnderTest()
        test.submit(1)
        fail(try #require(test.dispatch().first), .tooLate, in: &test)
        #expect(test.outcomes == [1: .defaultOutput(.deadline)])
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.intercept == nil)
    }

    @Test("Who asked the same later, and has more time than the batch had, gets a computation of its own")
    func tooLateForTheFirst() throws {
        var test = SchedulerUnderTest()
        test.group = { _ in 7 }
        test.submit(1, due: .seconds(1))
        let batch = try #require(test.dispatch().first)
        test.submit(2, due: .seconds(3))
        test.tick(now: .seconds(1))
        fail(batch, .tooLate, in: &test, now: .seconds(2))
        #expect(test.outcomes == [1: .defaultOutput(.deadline)])
        test.complete(try #require(test.dispatch(now: .seconds(2)).first), now: .seconds(2))
        #expect(test.outcomes[2] == .output("7"))
    }

    @Test("A batch that was too large is sent again in smaller ones; a query that is too large alone hears of it")
    func tooLarge() throws {
        var test = SchedulerUnderTest(limit: 4, slotsPerReplica: 1)
        for item in 1...4 { test.submit(item, due: .seconds(item)) }
        let whole = try #require(test.dispatch().first)
        #expect(whole.items == [1, 2, 3, 4])
        fail(whole, .tooLarge, in: &test)
        #expect(test.outcomes.isEmpty)
        let counters = { test.scheduler.counters(of: SchedulerUnderTest.model) }
        #expect(counters().retries == 0)
        test.scheduler.dispatch(now: at(.zero))
        // Its waiting for its turn was counted when it was sent for the first time.
        let again = try #require(test.scheduler.effects.dispatches.first)
        #expect(again.arrivals.isEmpty)
        #expect(counters().retries == 2)
        let half = SchedulerUnderTest.Sent(id: again.batch, replica: 0, items: [1, 2])
        #expect(again.inputs.count == 2)
        test.takeAnswers()
        fail(half, .tooLarge, in: &test)
        let one = try #require(test.dispatch().first)
        #expect(one.items == [1])
        fail(one, .tooLarge, in: &test)
        // That one was to blame, and not how many they were.
        let rest = try #require(test.dispatch().first)
        #expect(rest.items == [2, 3, 4])
        test.complete(rest)
        #expect(test.outcomes == [1: .failed(.modelError, "why"), 2: .output("2"), 3: .output("3"), 4: .output("4")])
        #expect(test.scheduler.underWayCount(of: SchedulerUnderTest.model) == 0)
    }

    @Test("A replica that leaves gets nothing more, even where there is no other")
    func leaving() {
        var test = SchedulerUnderTest()
        test.submit(1)
        test.scheduler.setLeaving(ReplicaID(number: 0))
        #expect(test.dispatch().isEmpty)
        test.scheduler.setDraining(false, ReplicaID(number: 0))
        #expect(test.dispatch().isEmpty)
    }

    @Test("What one replica could not compute, another does; after two of them it is given up")
    func unavailable() throws {
        var test = SchedulerUnderTest(replicas: 2)
        test.submit(1)
        fail(try #require(test.dispatch().first), .unavailable, in: &test)
        #expect(test.outcomes.isEmpty)
        fail(try #require(test.dispatch().first), .unavailable, in: &test)
        #expect(test.outcomes == [1: .defaultOutput(.lostTwice)])
    }

    /// Replica 0, which takes 10 ms for a batch and has nothing to do.
    private func oneThatIsWell() throws -> (SchedulerUnderTest, now: Duration) {
        var test = SchedulerUnderTest()
        var now = Duration.zero
        for item in 100..<130 {
            test.submit(item, due: now + .seconds(1), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10)
            test.complete(batch, now: now)
        }
        return (test, now)
    }

    @Test(
        "What a new replica could not compute goes to the one that is well, and no further query to the new one",
        arguments: [FailureCode.unavailable, .modelError])
    func failingReplica(code: FailureCode) throws {
        var (test, now) = try oneThatIsWell()
        test.addReplica(1, now: now)
        test.submit(1, due: now + .seconds(1), now: now)
        let first = try #require(test.dispatch(now: now).first)
        #expect(first.replica == 1)
        fail(first, code, in: &test, now: now)
        #expect(test.dispatch(now: now).map(\.replica) == (code == .unavailable ? [0] : []))
        #expect(test.scheduler.counters(of: SchedulerUnderTest.model).hedgesWon == 0)
        for item in 2..<5 {
            test.submit(item, due: now + .seconds(1), now: now)
            for batch in test.dispatch(now: now) {
                #expect(batch.replica == 0)
                now += .milliseconds(10)
                test.complete(batch, now: now)
            }
        }
    }

    @Test("What a replica refused goes back to it where the other one that has room would be too late")
    func slowOther() throws {
        var (test, now) = try oneThatIsWell()
        // Replica 1 takes 200 ms.
        test.addReplica(1, now: now)
        test.scheduler.setDraining(true, ReplicaID(number: 0))
        for item in 200..<220 {
            test.submit(item, due: now + .seconds(1), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(200)
            test.complete(batch, now: now)
        }
        test.scheduler.setDraining(false, ReplicaID(number: 0))
        test.scheduler.setDraining(true, ReplicaID(number: 1))
        test.submit(1, 2, due: now + .milliseconds(100), now: now)
        let batch = try #require(test.dispatch(now: now).first)
        test.scheduler.setDraining(false, ReplicaID(number: 1))
        var outputs: Outputs = ["1", ""]
        outputs.errors = [ItemError(index: 1, code: .unavailable, text: "not now")]
        now += .milliseconds(10)
        test.scheduler.complete(batch: batch.id, on: ReplicaID(number: 0), outputs, now: at(now))
        #expect(test.dispatch(now: now).map(\.replica) == [0])
    }

    @Test(
        "Of what a replica refused, what the other has no room for goes back to it at once, whichever is looked at first",
        arguments: [0, 1])
    func noRoomElsewhere(turns: Int) throws {
        var test = SchedulerUnderTest(replicas: 2)
        var now = Duration.zero
        // Each takes 10 ms for a batch.
        for round in 0..<(20 + turns) {
            test.submit(100 + round, due: now + .seconds(60), now: now)
            let batch = try #require(test.dispatch(now: now).first)
            now += .milliseconds(10)
            test.complete(batch, now: now)
        }
        test.submit(1, due: now + .seconds(60), now: now)
        let failing = try #require(test.dispatch(now: now).first)
        fail(failing, .modelError, in: &test, now: now)
        // It rests, and the other gets both.
        test.submit(2, 3, due: now + .seconds(60), now: now)
        let refused = try #require(test.dispatch(now: now).first)
        try #require(refused.replica != failing.replica && refused.items == [2, 3])
        // It is tried again, and is about to take another batch when the other one refuses.
        now += .milliseconds(3)
        test.submit(4, due: now + .seconds(60), now: now)
        let tried = try #require(test.dispatch(now: now).first)
        try #require(tried.replica == failing.replica)
        now += .milliseconds(9)
        fail(refused, .unavailable, in: &test, now: now)
        let sent = test.dispatch(now: now)
        #expect(sent.flatMap(\.items).sorted() == [2, 3])
        #expect(Set(sent.map(\.replica)) == [0, 1])
    }

    @Test("A replica that has failed is tried again with one query, after a rest that grows with each failure")
    func triedAgain() throws {
        var (test, now) = try oneThatIsWell()
        test.addReplica(1, now: now)
        var rests: [Duration] = []
        for round in 0..<4 {
            // More waits than replica 0 takes.
            for item in 0..<40 { test.submit(1000 * (round + 1) + item, due: now + .seconds(60), now: now) }
            let start = now
            var tried: SchedulerUnderTest.Sent?
            while tried == nil, now < start + .seconds(1) {
                tried = test.dispatch(now: now).first { $0.replica == 1 }
                now += .milliseconds(1)
                test.tick(now: now)
            }
            let batch = try #require(tried)
            #expect(round == 0 || batch.items.count == 1)
            fail(batch, .unavailable, in: &test, now: now)
            rests.append(now - start)
        }
        #expect(rests == rests.sorted() && rests[3] > rests[1])
    }

    @Test("What waits is not shared with a replica that fails, or that has not answered yet", arguments: [true, false])
    func noShareForOthers(fails: Bool) throws {
        var (test, now) = try oneThatIsWell()
        test.register(Batching(limit: .fixed(40)))
        test.addReplica(1, now: now)
        test.submit(1, due: now + .seconds(60), now: now)
        let first = try #require(test.dispatch(now: now).first)
        #expect(first.replica == 1)
        if fails { fail(first, .modelError, in: &test, now: now) }
        for item in 100_000..<100_040 { test.submit(item, due: now + .seconds(60), now: now) }
        let batch = try #require(test.dispatch(now: now).first)
        #expect(batch.replica == 0 && batch.items.count == 40)
    }

    @Test("What the only replica that is well has refused does not wait for one that is not")
    func doesNotWaitForOthers() throws {
        var (test, now) = try oneThatIsWell()
        test.addReplica(1, now: now)
        test.submit(1, due: now + .seconds(60), now: now)
        #expect(test.dispatch(now: now).map(\.replica) == [1])
        test.submit(2, 3, due: now + .seconds(60), now: now)
        test.register(Batching(limit: .fixed(2)))
        let batch = try #require(test.dispatch(now: now).first)
        var outputs: Outputs = ["", "3"]
        outputs.errors = [ItemError(index: 0, code: .unavailable, text: "no")]
        now += .milliseconds(10)
        test.scheduler.complete(batch: batch.id, on: ReplicaID(number: 0), outputs, now: at(now))
        #expect(test.dispatch(now: now).map(\.items) == [[2]])
    }

    @Test("A replica that refuses everything is asked all the same where there is no other")
    func onlyOne() throws {
        var test = SchedulerUnderTest()
        test.submit(1)
        fail(try #require(test.dispatch().first), .unavailable, in: &test)
        #expect(test.dispatch().map(\.items) == [[1]])
    }

    @Test("A batch without any output is no measure of what batches take")
    func teachesNothing() throws {
        var test = SchedulerUnderTest()
        test.submit(1)
        let batch = try #require(test.dispatch().first)
        var outputs: Outputs = [""]
        outputs.errors = [ItemError(index: 0, code: .invalidInput, text: "no")]
        test.scheduler.complete(batch: batch.id, on: ReplicaID(number: 0), outputs, now: at(.milliseconds(1)))
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.intercept == nil)
    }

    @Test("Of those that share a computation the first hears of its failure, and the next gets one of its own")
    func shared() throws {
        var test = SchedulerUnderTest()
        test.group = { _ in 7 }
        test.submit(1, due: .seconds(1))
        let first = try #require(test.dispatch().first)
        test.submit(2, due: .seconds(2))
        fail(first, .modelError, in: &test)
        #expect(test.outcomes == [1: .failed(.modelError, "why")])
        test.complete(try #require(test.dispatch().first))
        #expect(test.outcomes[2] == .output("7"))
    }

    @Test("Where the second computation fails as well, all hear of it who had come before it was sent")
    func sharedFailsTwice() throws {
        var test = SchedulerUnderTest()
        test.group = { _ in 7 }
        test.submit(1, now: .zero)
        let first = try #require(test.dispatch(now: .zero).first)
        test.submit(2, 3, 4, now: .milliseconds(1))
        fail(first, .modelError, in: &test, now: .milliseconds(2))
        #expect(test.outcomes == [1: .failed(.modelError, "why")])
        let second = try #require(test.dispatch(now: .milliseconds(2)).first)
        test.submit(5, now: .milliseconds(3))
        fail(second, .invalidInput, in: &test, now: .milliseconds(4))
        #expect(test.outcomes.count == 4)
        #expect([2, 3, 4].allSatisfy { test.outcomes[$0] == .failed(.invalidInput, "why") })
        test.complete(try #require(test.dispatch(now: .milliseconds(4)).first), now: .milliseconds(5))
        #expect(test.outcomes[5] == .output("7"))
        #expect(test.scheduler.pendingCount == 0)
        #expect(test.answeredAgain.isEmpty)
    }

    @Test("Who came before the second was sent hears of its failure, also where one is due sooner that came later")
    func sharedFailsTwiceForTheLastToo() throws {
        var test = SchedulerUnderTest()
        test.group = { _ in 7 }
        test.submit(1, due: .seconds(1), now: .zero)
        let first = try #require(test.dispatch(now: .zero).first)
        test.submit(2, due: .seconds(1), now: .milliseconds(1))
        test.submit(3, due: .seconds(9), now: .milliseconds(1))
        fail(first, .modelError, in: &test, now: .milliseconds(2))
        let second = try #require(test.dispatch(now: .milliseconds(2)).first)
        test.submit(4, due: .seconds(2), now: .milliseconds(3))
        fail(second, .modelError, in: &test, now: .milliseconds(4))
        #expect(test.outcomes.keys.sorted() == [1, 2, 3])
        test.complete(try #require(test.dispatch(now: .milliseconds(4)).first), now: .milliseconds(5))
        #expect(test.outcomes[4] == .output("7"))
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("A query that one replica refuses goes there again where the other, which fails too, is too slow for it")
    func refusedByTheOnlyQuickOne() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2, slotsPerReplica: 1)
        var now = Duration.zero
        // Replica 0 takes 1 ms, replica 1 takes 10 ms.
        for round in 0..<30 {
            test.submit(2 * round, 2 * round + 1, due: now + .seconds(1), now: now)
            let sent = test.dispatch(now: now).sorted { $0.replica < $1.replica }
            try #require(sent.map(\.replica) == [0, 1])
            test.complete(sent[0], now: now + .milliseconds(1))
            test.complete(sent[1], now: now + .milliseconds(10))
            now += .milliseconds(10)
        }
        test.submit(1000, 1001, due: now + .seconds(1), now: now)
        for batch in test.dispatch(now: now) {
            if batch.replica == 1 {
                fail(batch, .modelError, in: &test, now: now)
            } else {
                test.complete(batch, now: now)
            }
        }
        test.submit(2000, due: now + .milliseconds(6), now: now)
        let first = try #require(test.dispatch(now: now).first)
        #expect(first.replica == 0)
        fail(first, .unavailable, in: &test, now: now)
        #expect(test.dispatch(now: now).map { [$0.replica] + $0.items } == [[0, 2000]])
    }

    @Test("A failure of a batch that is not in flight there is for nobody")
    func unknown() throws {
        var test = SchedulerUnderTest(replicas: 2)
        test.submit(1)
        let batch = try #require(test.dispatch().first)
        fail(
            SchedulerUnderTest.Sent(id: batch.id, replica: 1 - batch.replica, items: []), .modelError, in: &test)
        #expect(test.outcomes.isEmpty)
        test.complete(batch)
        #expect(test.outcomes == [1: .output("1")])
    }

    @Test("A replica gets no more than it takes: queries in a batch, and batches")
    func capacity() {
        var test = SchedulerUnderTest(replicas: 0)
        test.scheduler.addReplica(
            ReplicaID(number: 0), of: SchedulerUnderTest.model, inputType: .bytes,
            capacity: ReplicaCapacity(largestBatch: 3, batchesInFlight: 1), now: at(.zero))
        test.submit(1, 2, 3, 4, 5)
        #expect(test.dispatch().map(\.items) == [[1, 2, 3]])
        #expect(test.dispatch().isEmpty)
    }

    @Test("A batch says when no answer to it is of use any more")
    func expires() {
        var test = SchedulerUnderTest()
        test.submit(1, due: .seconds(1))
        test.submit(2, due: .seconds(3))
        test.scheduler.dispatch(now: at(.zero))
        #expect(test.scheduler.effects.dispatches.map(\.expires) == [at(.seconds(3))])
    }

    @Test("A batch is of use for as long as the last one waits who shares one of its queries")
    func expiresWithTheLastWhoShares() {
        var test = SchedulerUnderTest()
        test.group = { _ in 7 }
        test.submit(1, due: .seconds(1))
        test.submit(2, due: .seconds(3))
        test.scheduler.dispatch(now: at(.zero))
        #expect(test.scheduler.effects.dispatches.map(\.expires) == [at(.seconds(3))])
    }

    @Test("What a replica finds too late, with time left, goes to another that can have it in time")
    func tooLateHere() throws {
        var (test, now) = try SchedulerUnderTest.learned()
        test.submit(1000, due: now + .seconds(1), now: now)
        let rash = try #require(test.dispatch(now: now).first)
        fail(rash, .tooLate, in: &test, now: now)
        #expect(test.outcomes[1000] == nil)
        let other = try #require(test.dispatch(now: now).first)
        #expect(other.items == [1000] && other.replica != rash.replica)
        // It is not the first to be asked any more, however quickly it refuses.
        now += .milliseconds(10)
        test.complete(other, now: now)
        for item in 2000..<2004 {
            now += .milliseconds(1)
            test.submit(item, due: now + .seconds(1), now: now)
            let next = try #require(test.dispatch(now: now).first)
            #expect(next.replica == other.replica)
            now += .milliseconds(10)
            test.complete(next, now: now)
        }
    }

    @Test("Where all replicas find at once too late what has time left, none of them rests because of the other")
    func tooLateEverywhere() throws {
        var (test, now) = try SchedulerUnderTest.learned()
        test.submit(1000, 1001, due: now + .seconds(1), now: now)
        let both = test.dispatch(now: now)
        #expect(Set(both.map(\.replica)) == [0, 1])
        for batch in both { fail(batch, .tooLate, in: &test, now: now) }
        // Each goes to the other, and is not tried a third time.
        for batch in test.dispatch(now: now) { fail(batch, .tooLate, in: &test, now: now) }
        #expect(test.outcomes[1000] == .defaultOutput(.lostTwice))
        #expect(test.outcomes[1001] == .defaultOutput(.lostTwice))
        test.submit(1002, 1003, due: now + .seconds(1), now: now)
        #expect(test.dispatch(now: now).count == 2)
    }

    @Test("A second copy that is refused as too late leaves the first one to answer")
    func tooLateHedge() throws {
        var (test, now) = try SchedulerUnderTest.learned()
        test.submit(1000, due: now + .seconds(1), now: now)
        let slow = try #require(test.dispatch(now: now).first)
        // It is stuck by now: another gets what it has.
        now += .milliseconds(200)
        test.tick(now: now)
        let other = try #require(test.dispatch(now: now).first)
        fail(other, .tooLate, in: &test, now: now)
        #expect(test.outcomes[1000] == nil)
        test.complete(slow, now: now + .milliseconds(10))
        #expect(test.outcomes[1000] == .output("1000"))
    }
}
