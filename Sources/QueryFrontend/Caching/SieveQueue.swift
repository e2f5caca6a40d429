/// The order of eviction: SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi, "SIEVE is Simpler than LRU: an Efficient Turn-Key
/// Eviction Algorithm for Web Caches", NSDI 2024).
///
/// Entries stay in the order of their insertion. A hand goes from the oldest to the newest and begins anew; it spares an
/// entry that was asked for since it last came by, and evicts any other. What is spared stays where it is, so that the hand
/// soon meets those that came since, most of which nobody will ask for again.
struct SieveQueue: Sendable {
    private var newest = CacheSlot.none
    private var oldest = CacheSlot.none
    /// Where the hand goes on; none stands for the oldest.
    private var hand = CacheSlot.none

    /// Adds a slot as the newest.
    mutating func append(_ slot: Int32, in slots: inout CacheSlots) {
        slots[slot].older = newest
        slots[slot].newer = CacheSlot.none
        if newest == CacheSlot.none { oldest = slot } else { slots[newest].newer = slot }
        newest = slot
    }

    /// Takes a slot out of the order.
    mutating func remove(_ slot: Int32, in slots: inout CacheSlots) {
        let (older, newer) = (slots[slot].older, slots[slot].newer)
        if older == CacheSlot.none { oldest = newer } else { slots[older].newer = newer }
        if newer == CacheSlot.none { newest = older } else { slots[newer].older = older }
        if hand == slot { hand = newer }
    }

    /// Moves the hand by one entry.
    ///
    /// - Returns: the slot to evict, with the hand on it until it is removed; none if the entry was spared.
    mutating func step(in slots: inout CacheSlots) -> Int32 {
        if hand == CacheSlot.none { hand = oldest }
        guard hand != CacheSlot.none else { return CacheSlot.none }
        guard slots[hand].isVisited else { return hand }
        slots[hand].isVisited = false
        hand = slots[hand].newer
        return CacheSlot.none
    }
}
