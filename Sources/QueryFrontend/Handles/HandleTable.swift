/// Values by handle, found by an array access instead of a hash: every query is counted in some of them.
///
/// Only what is registered has a value: the values lie close together, and a handle without one costs four bytes.
struct HandleTable<Key: Handle, Value: Sendable>: Sendable {
    /// By the handle's index: the value's place, or `none`.
    private var places: [Int32] = []
    private var keys: [Key] = []
    /// Optional so that the subscript can give access to one where it is. All are there.
    private var slots: [Value?] = []

    private static var none: Int32 { -1 }

    /// All values, in no particular order.
    var values: [Value] { slots.compactMap(\.self) }

    /// The value of a handle; changed where it is, not copied.
    subscript(key: Key) -> Value? {
        get { place(of: key).flatMap { slots[$0] } }
        _modify {
            if let place = place(of: key) {
                yield &slots[place]
                if slots[place] == nil { remove(at: place) }
            } else {
                var value: Value?
                yield &value
                if let value { add(value, for: key) }
            }
        }
    }

    /// The handle of the first value that is sought: for what is rare.
    func key(where isSought: (Value) -> Bool) -> Key? {
        zip(keys, slots).first { $0.1.map(isSought) == true }?.0
    }

    private func place(of key: Key) -> Int? {
        guard key.index >= 0, key.index < places.count, places[key.index] != Self.none else { return nil }
        return Int(places[key.index])
    }

    private mutating func add(_ value: Value, for key: Key) {
        guard key.index >= 0 else { return }
        if key.index >= places.count {
            places += [Int32](repeating: Self.none, count: key.index + 1 - places.count)
        }
        places[key.index] = Int32(slots.count)
        keys.append(key)
        slots.append(value)
    }

    private mutating func remove(at place: Int) {
        places[keys[place].index] = Self.none
        let (lastKey, lastValue) = (keys.removeLast(), slots.removeLast())
        guard place < slots.count else { return }
        (keys[place], slots[place]) = (lastKey, lastValue)
        places[lastKey.index] = Int32(place)
    }
}
