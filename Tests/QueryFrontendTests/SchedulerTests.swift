import ContainerRPC
import Testing

@testable import QueryFrontend

/// A scheduler that serves one model, and what it has decided.
struct SchedulerUnderTest {
    /// A batch that was sent, with the numbers of its queries.
    struct Sent: Hashable {
        var id: UInt32
        var replica: Int
        var items: [Int]
    }

    static let model = ModelHandle(index: 0)

    var scheduler: Scheduler
    /// All outcomes so far, by the query's number.
    private(set) var outcomes: [Int: Got] = [:]
    /// Queries that were answered a second time: there must be none.
    private(set) var answeredAgain: [Int] = []

    /// - Parameter replicas: how many there are from the beginning, numbered from 0.
    init(limit: Int = 64, replicas: Int = 1, slotsPerReplica: Int = 2, firstBatch: UInt32 = 0) {
        scheduler = Scheduler(slotsPerReplica: slotsPerReplica, firstBatch: firstBatch)
        scheduler.setModel(Self.model, inputType: .bytes, limit: .fixed(limit))
        for replica in 0..<replicas { addReplica(replica) }
    }

    mutating func addReplica(_ number: Int, inputType: InputType = .bytes) {
        scheduler.addReplica(ReplicaID(number: number), of: Self.model, inputType: inputType)
    }

    mutating func submit(_ items: Int..., due deadline: Duration = .seconds(1), now: Duration = .zero) {
        for item in items {
            scheduler.submit(
                Query(
                    ticket: Ticket(sink: 0, request: 0, item: item), application: ApplicationHandle(index: 0),
                    model: Self.model, input: Payload(copying: [UInt8(truncatingIfNeeded: item)]),
                    arrived: at(now), deadline: at(deadline)),
                now: at(now))
        }
        takeAnswers()
    }

    /// The batches that are sent now.
    mutating func dispatch(now: Duration = .zero) -> [Sent] {
        scheduler.dispatch(now: at(now))
        let sent = scheduler.dispatches.map { dispatch in
            Sent(id: dispatch.batch, replica: dispatch.replica.number, items: dispatch.inputs.map { Int($0.bytes[0]) })
        }
        takeAnswers()
        return sent
    }

    /// Answers a batch with each query's number as its output.
    @discardableResult
    mutating func complete(_ batch: Sent, now: Duration = .zero) -> CompletedBatch? {
        defer { takeAnswers() }
        return scheduler.complete(
            batch: batch.id, on: ReplicaID(number: batch.replica), Outputs(batch.items.map(String.init)), now: at(now))
    }

    @discardableResult
    mutating func removeReplica(_ number: Int, now: Duration = .zero) -> Int {
        defer { takeAnswers() }
        return scheduler.removeReplica(ReplicaID(number: number), now: at(now))
    }

    mutating func tick(now: Duration) {
        scheduler.tick(now: at(now))
        takeAnswers()
    }

    mutating func takeAnswers() {
        for answer in scheduler.answers {
            let old = outcomes.updateValue(Got(answer.outcome), forKey: answer.ticket.item)
            if old != nil { answeredAgain.append(answer.ticket.item) }
        }
        scheduler.clearEffects()
    }
}

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
        test.scheduler.setModel(SchedulerUnderTest.model, inputType: .bytes, limit: .fixed(10))
        for batch in sent { test.complete(batch) }
        #expect(test.dispatch().map(\.items) == [[3, 4, 5]])
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

    @Test("A model that was registered without a batch size gets batches of at most 64")
    func hasDefaultLimit() {
        #expect(BatchLimit.adaptiveDefault.current == 64)
        #expect(BatchLimit.fixed(7).current == 7)
    }

    @Test("It counts what waits and what is in flight")
    func counts() throws {
        var test = SchedulerUnderTest(limit: 2)
        test.submit(1, 2, 3, 4, 5)
        #expect(test.scheduler.pendingCount == 5)
        let sent = test.dispatch()
        #expect(test.scheduler.queuedCount(of: SchedulerUnderTest.model) == 1)
        #expect(test.scheduler.inFlightCount(on: ReplicaID(number: 0)) == 4)
        #expect(test.scheduler.pendingCount == 5)
        test.complete(try #require(sent.first))
        #expect(test.scheduler.inFlightCount(on: ReplicaID(number: 0)) == 2)
        #expect(test.scheduler.pendingCount == 3)
    }
}

@Suite("Scheduler: what becomes of queries")
struct SchedulerOutcomeTests {
    @Test("A query of a model that nobody registered gets the default at once")
    func noModel() {
        var test = SchedulerUnderTest()
        test.scheduler.submit(
            Query(
                ticket: Ticket(sink: 0, request: 0, item: 1), application: ApplicationHandle(index: 0),
                model: ModelHandle(index: 9), input: Payload(copying: []), arrived: at(.zero),
                deadline: at(.seconds(1))),
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
        test.scheduler.setModel(model, inputType: .bytes, limit: .fixed(1))
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
        #expect(test.scheduler.deadline == nil)
        #expect(test.outcomes.count == 2)
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
