/// Finds slots by the hashes of what they hold: those of the cache, and those of queries that others can join.
///
/// It has 256 parts, told apart by the first bits of the hash, of which each grows by itself, so that no insertion waits
/// for all of it to be built anew.
struct SlotIndex: Sendable {
    private var parts: [SlotIndexPart] = []

    /// The slot with that hash that is the one sought; of no other the caller is asked, but by accident.
    func slot(hash: Int, where isSought: (Int32) -> Bool) -> Int32? {
        guard !parts.isEmpty else { return nil }
        return parts[Self.part(of: hash)].slot(hash: hash, where: isSought)
    }

    /// Adds a slot whose entry has that hash.
    mutating func insert(_ slot: Int32, hash: Int) {
        if parts.isEmpty { parts = [SlotIndexPart](repeating: SlotIndexPart(), count: 256) }
        parts[Self.part(of: hash)].insert(slot, hash: hash)
    }

    /// Takes out a slot whose entry has that hash. It must have been added.
    mutating func remove(_ slot: Int32, hash: Int) {
        parts[Self.part(of: hash)].remove(slot, hash: hash)
    }

    /// Brings where the search for a hash begins near the processor.
    func prefetch(hash: Int) {
        guard !parts.isEmpty else { return }
        parts[Self.part(of: hash)].prefetch(hash: hash)
    }

    private static func part(of hash: Int) -> Int {
        (hash >> (Int.bitWidth - 8)) & 0xff
    }
}

/// A part of the index: open addressing with linear probing.
///
/// A cell holds half of the hash, so that hardly any slot is looked at but the one that is sought: memory far away is what a
/// look-up takes its time for. Cells are in the order of their hashes, so that growing reads and writes in sequence.
struct SlotIndexPart: Sendable {
    /// The upper half of a hash, then the slot's number plus one; 0 for an empty cell. A power of two of them.
    private var cells: [UInt64] = []
    private var count = 0

    func slot(hash: Int, where isSought: (Int32) -> Bool) -> Int32? {
        guard count > 0 else { return nil }
        let tag = Self.tag(of: hash)
        var place = home(of: tag)
        while cells[place] != 0 {
            let slot = Self.slot(in: cells[place])
            if cells[place] >> 32 == tag >> 32, isSought(slot) { return slot }
            place = next(after: place)
        }
        return nil
    }

    /// Adds a slot whose entry has that hash.
    mutating func insert(_ slot: Int32, hash: Int) {
        count += 1
        if count > cells.count / 4 * 3 { grow() }
        put(Self.tag(of: hash) | UInt64(slot + 1))
    }

    /// Takes out a slot whose entry has that hash. It must have been added.
    mutating func remove(_ slot: Int32, hash: Int) {
        var hole = home(of: Self.tag(of: hash))
        while Self.slot(in: cells[hole]) != slot {
            // Else it would be sought for ever: there is always an empty cell.
            precondition(cells[hole] != 0, "slot \(slot) is not in the index")
            hole = next(after: hole)
        }
        // Whoever a look-up could no longer reach across the hole moves into it.
        var place = next(after: hole)
        while cells[place] != 0 {
            if distance(from: home(of: cells[place]), to: place) >= distance(from: hole, to: place) {
                cells[hole] = cells[place]
                hole = place
            }
            place = next(after: place)
        }
        cells[hole] = 0
        count -= 1
    }

    func prefetch(hash: Int) {
        guard !cells.isEmpty else { return }
        cells.withUnsafeBufferPointer { $0.prefetch(home(of: Self.tag(of: hash))) }
    }

    private static func tag(of hash: Int) -> UInt64 {
        UInt64(UInt(bitPattern: hash)) & ~0xffff_ffff
    }

    private static func slot(in cell: UInt64) -> Int32 {
        Int32(cell & 0xffff_ffff) - 1
    }

    /// Where the search for a cell begins. The first 8 bits are the same in the whole part.
    private func home(of cell: UInt64) -> Int {
        Int((cell << 8) >> UInt64(64 - cells.count.trailingZeroBitCount))
    }

    private func next(after place: Int) -> Int {
        (place + 1) & (cells.count - 1)
    }

    private func distance(from start: Int, to end: Int) -> Int {
        (end - start) & (cells.count - 1)
    }

    private mutating func put(_ cell: UInt64) {
        var place = home(of: cell)
        while cells[place] != 0 { place = next(after: place) }
        cells[place] = cell
    }

    private mutating func grow() {
        let old = cells
        cells = [UInt64](repeating: 0, count: max(4, 2 * old.count))
        for cell in old where cell != 0 { put(cell) }
    }
}
