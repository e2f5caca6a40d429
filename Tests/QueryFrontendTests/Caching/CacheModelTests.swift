import ContainerRPC
import Testing

@testable import QueryFrontend

/// SIEVE as plainly as it can be written: one array from the oldest to the newest.
private struct PlainSieve {
    struct Entry: Equatable {
        var model: ModelHandle
        var number: Int
        var output: [UInt8]
        var isVisited = false
    }

    let capacityBytes: Int
    var entries: [Entry] = []
    var evictions = 0
    /// An index into `entries`; nil for the oldest.
    private var hand: Int?

    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
    }

    static func inputLength(of number: Int) -> Int { 8 + number % 7 * 8 }

    static func byteCount(_ number: Int, _ output: [UInt8]) -> Int {
        CacheEntry.byteCount(input: inputLength(of: number), output: output.count)
    }

    var byteCount: Int { entries.reduce(0) { $0 + Self.byteCount($1.number, $1.output) } }

    private func index(_ model: ModelHandle, _ number: Int) -> Int? {
        entries.firstIndex { $0.model == model && $0.number == number }
    }

    private mutating func remove(at index: Int) {
        entries.remove(at: index)
        guard let position = hand else { return }
        if index < position { hand = position - 1 } else if position == entries.count { hand = nil }
    }

    mutating func output(_ model: ModelHandle, _ number: Int) -> [UInt8]? {
        guard let index = index(model, number) else { return nil }
        entries[index].isVisited = true
        return entries[index].output
    }

    mutating func insert(_ output: [UInt8], _ model: ModelHandle, _ number: Int) {
        if let index = index(model, number) { remove(at: index) }
        let added = Self.byteCount(number, output)
        guard added <= capacityBytes / 8 else { return }
        while byteCount + added > capacityBytes {
            let position = hand ?? 0
            if entries[position].isVisited {
                entries[position].isVisited = false
                hand = position + 1 < entries.count ? position + 1 : nil
            } else {
                hand = position
                remove(at: position)
                evictions += 1
            }
        }
        entries.append(Entry(model: model, number: number, output: output))
    }

    mutating func removeAll(of model: ModelHandle) {
        for index in entries.indices.reversed() where entries[index].model == model { remove(at: index) }
    }
}

@Suite("The prediction cache against a plain model of it")
struct CacheModelTests {
    /// How a test makes hashes; all but the first collide much, and some at the end of the index, where it begins anew.
    enum Hashing: CaseIterable {
        case real, constant, last, few

        func hash(_ model: ModelHandle, _ number: Int) -> Int? {
            switch self {
            case .real: nil
            case .constant: 0
            case .last: -1
            case .few: -1 - (number % 5) << 40
            }
        }
    }

    @Test(
        "Any operations in any order give what the model gives, and never more bytes than the capacity",
        arguments: Hashing.allCases, [1, 2, 3] as [UInt64])
    func agreesWithModel(hashing: Hashing, seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let capacity = Int.random(in: 2_000...12_000, using: &generator)
        var cache = PredictionCache(capacityBytes: capacity)
        var plain = PlainSieve(capacityBytes: capacity)
        var found = 0
        for _ in 0..<4_000 {
            let model = ModelHandle(index: Int.random(in: 0..<3, using: &generator))
            // The smaller, the more often.
            let number = Int.random(in: 0..<Int.random(in: 1...100, using: &generator), using: &generator)
            let key = CacheKey.number(
                number, of: model, byteCount: PlainSieve.inputLength(of: number),
                hash: hashing.hash(model, number))
            switch Int.random(in: 0..<1_000, using: &generator) {
            case 0..<5:
                cache.removeAll(of: model)
                plain.removeAll(of: model)
            case 5..<500:
                let output = cache.output(for: key)
                #expect(output.map { [UInt8]($0) } == plain.output(model, number))
                if output != nil { found += 1 }
            default:
                // One in ten may be large, or even too large.
                let longest = Int.random(in: 0..<10, using: &generator) == 0 ? capacity / 8 : 8
                let output = (0..<Int.random(in: 0...longest, using: &generator)).map {
                    UInt8(truncatingIfNeeded: $0)
                }
                cache.insert(output[...], for: key)
                plain.insert(output, model, number)
            }
            #expect(cache.byteCount <= capacity)
            #expect(cache.byteCount == plain.byteCount)
            #expect(cache.count == plain.entries.count)
            #expect(cache.evictions == plain.evictions)
        }
        #expect(found > 200)
        #expect(cache.evictions > 200)
        for model in 0..<3 { cache.removeAll(of: ModelHandle(index: model)) }
        #expect(cache.byteCount == 0)
        #expect(cache.count == 0)
    }
}
