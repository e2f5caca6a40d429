import ContainerRPC
import Testing

@testable import QueryFrontend

/// Two models in one scheduler, each with a replica of its own whose batch of n takes 4 ms and 100 µs for each query.
private struct Neighbours {
    struct Ended: Hashable {
        var got: Got
        var time: MonotonicTime
    }

    /// How each query of the first model ended, by its number.
    private(set) var first: [Int: Ended] = [:]
    /// How many of the second model's got an output, and how many did not.
    private(set) var second = (answered: 0, defaulted: 0)
    private var scheduler = Scheduler(bounds: Scheduler.Bounds(queuedQueries: 500))
    private var work: [(dispatch: SchedulerEffects.Dispatch, ends: MonotonicTime)] = []

    /// The first model gets two queries in each millisecond of a second, the second one so many.
    init(neighbourLoad: Int) {
        for model in 0..<2 {
            let handle = ModelHandle(index: model)
            scheduler.setModel(handle, ModelSettings(inputType: .bytes))
            scheduler.addReplica(ReplicaID(number: model), of: handle, inputType: .bytes, now: at(.zero))
        }
        for step in 0..<2000 {
            let now = at(.microseconds(500 * step))
            submit([step], to: 0, now: now)
            // In one turn they come before and after.
            submit(Array(0..<neighbourLoad / 2), to: 1, now: now)
            for (index, done) in work.enumerated().reversed() where done.ends <= now {
                work.remove(at: index)
                scheduler.complete(
                    batch: done.dispatch.batch, on: done.dispatch.replica,
                    Outputs(done.dispatch.inputs.map { _ in "" }),
                    now: now)
            }
            scheduler.tick(now: now)
            scheduler.dispatch(now: now)
            for dispatch in scheduler.effects.dispatches {
                let free = work.filter { $0.dispatch.replica == dispatch.replica }.map(\.ends).max() ?? now
                work.append((dispatch, free + .milliseconds(4) + .microseconds(100) * dispatch.inputs.count))
            }
            note(now: now)
        }
    }

    private mutating func submit(_ items: [Int], to model: Int, now: MonotonicTime) {
        for item in items {
            let waiter = Waiter(
                ticket: Ticket(sink: 0, request: UInt64(model), item: item),
                application: ApplicationHandle(index: model), arrived: now, deadline: now + .milliseconds(20))
            scheduler.submit(
                Query(waiter: waiter, model: ModelHandle(index: model), input: Payload(copying: [1])), now: now)
        }
    }

    private mutating func note(now: MonotonicTime) {
        for answer in scheduler.effects.answers {
            let got = Got(answer.outcome)
            if answer.waiter.ticket.request == 0 {
                first[answer.waiter.ticket.item] = Ended(got: got, time: now)
            } else if got == .output("") {
                second.answered += 1
            } else {
                second.defaulted += 1
            }
        }
        _ = scheduler.takeEffects()
    }
}

@Suite("Scheduler: models beside one another")
struct NeighbourTests {
    @Test(
        "However much more comes for one model than it can do, another's queries are answered at the same times as ever"
    )
    func overloadIsOnesOwn() {
        let alone = Neighbours(neighbourLoad: 0)
        let beside = Neighbours(neighbourLoad: 120)
        #expect(alone.first.count > 1900)
        #expect(beside.first == alone.first)
        // 120,000 queries a second are twenty times what the other one can do at best; it does what it can.
        #expect(beside.second.answered > 4000)
        #expect(beside.second.defaulted > 100_000)
    }
}
