/// A place of the cache that holds one entry, and its links to other places.
struct CacheSlot: Sendable {
    /// The number that stands for no slot.
    static let none: Int32 = -1

    /// Nil while the slot is free.
    var entry: CacheEntry?
    /// The slot of the entry that came after this one; of a free slot, the next free one.
    var newer = CacheSlot.none
    /// The slot of the entry that came before this one.
    var older = CacheSlot.none
    /// Whether the entry was asked for since the hand last came by.
    var isVisited = false
}

/// The cache's slots, by number: in pieces, so that growing never moves them.
struct CacheSlots: Sendable {
    static let pieceLength = 1024

    private var pieces: [[CacheSlot]] = []
    private var firstFree = CacheSlot.none
    /// The number of slots, free ones among them.
    private(set) var count = 0

    subscript(index: Int32) -> CacheSlot {
        _read { yield pieces[Int(index) / Self.pieceLength][Int(index) % Self.pieceLength] }
        _modify { yield &pieces[Int(index) / Self.pieceLength][Int(index) % Self.pieceLength] }
    }

    /// Whether there is no number left for a new slot.
    var isFull: Bool { firstFree == CacheSlot.none && count == Int(Int32.max) }

    /// Puts an entry into a free slot. There must be room for it.
    mutating func add(_ entry: CacheEntry) -> Int32 {
        guard firstFree == CacheSlot.none else {
            let index = firstFree
            firstFree = self[index].newer
            self[index] = CacheSlot(entry: entry)
            return index
        }
        if count % Self.pieceLength == 0 {
            pieces.append([])
            pieces[pieces.count - 1].reserveCapacity(Self.pieceLength)
        }
        pieces[pieces.count - 1].append(CacheSlot(entry: entry))
        count += 1
        return Int32(count - 1)
    }

    /// Empties a slot.
    mutating func free(_ index: Int32) {
        self[index] = CacheSlot(newer: firstFree)
        firstFree = index
    }
}
