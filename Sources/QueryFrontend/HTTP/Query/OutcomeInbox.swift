import ContainerRPC
import Synchronization

/// Outcomes on their way from the dispatch thread to an event loop.
///
/// What is executed on an event loop waits until the requests of all its sockets have been read: milliseconds, where there
/// are too many. An outcome has less time than that, so the loop also looks here before each request.
final class OutcomeInbox: Sendable {
    /// The outcomes that the dispatch thread gave away at a time.
    typealias Turn = (deliveries: [Delivery], sent: MonotonicTime)

    private let turns = Locked<[Turn]>([])
    /// Whether there are any, for a look that costs no lock.
    private let isFilled = Atomic(false)

    /// Leaves outcomes.
    ///
    /// - Returns: whether the event loop is to be told: it has taken all that was here before.
    func put(_ deliveries: [Delivery], sent: MonotonicTime) -> Bool {
        turns.withLock { turns in
            turns.append((deliveries, sent))
            isFilled.store(true, ordering: .relaxed)
            return turns.count == 1
        }
    }

    /// Takes all outcomes, in the order in which they came.
    func takeAll() -> [Turn] {
        // One that comes at this moment is found by the next look: its event loop is told of it.
        guard isFilled.load(ordering: .relaxed) else { return [] }
        return turns.withLock { turns in
            isFilled.store(false, ordering: .relaxed)
            defer { turns = [] }
            return turns
        }
    }
}
