import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Scheduler: what becomes of queries")
struct SchedulerOutcomeTests {
    @Test("A query of a model that nobody registered gets the default at once")
    func noModel() {
        var test = SchedulerUnderTest()
        test.scheduler.submit(
            Query(
                waiter: Waiter(
                    ticket: Ticket(sink: 0, request: 0, item: 1), application: ApplicationHandle(index: 0),
                    arrived: at(.zero), deadline: at(.seconds(1))),
                model: ModelHandle(index: 9), input: Payload(copying: [])),
            now: at(.zero))
        test.takeAnswers()
        #expect(test.outcomes == [1: .defaultOutput(.noReplica)])
    }

    @Test("A query of a model without a replica gets the default at once")
    func noReplica() {
        var test = SchedulerUnderTest(replicas: 0)
        test.submit(1)
        #expect(test.outcomes == [1: .defaultOutput(.noReplica)])
    }

    @Test("A container whose model is not registered gets no query until it is")
    func replicaBeforeModel() {
        let model = ModelHandle(index: 0)
        var test = SchedulerUnderTest(replicas: 0)
        test.scheduler = Scheduler()
        test.addReplica(0)
        test.submit(1)
        #expect(test.outcomes == [1: .defaultOutput(.noReplica)])
        test.scheduler.setModel(model, ModelSettings(inputType: .bytes, batching: Batching(limit: .fixed(1))))
        test.submit(2)
        #expect(test.dispatch().map(\.items) == [[2]])
    }

    @Test("A query that comes after its deadline gets the default at once")
    func comesTooLate() {
        var test = SchedulerUnderTest()
        test.submit(1, due: .seconds(1), now: .seconds(1))
        #expect(test.outcomes == [1: .defaultOutput(.deadline)])
        #expect(test.dispatch(now: .seconds(1)).isEmpty)
    }

    @Test("Each query gets its own output, and how long the batch took is told")
    func completes() throws {
        var test = SchedulerUnderTest()
        test.submit(1, 2)
        let batch = try #require(test.dispatch(now: .milliseconds(5)).first)
        let completed = test.complete(batch, now: .milliseconds(12))
        #expect(
            completed == CompletedBatch(model: SchedulerUnderTest.model, size: 2, duration: .milliseconds(7)))
        #expect(test.outcomes == [1: .output("1"), 2: .output("2")])
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("An answer to a batch that nobody sent, or a second one, changes nothing")
    func ignoresUnknownBatch() throws {
        var test = SchedulerUnderTest()
        test.submit(1)
        let batch = try #require(test.dispatch().first)
        #expect(test.complete(.init(id: batch.id &+ 1, replica: 0, items: [7])) == nil)
        #expect(test.complete(batch) != nil)
        #expect(test.complete(batch) == nil)
        #expect(test.outcomes == [1: .output("1")])
        #expect(test.answeredAgain.isEmpty)
    }

    @Test("An answer counts only from the replica that the batch went to")
    func ignoresOtherReplicasAnswer() throws {
        var test = SchedulerUnderTest(replicas: 2)
        test.submit(1)
        let batch = try #require(test.dispatch().first)
        #expect(test.complete(.init(id: batch.id, replica: 1 - batch.replica, items: [7])) == nil)
        #expect(test.outcomes.isEmpty)
        test.complete(batch)
        #expect(test.outcomes == [1: .output("1")])
    }

    @Test("An answer with another number of outputs than queries is none")
    func ignoresWrongCount() throws {
        var test = SchedulerUnderTest()
        test.submit(1, 2)
        let batch = try #require(test.dispatch().first)
        #expect(test.complete(.init(id: batch.id, replica: 0, items: [1])) == nil)
        #expect(test.complete(.init(id: batch.id, replica: 0, items: [])) == nil)
        #expect(test.outcomes.isEmpty)
    }

    @Test("A query that waits gets the default when its deadline comes, not before")
    func expiresInQueue() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.submit(1, due: .seconds(9))
        #expect(test.dispatch().count == 1)
        test.submit(2, due: .seconds(2))
        test.submit(3, due: .seconds(3))
        test.tick(now: .milliseconds(1999))
        #expect(test.outcomes.isEmpty)
        test.tick(now: .seconds(2))
        #expect(test.outcomes == [2: .defaultOutput(.deadline)])
        test.tick(now: .seconds(3))
        #expect(test.outcomes == [2: .defaultOutput(.deadline), 3: .defaultOutput(.deadline)])
    }

    @Test("It asks to be woken no later than the next deadline")
    func tellsDeadline() throws {
        var test = SchedulerUnderTest(limit: 1)
        #expect(test.scheduler.deadline == nil)
        test.submit(1, due: .seconds(5))
        test.submit(2, due: .seconds(4))
        #expect(test.scheduler.deadline == at(.seconds(4)))
        _ = test.dispatch()
        test.tick(now: .seconds(4))
        #expect(test.scheduler.deadline == at(.seconds(5)))
        test.tick(now: .seconds(5))
        #expect(test.scheduler.deadline == at(.seconds(30)), "then the batch may be called stuck")
        #expect(test.outcomes.count == 2)
        test.tick(now: .seconds(30))
        #expect(test.scheduler.deadline == nil)
    }

    @Test("A query in flight gets the default at its deadline; the answer that comes later is for nobody")
    func expiresInFlight() throws {
        var test = SchedulerUnderTest()
        test.submit(1, due: .seconds(1))
        test.submit(2, due: .seconds(5))
        let batch = try #require(test.dispatch().first)
        test.tick(now: .seconds(1))
        #expect(test.outcomes == [1: .defaultOutput(.deadline)])
        #expect(test.complete(batch, now: .seconds(2))?.size == 2)
        #expect(test.outcomes == [1: .defaultOutput(.deadline), 2: .output("2")])
        #expect(test.answeredAgain.isEmpty)
    }

    @Test("A replica whose batch is late keeps its slot taken: it is still at work")
    func lateBatchKeepsSlot() throws {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.submit(1, due: .seconds(1))
        let batch = try #require(test.dispatch().first)
        test.tick(now: .seconds(1))
        test.submit(2, due: .seconds(5), now: .seconds(1))
        #expect(test.dispatch(now: .seconds(1)).isEmpty)
        test.complete(batch, now: .seconds(2))
        #expect(test.dispatch(now: .seconds(2)).map(\.items) == [[2]])
    }

    @Test("When the frontend ends, everything that waits or is in flight gets the default once")
    func abandonsAll() {
        var test = SchedulerUnderTest(limit: 1, slotsPerReplica: 1)
        test.submit(1, 2)
        #expect(test.dispatch().count == 1)
        test.scheduler.abandonAll(.stopping)
        test.takeAnswers()
        test.scheduler.abandonAll(.stopping)
        test.takeAnswers()
        #expect(test.outcomes == [1: .defaultOutput(.stopping), 2: .defaultOutput(.stopping)])
        #expect(test.answeredAgain.isEmpty)
        #expect(test.scheduler.pendingCount == 0)
    }

    @Test("The first two explanations are those of Clipper")
    func explains() {
        #expect(DefaultReason.noReplica.explanation == "No connected models found for query")
        #expect(
            DefaultReason.deadline.explanation
                == "Failed to retrieve a prediction response within the specified latency SLO")
        #expect(Set(DefaultReason.allCases.map(\.explanation)).count == DefaultReason.allCases.count)
    }
}
