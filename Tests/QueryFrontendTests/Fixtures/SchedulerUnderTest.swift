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
