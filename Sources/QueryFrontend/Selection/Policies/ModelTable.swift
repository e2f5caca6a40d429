/// Something for each model, by its name.
///
/// An array in the order of the names that is searched from its beginning: for the few models of an application that is
/// quicker than a dictionary, and small, because there may be one for each of a million users. As JSON it is an object.
struct ModelTable<Value: Sendable>: Sendable {
    struct Entry: Sendable {
        let model: String
        var value: Value
    }

    private(set) var entries: [Entry] = []

    init() {}

    /// What is known of a model; `nil` for an unknown one. Setting `nil` forgets it.
    subscript(model: String) -> Value? {
        get {
            entries.first { $0.model == model }?.value
        }
        set {
            let index = entries.firstIndex { $0.model == model }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): insert(model, value)
            case (nil, nil): break
            }
        }
    }

    /// Of how many models something is kept, whether they are there or not: those that are gone may come back.
    static var mostKept: Int { 256 }

    /// Where there are more, forgets all but these: models whose names never come back would make every state grow.
    mutating func forgetOthers(than models: [String]) {
        guard entries.count > Self.mostKept else { return }
        let kept = Set(models)
        entries.removeAll { !kept.contains($0.model) }
    }

    private mutating func insert(_ model: String, _ value: Value) {
        let index = entries.firstIndex { $0.model > model } ?? entries.endIndex
        entries.insert(Entry(model: model, value: value), at: index)
    }
}

extension ModelTable<Double> {
    mutating func scaleAll(by factor: Double, atMost most: Double) {
        for index in entries.indices { entries[index].value = min(most, entries[index].value * factor) }
    }
}

extension ModelTable.Entry: Equatable where Value: Equatable {}
extension ModelTable.Entry: Hashable where Value: Hashable {}
extension ModelTable: Equatable where Value: Equatable {}
extension ModelTable: Hashable where Value: Hashable {}

private struct ModelKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) { nil }
}

extension ModelTable: Encodable where Value: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ModelKey.self)
        for entry in entries { try container.encode(entry.value, forKey: ModelKey(stringValue: entry.model)) }
    }
}

extension ModelTable: Decodable where Value: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ModelKey.self)
        entries = try container.allKeys.map {
            Entry(model: $0.stringValue, value: try container.decode(Value.self, forKey: $0))
        }
        .sorted { $0.model < $1.model }
    }
}
