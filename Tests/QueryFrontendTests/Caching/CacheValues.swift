import ContainerRPC

@testable import QueryFrontend

extension ModelHandle {
    static let first = ModelHandle(index: 0)
    static let second = ModelHandle(index: 1)
}

extension CacheKey {
    /// A key whose input is a number, repeated to so many bytes, in memory of its own.
    static func number(
        _ number: Int, of model: ModelHandle = .first, byteCount: Int = 16, hash: Int? = nil
    ) -> CacheKey {
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: number >> ($0 % 8 * 8)) }
        let input = Payload(copying: bytes)
        guard let hash else { return CacheKey(model: model, input: input) }
        return CacheKey(model: model, input: input, hash: hash)
    }
}

extension PredictionCache {
    /// A cache that holds exactly so many entries with an input of 16 bytes and an output of one.
    init(entries: Int) {
        self.init(capacityBytes: entries * CacheEntry.byteCount(input: 16, output: 1))
    }

    /// Keeps the text for the key.
    mutating func insert(_ text: String, for key: CacheKey) {
        insert(ArraySlice(text.utf8), for: key)
    }

    /// What is kept for the key.
    mutating func text(for key: CacheKey) -> String? {
        output(for: key).map { String(decoding: $0, as: UTF8.self) }
    }
}
