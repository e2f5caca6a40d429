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
    /// Outputs for the cache.
    private(set) var computed: [String] = []
    private(set) var notices: [SchedulerEffects.Notice] = []
    /// What two queries have in common that ask the same; `nil` where nothing is shared.
    var group: ((Int) -> Int)?

    /// - Parameter replicas: how many there are from the beginning, numbered from 0.
    init(
        limit: Int = 64, replicas: Int = 1, slotsPerReplica: Int = 2, queuedQueries: Int = 100_000,
        queuedBytes: Int = 1 << 20, firstBatch: UInt32 = 0
    ) {
        scheduler = Scheduler(
            bounds: Scheduler.Bounds(
                slotsPerReplica: slotsPerReplica, queuedQueries: queuedQueries, queuedBytes: queuedBytes),
            firstBatch: firstBatch)
        register(Batching(limit: .fixed(limit)))
        for replica in 0..<replicas { addReplica(replica) }
    }

    /// Replicas whose batches of one query take 10 ms.
    static func learned(
        limit: Int = 1, replicas: Int = 2, slots: Int = 1
    ) throws -> (SchedulerUnderTest, now: Duration) {
        var test = SchedulerUnderTest(limit: limit, replicas: replicas, slotsPerReplica: slots)
        let now = try test.rehearse()
        return (test, now)
    }

    /// A hundred batches of one query, each answered after 10 ms.
    ///
    /// - Returns: when the last one is.
    mutating func rehearse() throws -> Duration {
        var now = Duration.zero
        for round in 0..<100 {
            submit(round, due: now + .seconds(1), now: now)
            let batch = try #require(dispatch(now: now).first)
            now += .milliseconds(10)
            complete(batch, now: now)
        }
        return now
    }

    /// Registers the model, or changes how its batches are formed.
    mutating func register(_ batching: Batching) {
        scheduler.setModel(Self.model, ModelSettings(inputType: .bytes, batching: batching))
    }

    mutating func addReplica(_ number: Int, inputType: InputType = .bytes, now: Duration = .zero) {
        scheduler.addReplica(ReplicaID(number: number), of: Self.model, inputType: inputType, now: at(now))
    }

    mutating func submit(
        _ items: Int..., due deadline: Duration = .seconds(1), application: Int = 0, now: Duration = .zero
    ) {
        for item in items {
            scheduler.submit(
                Query(
                    waiter: Waiter(
                        ticket: Ticket(sink: 0, request: 0, item: item),
                        application: ApplicationHandle(index: application),
                        arrived: at(now), deadline: at(deadline)),
                    model: Self.model, input: input(item), key: key(item)),
                now: at(now))
        }
        takeAnswers()
    }

    /// The batches that are sent now.
    mutating func dispatch(now: Duration = .zero) -> [Sent] {
        scheduler.dispatch(now: at(now))
        let sent = scheduler.effects.dispatches.map { dispatch in
            Sent(id: dispatch.batch, replica: dispatch.replica.number, items: dispatch.inputs.map(Self.item))
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
        for answer in scheduler.effects.answers {
            let item = answer.waiter.ticket.item
            let old = outcomes.updateValue(Got(answer.outcome), forKey: item)
            if old != nil { answeredAgain.append(item) }
        }
        computed += scheduler.effects.computed.map { String(decoding: $0.output, as: UTF8.self) }
        notices += scheduler.effects.notices
        _ = scheduler.takeEffects()
    }

    /// A query's input holds its number, or that of its group.
    private func input(_ item: Int) -> Payload {
        let number = group.map { $0(item) } ?? item
        return Payload(copying: withUnsafeBytes(of: Int32(number).littleEndian) { Array($0) })
    }

    private func key(_ item: Int) -> CacheKey? {
        group == nil ? nil : CacheKey(model: Self.model, input: input(item))
    }

    private static func item(_ input: Payload) -> Int {
        Int(input.bytes.reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) })
    }
}
