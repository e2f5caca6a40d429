import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: which queries are sent to whom")
struct SchedulerDispatchTests {
    @Test("Queries that come together travel together, the earliest deadline first")
    func batches() {
        var test = SchedulerUnderTest()
        test.submit(1, due: .seconds(3))
        test.submit(2, due: .seconds(1))
        test.submit(3, due: .seconds(2))
        #expect(test.dispatch().map(\.items) == [[2, 3, 1]])
    }

    @Test("A query that waits alone is sent alone: nothing waits for a fuller batch")
    func workConserving() {
        var test = SchedulerUnderTest()
        test.submit(1)
        #expect(test.dispatch().map(\.items) == [[1]])
        test.submit(2)
        #expect(test.dispatch().map(\.items) == [[2]])
    }

    @Test("It is at rest while no query waits and no batch is in flight, not even one that nobody waits for")
    func rests() throws {
        var test = SchedulerUnderTest()
        #expect(test.scheduler.isAtRest)
        test.submit(1, due: .seconds(1))
        #expect(!test.scheduler.isAtRest)
        let batch = try #require(test.dispatch().first)
        test.tick(now: .seconds(2))
        #expect(test.outcomes.count == 1)
        #expect(!test.scheduler.isAtRest)
        test.complete(batch)
        #expect(test.scheduler.isAtRest)
    }

    @Test("A version that is deleted, with nothing under way and no replica, is looked at no more")
    func inUse() {
        var scheduler = Scheduler()
        let settings = ModelSettings(inputType: .bytes)
        for index in 0..<100 {
            scheduler.setModel(ModelHandle(index: index), settings)
            scheduler.dispatch(now: at(.zero))
            scheduler.removeModel(ModelHandle(index: index))
            scheduler.dispatch(now: at(.zero))
        }
        #expect(scheduler.inUse.isEmpty)
        scheduler.setModel(ModelHandle(index: 70), settings)
        scheduler.addReplica(ReplicaID(number: 0), of: ModelHandle(index: 20), inputType: .bytes, now: at(.zero))
        #expect(scheduler.inUse == [20, 70])
        scheduler.removeReplica(ReplicaID(number: 0), now: at(.zero))
        scheduler.dispatch(now: at(.zero))
        #expect(scheduler.inUse == [70])
        #expect(scheduler.isAtRest && scheduler.loads.isEmpty)
    }

    @Test("One that is deleted is looked at while its replica has a batch")
    func inUseUntilAnswered() throws {
        var test = SchedulerUnderTest(limit: 1)
        test.submit(1, due: .seconds(1))
        let batch = try #require(test.dispatch().first)
        test.scheduler.removeModel(SchedulerUnderTest.model)
        #expect(test.scheduler.inUse == [0])
        test.complete(batch)
        test.removeReplica(0, now: .zero)
        #expect(test.scheduler.inUse.isEmpty)
    }

    @Test("It tells when a replica is expected to take a batch: when the batch that it works on should be done, or now")
    func openings() throws {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        for round in 0..<20 {
            test.submit(round, now: .milliseconds(10 * round))
            let batch = try #require(test.dispatch(now: .milliseconds(10 * round)).first)
            test.complete(batch, now: .milliseconds(10 * round + 10))
        }
        _ = test.dispatch(now: .milliseconds(200))
        #expect(test.scheduler.openings == [at(.milliseconds(200))])
        test.submit(100, 101, now: .milliseconds(200))
        #expect(test.dispatch(now: .milliseconds(200)).count == 1)
        let opening = try #require(test.scheduler.openings.first)
        #expect(opening > at(.milliseconds(209)) && opening < at(.milliseconds(211)))
    }

    @Test("Of a replica that has not answered yet nobody can tell when it takes another batch")
    func opensUnknown() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.submit(1)
        #expect(test.dispatch().count == 1)
        #expect(test.scheduler.openings == [.distantPast])
    }

    @Test("Between two batches of a replica it tells the time at which the second is sent")
    func opensLater() throws {
        var test = SchedulerUnderTest(limit: 1)
        for round in 0..<20 {
            test.submit(round, now: .milliseconds(10 * round))
            let batch = try #require(test.dispatch(now: .milliseconds(10 * round)).first)
            test.complete(batch, now: .milliseconds(10 * round + 10))
        }
        test.submit(100, now: .milliseconds(200))
        #expect(test.dispatch(now: .milliseconds(200)).count == 1)
        let opening = try #require(test.scheduler.openings.first)
        #expect(opening > at(.milliseconds(205)) && opening < at(.milliseconds(210)))
    }

    @Test("Queries for a model without a replica wait for nobody: they are answered at once")
    func unservedIsOpen() {
        var test = SchedulerUnderTest(replicas: 0)
        _ = test.dispatch()
        #expect(test.scheduler.openings == [.distantPast])
        test.addReplica(0)
        _ = test.dispatch()
        test.removeReplica(0)
        _ = test.dispatch()
        #expect(test.scheduler.openings == [.distantPast])
    }

    @Test("A batch holds at most as many queries as the model allows")
    func limitsBatches() {
        var test = SchedulerUnderTest(limit: 2)
        test.submit(1, 2, 3)
        #expect(test.dispatch().map(\.items) == [[1, 2], [3]])
    }

    @Test("A replica has at most two batches in flight; what remains waits for its answer")
    func limitsBatchesInFlight() throws {
        var test = SchedulerUnderTest(limit: 1)
        test.submit(1, 2, 3, 4)
        let sent = test.dispatch()
        #expect(sent.map(\.items) == [[1], [2]])
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 2)
        #expect(test.dispatch().isEmpty)
        test.complete(try #require(sent.first))
        #expect(test.dispatch().map(\.items) == [[3]])
    }

    @Test("The number of batches in flight can be set", arguments: [1, 2, 3])
    func takesSlots(slots: Int) {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: slots)
        test.submit(1, 2, 3, 4)
        #expect(test.dispatch().count == slots)
    }

    @Test("The replica with fewer batches in flight is given the next one")
    func prefersLeastLoaded() throws {
        var test = SchedulerUnderTest(limit: 1, replicas: 2)
        test.submit(1, 2, 3, 4)
        let sent = test.dispatch()
        #expect(sent.count == 4)
        for batch in sent where batch.replica == 1 { test.complete(batch) }
        test.submit(5)
        #expect(test.dispatch().map(\.replica) == [1])
    }

    @Test("Replicas that are equally loaded take turns")
    func takesTurns() {
        var test = SchedulerUnderTest(replicas: 3)
        var replicas: [Int] = []
        for item in 0..<6 {
            test.submit(item)
            for batch in test.dispatch() {
                replicas.append(batch.replica)
                test.complete(batch)
            }
        }
        #expect(replicas.sorted() == [0, 0, 1, 1, 2, 2])
        #expect(Set(replicas.prefix(3)) == [0, 1, 2])
    }

    @Test("Two replicas share the queue of their model: each query goes to one of them")
    func sharesQueue() {
        var test = SchedulerUnderTest(limit: 2, replicas: 2)
        test.submit(1, 2, 3, 4)
        let sent = test.dispatch()
        #expect(sent.flatMap(\.items).sorted() == [1, 2, 3, 4])
        #expect(Set(sent.map(\.replica)) == [0, 1])
    }

    @Test("A replica whose input type is not its model's gets nothing")
    func refusesOtherInputType() {
        var test = SchedulerUnderTest(replicas: 0)
        test.addReplica(0, inputType: .float64)
        test.submit(1)
        #expect(test.outcomes == [1: .defaultOutput(.noReplica)])
        test.addReplica(1)
        test.submit(2)
        #expect(test.dispatch().map(\.replica) == [1])
    }

    @Test("A new limit holds from the next batch on")
    func takesNewLimit() {
        var test = SchedulerUnderTest(limit: 1)
        test.submit(1, 2, 3, 4, 5)
        let sent = test.dispatch()
        test.register(Batching(limit: .fixed(10)))
        for batch in sent { test.complete(batch) }
        #expect(test.dispatch().map(\.items) == [[3, 4, 5]])
    }

    @Test("Where all replicas drain, what waits goes out in one batch")
    func allDrain() {
        var test = SchedulerUnderTest(limit: 10)
        test.scheduler.setDraining(true, ReplicaID(number: 0))
        test.addReplica(1)
        test.submit(1, 2, 3, 4, 5)
        test.scheduler.setDraining(true, ReplicaID(number: 1))
        #expect(test.dispatch().map(\.items) == [[1, 2, 3, 4, 5]])
    }

    @Test("Behind a new replica's first batch nothing waits that one which is known can answer")
    func unprovenReplica() throws {
        var test = SchedulerUnderTest(limit: 1)
        test.submit(1)
        test.complete(try #require(test.dispatch().first), now: .milliseconds(1))
        test.addReplica(1)
        test.submit(2, 3, 4, now: .milliseconds(1))
        #expect(test.dispatch(now: .milliseconds(1)).map(\.replica) == [1, 0])
        #expect(test.dispatch(now: .milliseconds(1)).isEmpty)
    }

    @Test("A replica that comes later takes what waits")
    func givesNewReplicaWork() {
        var test = SchedulerUnderTest(limit: 1)
        test.submit(1, 2, 3)
        #expect(test.dispatch().map(\.items) == [[1], [2]])
        test.addReplica(1)
        #expect(test.dispatch() == [.init(id: 3, replica: 1, items: [3])])
    }

    @Test("Batch numbers begin where it is told, and go around after the last one")
    func numbersBatches() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 3, firstBatch: .max - 2)
        test.submit(1, 2, 3)
        #expect(test.dispatch().map(\.id) == [.max - 1, .max, 0])
    }

    @Test("It counts what waits and what is in flight")
    func counts() throws {
        var test = SchedulerUnderTest(limit: 2)
        test.submit(1, 2, 3, 4, 5)
        #expect(test.scheduler.pendingCount == 5)
        let sent = test.dispatch()
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 1)
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.queriesInFlight == 4)
        #expect(test.scheduler.pendingCount == 5)
        test.complete(try #require(sent.first))
        #expect(test.scheduler.loads[ReplicaID(number: 0)]?.queriesInFlight == 2)
        #expect(test.scheduler.pendingCount == 3)
    }

    @Test("A batch of several queries takes 128 MiB at most")
    func bytesOfABatch() {
        var scheduler = Scheduler()
        let model = ModelHandle(index: 0)
        scheduler.setModel(model, ModelSettings(inputType: .bytes, batching: Batching(limit: .fixed(64))))
        scheduler.addReplica(ReplicaID(number: 0), of: model, inputType: .bytes, now: at(.zero))
        let input = Payload(copying: [UInt8](repeating: 0, count: 50 << 20))
        for item in 0..<3 {
            let waiter = Waiter(
                ticket: Ticket(sink: 0, request: 0, item: item), application: ApplicationHandle(index: 0),
                arrived: at(.zero),
                deadline: at(.seconds(1)))
            scheduler.submit(Query(waiter: waiter, model: model, input: input), now: at(.zero))
        }
        scheduler.dispatch(now: at(.zero))
        #expect(scheduler.effects.dispatches.map(\.inputs.count) == [2, 1])
    }

    @Test("What does not divide evenly among replicas, the quickest of them takes")
    func quickestTakesTheRest() throws {
        var test = SchedulerUnderTest(limit: 4, replicas: 2, slotsPerReplica: 1)
        var now = Duration.zero
        for round in 0..<20 {
            test.submit(2 * round, 2 * round + 1, due: now + .seconds(9), now: now)
            for batch in test.dispatch(now: now).sorted(by: { $0.replica < $1.replica }) {
                test.complete(batch, now: now + (batch.replica == 0 ? .milliseconds(20) : .milliseconds(10)))
            }
            now += .milliseconds(50)
        }
        test.submit(1000, 1001, 1002, due: now + .seconds(9), now: now)
        let sent = test.dispatch(now: now)
        #expect(sent.map(\.replica) == [1, 0])
        #expect(sent.map(\.items.count) == [2, 1])
    }

    @Test("A batch that should have been answered makes its replica the busier one, though it is the quicker")
    func overdue() throws {
        var (test, now) = try SchedulerUnderTest.learned(slots: 2)
        func submitted(_ item: Int) throws -> SchedulerUnderTest.Sent {
            test.submit(item, due: now + .seconds(1), now: now)
            return try #require(test.dispatch(now: now).first)
        }
        for item in 1000..<1100 {
            let batch = try submitted(item)
            now += .milliseconds(batch.replica == 0 ? 9 : 10)
            test.complete(batch, now: now)
        }
        var first = try submitted(2000)
        while first.replica != 0 {
            now += .milliseconds(10)
            test.complete(first, now: now)
            first = try submitted(2000 + first.items[0])
        }
        now += .milliseconds(12)
        #expect(try submitted(9000).replica == 1)
    }
}
