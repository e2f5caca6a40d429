/// CLOCK (Corbató, "A Paging Experiment with the Multics System", 1968), by bytes, to compare with.
///
/// The circle, cut open at the hand: entries in a queue, each with a bit that a hit sets. Whom the hand meets at the front
/// gets a second chance if its bit is set (the bit is cleared and it goes to the back), and is evicted otherwise. New
/// entries come to the back, just behind the hand, with the bit clear.
struct ClockCache {
    /// The most that is kept, in bytes.
    let capacityBytes: Int
    /// What is kept, in bytes.
    private(set) var byteCount = 0
    private var entries: [Int: (byteCount: Int, isReferenced: Bool)] = [:]
    private var queue: [Int] = []
    private var front = 0

    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
    }

    /// The number of entries.
    var count: Int { entries.count }

    /// Whether the item is kept. Its bit is set if so.
    mutating func contains(_ item: Int) -> Bool {
        guard let index = entries.index(forKey: item) else { return false }
        entries.values[index].isReferenced = true
        return true
    }

    /// Keeps an item that is not kept yet. One of more than an eighth of the capacity is not kept.
    mutating func insert(_ item: Int, byteCount added: Int) {
        guard added <= capacityBytes / 8 else { return }
        while byteCount + added > capacityBytes { advance() }
        entries[item] = (added, false)
        queue.append(item)
        byteCount += added
    }

    /// Moves the hand by one entry.
    private mutating func advance() {
        let item = queue[front]
        front += 1
        if front > 1_000, front > queue.count / 2 {
            queue.removeFirst(front)
            front = 0
        }
        guard let index = entries.index(forKey: item) else { return }
        if entries.values[index].isReferenced {
            entries.values[index].isReferenced = false
            queue.append(item)
        } else {
            byteCount -= entries.values[index].byteCount
            entries.remove(at: index)
        }
    }
}
