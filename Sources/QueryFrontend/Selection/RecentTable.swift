/// Values by key, of which only those that were used last are kept.
///
/// A look-up and an insertion take constant time.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Slot: Sendable {
        var key: Key
        var value: Value
        var newer: Int32
        var older: Int32
    }

    private static var none: Int32 { -1 }

    /// The most values that are kept.
    let capacity: Int
    private var places: [Key: Int32] = [:]
    private var slots: [Slot] = []
    private var newest = Self.none
    private var oldest = Self.none

    /// An empty table for so many values, at least one.
    init(capacity: Int) {
        self.capacity = min(max(1, capacity), Int(Int32.max) - 1)
    }

    /// How many values are kept.
    var count: Int { slots.count }

    /// The value of a key, without counting as a use.
    func peek(_ key: Key) -> Value? {
        places[key].map { slots[Int($0)].value }
    }

    /// The value of a key, which is now the one used last.
    mutating func value(of key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        touch(place)
        return slots[Int(place)].value
    }

    /// Changes the value of a key where it is; `nil` where there is none.
    mutating func update<Result>(_ key: Key, _ change: (inout Value) -> Result) -> Result? {
        guard let place = places[key] else { return nil }
        touch(place)
        return change(&slots[Int(place)].value)
    }

    /// Keeps a value, in place of the one that was used longest ago where the table is full.
    mutating func insert(_ value: Value, for key: Key) {
        if let place = places[key] {
            slots[Int(place)].value = value
            return touch(place)
        }
        let slot = Slot(key: key, value: value, newer: Self.none, older: Self.none)
        let place: Int32
        if slots.count < capacity {
            place = Int32(slots.count)
            slots.append(slot)
        } else {
            place = oldest
            unlink(place)
            places[slots[Int(place)].key] = nil
            slots[Int(place)] = slot
        }
        places[key] = place
        link(place)
    }

    /// Forgets a key.
    mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        unlink(place)
        let last = Int32(slots.count - 1)
        if place != last {
            // The last one moves into the gap, and its neighbours have to find it there.
            let moved = slots[Int(last)]
            slots[Int(place)] = moved
            places[moved.key] = place
            if moved.newer == Self.none { newest = place } else { slots[Int(moved.newer)].older = place }
            if moved.older == Self.none { oldest = place } else { slots[Int(moved.older)].newer = place }
        }
        slots.removeLast()
    }

    /// Forgets everything.
    mutating func removeAll() {
        self = RecentTable(capacity: capacity)
    }

    private mutating func touch(_ place: Int32) {
        guard place != newest else { return }
        unlink(place)
        link(place)
    }

    private mutating func link(_ place: Int32) {
        slots[Int(place)].newer = Self.none
        slots[Int(place)].older = newest
        if newest == Self.none { oldest = place } else { slots[Int(newest)].newer = place }
        newest = place
    }

    private mutating func unlink(_ place: Int32) {
        let (newer, older) = (slots[Int(place)].newer, slots[Int(place)].older)
        if newer == Self.none { newest = older } else { slots[Int(newer)].older = older }
        if older == Self.none { oldest = newer } else { slots[Int(older)].newer = newer }
    }
}
