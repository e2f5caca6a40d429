/// A counter for each case of an enumeration.
struct Counts<Case: CaseIterable & Equatable & Sendable>: Sendable {
    private struct Entry: Sendable {
        let key: Case
        var count = 0
    }

    // There are a handful of cases: comparing them is quicker than hashing one.
    private var entries = Case.allCases.map { Entry(key: $0) }

    subscript(key: Case) -> Int { entries.first { $0.key == key }?.count ?? 0 }

    mutating func add(_ count: Int = 1, to key: Case) {
        for index in entries.indices where entries[index].key == key { entries[index].count += count }
    }

    var total: Int { entries.reduce(0) { $0 + $1.count } }
}
