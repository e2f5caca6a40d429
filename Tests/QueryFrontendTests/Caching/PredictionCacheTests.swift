import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The prediction cache")
struct PredictionCacheTests {
    private var cache = PredictionCache(capacityBytes: 100_000)

    @Test("An output is found by an equal input in other memory")
    mutating func findsEqualInput() {
        cache.insert("6.5", for: .number(1))
        #expect(cache.text(for: .number(1)) == "6.5")
        #expect(cache.text(for: .number(2)) == nil)
        #expect(cache.count == 1)
    }

    @Test("An output is not found for another model version")
    mutating func tellsModelsApart() {
        cache.insert("1", for: .number(1, of: .first))
        #expect(cache.text(for: .number(1, of: .second)) == nil)
        cache.insert("2", for: .number(1, of: .second))
        #expect(cache.text(for: .number(1, of: .first)) == "1")
        #expect(cache.text(for: .number(1, of: .second)) == "2")
    }

    @Test("Equal keys have equal hashes, wherever their input lies")
    func hashesContents() {
        let storage = PayloadStorage(byteCount: 24) { memory in
            memory.copyBytes(from: [9, 9, 9, 9, 9, 9, 9, 9] + CacheKey.number(7).input.bytes)
        }
        let key = CacheKey(model: .first, input: Payload(storage, range: 8..<24))
        #expect(key == .number(7))
        #expect(key.hash == CacheKey.number(7).hash)
        #expect(key != CacheKey.number(7, of: .second))
        #expect(key.hash != CacheKey.number(7, of: .second).hash)
        #expect(key != CacheKey.number(8))
    }

    @Test(
        "Keys with one hash are told apart by their bytes, their length and their model", arguments: [0, -1, 1 << 40])
    mutating func survivesCollisions(hash: Int) {
        for number in 0..<100 { cache.insert("\(number)", for: .number(number, hash: hash)) }
        cache.insert("longer", for: .number(0, byteCount: 24, hash: hash))
        cache.insert("another model", for: .number(0, of: .second, hash: hash))
        #expect(cache.count == 102)
        for number in 0..<100 { #expect(cache.text(for: .number(number, hash: hash)) == "\(number)") }
        #expect(cache.text(for: .number(0, byteCount: 24, hash: hash)) == "longer")
        #expect(cache.text(for: .number(0, of: .second, hash: hash)) == "another model")
        #expect(cache.text(for: .number(100, hash: hash)) == nil)
    }

    @Test("Empty inputs and outputs are kept like others")
    mutating func keepsEmpty() {
        cache.insert("", for: .number(0, byteCount: 0))
        #expect(cache.text(for: .number(0, byteCount: 0)) == "")
        #expect(cache.text(for: .number(0, of: .second, byteCount: 0)) == nil)
    }

    @Test("A second output for a key replaces the first")
    mutating func replaces() {
        cache.insert("short", for: .number(1))
        cache.insert("much longer", for: .number(1))
        #expect(cache.text(for: .number(1)) == "much longer")
        #expect(cache.count == 1)
        #expect(cache.byteCount == CacheEntry.byteCount(input: 16, output: 11))
        #expect(cache.evictions == 0)
    }

    @Test("A replaced output makes room by itself, also when the cache is full")
    mutating func replacesWhenFull() {
        cache = PredictionCache(entries: 20)
        for number in 0..<20 { cache.insert("a", for: .number(number)) }
        cache.insert("b", for: .number(3))
        #expect(cache.count == 20)
        #expect(cache.evictions == 0)
        #expect(cache.text(for: .number(3)) == "b")
    }

    @Test("A cache without capacity keeps nothing", arguments: [0, -1])
    mutating func isOff(capacity: Int) {
        cache = PredictionCache(capacityBytes: capacity)
        cache.insert("1", for: .number(1))
        cache.insert("", for: .number(0, byteCount: 0))
        #expect(cache.text(for: .number(1)) == nil)
        #expect(cache.capacityBytes == 0)
        #expect(cache.byteCount == 0)
        #expect(cache.count == 0)
    }

    @Test("An entry may take an eighth of the capacity and not a byte more")
    mutating func refusesLargeEntries() {
        cache = PredictionCache(capacityBytes: 8 * CacheEntry.byteCount(input: 100, output: 1))
        for number in 0..<8 { cache.insert("1", for: .number(number, byteCount: 100)) }
        #expect(cache.count == 8)
        #expect(cache.byteCount == cache.capacityBytes)
        cache.insert("1", for: .number(8, byteCount: 101))
        cache.insert("12", for: .number(9, byteCount: 100))
        #expect(cache.count == 8)
        #expect(cache.evictions == 0)
        #expect(cache.text(for: .number(8, byteCount: 101)) == nil)
    }

    @Test("An output too large to keep takes out the one that it would have replaced")
    mutating func forgetsWhatWasReplaced() {
        cache.insert("1", for: .number(1))
        cache.insert(ArraySlice(repeating: 0, count: cache.largestEntry), for: .number(1))
        #expect(cache.text(for: .number(1)) == nil)
        #expect(cache.byteCount == 0)
    }

    @Test("Removing a model version leaves the others, and returns its bytes")
    mutating func removesModel() {
        for number in 0..<200 { cache.insert("\(number)", for: .number(number, of: .first)) }
        let bytes = cache.byteCount
        for number in 0..<200 { cache.insert("\(number)", for: .number(number, of: .second)) }
        cache.removeAll(of: .second)
        #expect(cache.count == 200)
        #expect(cache.byteCount == bytes)
        for number in 0..<200 {
            #expect(cache.text(for: .number(number, of: .first)) == "\(number)")
            #expect(cache.text(for: .number(number, of: .second)) == nil)
        }
        cache.removeAll(of: .first)
        #expect(cache.count == 0)
        #expect(cache.byteCount == 0)
        #expect(cache.evictions == 0)
        cache.insert("2", for: .number(1))
        #expect(cache.text(for: .number(1)) == "2")
    }
}
