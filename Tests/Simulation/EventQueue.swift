import ContainerRPC

/// What is to happen in a simulated world, the earliest first, and what was planned earlier first among equals.
struct EventQueue<Event> {
    private struct Entry {
        var time: MonotonicTime
        var sequence: UInt32
        var slot: Int32

        func isBefore(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var heap: [Entry] = []
    private var slots: [Event?] = []
    private var freeSlots: [Int32] = []
    private var nextSequence: UInt32 = 0

    /// When the next event is due.
    var firstTime: MonotonicTime? { heap.first?.time }

    /// Plans an event.
    mutating func insert(_ event: Event, at time: MonotonicTime) {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
            slots[Int(slot)] = event
        } else {
            slot = Int32(slots.count)
            slots.append(event)
        }
        let entry = Entry(time: time, sequence: nextSequence, slot: slot)
        nextSequence += 1
        var index = heap.count
        heap.append(entry)
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    /// Takes the next event.
    mutating func popFirst() -> (time: MonotonicTime, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty { sink(last) }
        guard let event = slots[Int(first.slot)].take() else { return nil }
        freeSlots.append(first.slot)
        return (first.time, event)
    }

    /// Puts an entry where the first one was, and from there down to its place.
    private mutating func sink(_ entry: Entry) {
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
