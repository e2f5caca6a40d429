import ContainerRPC
import HeapModule

/// Queries that wait for a model, the earliest deadline first, equal ones in the order in which they came.
///
/// The heap orders small entries; the queries themselves stay where they are.
struct DeadlineQueue: Sendable {
    private struct Entry: Comparable, Sendable {
        var deadline: MonotonicTime
        var sequence: UInt64
        var slot: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline != right.deadline ? left.deadline < right.deadline : left.sequence < right.sequence
        }
    }

    private var heap = Heap<Entry>()
    private var slots: [Query?] = []
    private var freeSlots: [Int] = []
    private var nextSequence: UInt64 = 0

    var count: Int { heap.count }
    var isEmpty: Bool { heap.isEmpty }

    /// The earliest deadline.
    var firstDeadline: MonotonicTime? { heap.min?.deadline }

    mutating func insert(_ query: Query) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[slot] = query
        } else {
            slot = slots.count
            slots.append(query)
        }
        heap.insert(Entry(deadline: query.deadline, sequence: nextSequence, slot: slot))
        nextSequence += 1
    }

    /// Takes the query with the earliest deadline.
    mutating func popFirst() -> Query? {
        guard let entry = heap.popMin() else { return nil }
        defer {
            slots[entry.slot] = nil
            freeSlots.append(entry.slot)
            // A burst's memory goes back once it is over.
            if heap.isEmpty, slots.count > 4096 {
                slots = []
                freeSlots = []
            }
        }
        return slots[entry.slot]
    }
}
