extension Array {
    /// Empties the array, and returns what was in it.
    package mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
