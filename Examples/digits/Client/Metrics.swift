import Foundation

/// The largest batch of any version of a model in the frontend's metrics; `nil` if they name none.
///
/// The histogram `model:NAME:VERSION:batch_size` is looked for at any depth, as a key or as the value of `name`, and its
/// `max` may be a number or a string: Clipper writes numbers as strings.
func largestBatchSize(inMetrics json: Data, model: String) throws -> Int? {
    func isBatchSize(_ name: String) -> Bool {
        name.hasPrefix("model:\(model):") && name.hasSuffix(":batch_size")
    }
    func sizes(in value: Any) -> [Int] {
        if let list = value as? [Any] { return list.flatMap(sizes) }
        guard let object = value as? [String: Any] else { return [] }
        let named = (object["name"] as? String).map(isBatchSize) == true ? [object] : []
        let keyed = object.filter { isBatchSize($0.key) }.compactMap { $0.value as? [String: Any] }
        let found = (named + keyed).compactMap { number($0["max"]) }
        return found + object.values.flatMap(sizes)
    }
    return try sizes(in: JSONSerialization.jsonObject(with: json)).max()
}

private func number(_ value: Any?) -> Int? {
    switch value {
    case let text as String: Double(text).flatMap(Int.init(exactly:))
    case let number as NSNumber: Int(exactly: number.doubleValue)
    default: nil
    }
}
