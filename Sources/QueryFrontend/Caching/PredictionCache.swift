import ContainerRPC

/// The outputs that models gave, by model version and input; bounded by bytes.
///
/// A pure value. A look-up takes constant time, allocates nothing and changes one bit. An insertion takes constant time
/// too, on average: what it evicts was inserted once, and what the hand spares was looked up once.
package struct PredictionCache: Sendable {
    /// The most that is kept, in bytes, bookkeeping included; 0 for nothing.
    package let capacityBytes: Int
    /// What is kept, in bytes: of each entry its input, its output, and what it takes beside them (128 bytes).
    package private(set) var byteCount = 0
    /// The number of entries.
    package private(set) var count = 0
    /// How many entries made room for others since the beginning.
    package private(set) var evictions = 0

    private var slots = CacheSlots()
    private var index = SlotIndex()
    private var queue = SieveQueue()

    /// An empty cache. A capacity of 0 or less keeps nothing.
    package init(capacityBytes: Int) {
        self.capacityBytes = max(0, capacityBytes)
    }

    /// The largest entry that is kept, in bytes: an eighth of the capacity, lest a few inputs displace all others.
    package var largestEntry: Int { capacityBytes / 8 }

    /// The output that was kept for the key. It shares its memory with the input only, and may outlive the entry.
    package mutating func output(for key: CacheKey) -> ArraySlice<UInt8>? {
        guard let slot = slot(for: key) else { return nil }
        slots[slot].isVisited = true
        return slots[slot].entry?.output
    }

    private func slot(for key: CacheKey) -> Int32? {
        index.slot(hash: key.hash) { slots[$0].entry?.isFor(key) == true }
    }

    /// Keeps a copy of an output and of the key's input, in place of what was kept for the key. An entry larger than
    /// `largestEntry` is not kept.
    package mutating func insert(_ output: ArraySlice<UInt8>, for key: CacheKey) {
        let bytes = CacheEntry.byteCount(input: key.input.byteCount, output: output.count)
        var removed: [CacheEntry] = []
        insert(bytes <= largestEntry ? CacheEntry(output, for: key) : nil, for: key, removed: &removed)
    }

    /// Puts an entry, of at most `largestEntry`, in place of what was kept for its key; without one, only takes that out.
    mutating func insert(_ entry: CacheEntry?, for key: CacheKey, removed: inout [CacheEntry]) {
        if let slot = slot(for: key) { remove(slot, to: &removed) }
        guard let entry else { return }
        while !makeRoom(for: entry.byteCount, steps: .max, removed: &removed) {}
        let added = slots.add(entry)
        index.insert(added, hash: entry.hash)
        queue.append(added, in: &slots)
        byteCount += entry.byteCount
        count += 1
    }

    /// Evicts until so many bytes are free, or until the hand has made so many steps.
    ///
    /// - Parameters:
    ///   - bytes: at most the capacity.
    ///   - removed: gets what was evicted, so that the caller chooses when that is released.
    /// - Returns: whether the bytes are free.
    mutating func makeRoom(for bytes: Int, steps: Int, removed: inout [CacheEntry]) -> Bool {
        var steps = steps
        while byteCount > capacityBytes - bytes || slots.isFull {
            guard steps > 0 else { return false }
            steps -= 1
            let slot = queue.step(in: &slots)
            guard slot != CacheSlot.none else { continue }
            remove(slot, to: &removed)
            evictions += 1
        }
        return true
    }

    /// Forgets all outputs of a model version.
    package mutating func removeAll(of model: ModelHandle) {
        var removed: [CacheEntry] = []
        _ = removeAll(of: model, amongSlots: 0..<slots.count, removed: &removed)
    }

    /// Forgets those outputs of a model version that are in some of the slots.
    ///
    /// - Returns: whether there are slots beyond those.
    mutating func removeAll(of model: ModelHandle, amongSlots range: Range<Int>, removed: inout [CacheEntry]) -> Bool {
        for slot in range.clamped(to: 0..<slots.count) where slots[Int32(slot)].entry?.isOf(model) == true {
            remove(Int32(slot), to: &removed)
        }
        return range.upperBound < slots.count
    }

    private mutating func remove(_ slot: Int32, to removed: inout [CacheEntry]) {
        guard let entry = slots[slot].entry else { return }
        queue.remove(slot, in: &slots)
        slots.free(slot)
        index.remove(slot, hash: entry.hash)
        byteCount -= entry.byteCount
        count -= 1
        removed.append(entry)
    }
}
