import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The prediction cache that threads share")
struct SharedPredictionCacheTests {
    private func text(_ output: ArraySlice<UInt8>?) -> String? {
        output.map { String(decoding: $0, as: UTF8.self) }
    }

    private func bytes(_ text: String) -> ArraySlice<UInt8> {
        ArraySlice(text.utf8)
    }

    @Test("An output is found, and the statistics tell of it")
    func finds() {
        let cache = SharedPredictionCache(capacityBytes: 10_000)
        #expect(cache.isOn)
        #expect(cache.output(for: .number(1)) == nil)
        cache.insert(bytes("6.5"), for: .number(1))
        #expect(text(cache.output(for: .number(1))) == "6.5")
        #expect(
            cache.statistics
                == CacheStatistics(
                    byteCount: CacheEntry.byteCount(input: 16, output: 3), capacityBytes: 10_000, entries: 1,
                    evictions: 0))
    }

    @Test("A cache of no bytes is off", arguments: [0, -5])
    func isOff(capacity: Int) {
        let cache = SharedPredictionCache(capacityBytes: capacity)
        #expect(!cache.isOn)
        cache.insert(bytes("1"), for: .number(1))
        cache.removeAll(of: .first)
        #expect(cache.output(for: .number(1)) == nil)
        #expect(cache.statistics == CacheStatistics(byteCount: 0, capacityBytes: 0, entries: 0, evictions: 0))
    }

    @Test("A large entry that takes many pieces to make room for is kept, and the bytes stay in bounds")
    func makesRoomInPieces() {
        let small = CacheEntry.byteCount(input: 16, output: 1)
        let cache = SharedPredictionCache(capacityBytes: 4_000 * small)
        for number in 0..<4_000 { cache.insert(bytes("1"), for: .number(number)) }
        for number in 0..<4_000 { #expect(cache.output(for: .number(number)) != nil) }
        cache.insert(ArraySlice(repeating: 7, count: 499 * small), for: .number(5_000))
        #expect(cache.output(for: .number(5_000))?.count == 499 * small)
        #expect(cache.statistics.evictions == 500)
        #expect(cache.statistics.entries == 3_501)
        #expect(cache.statistics.byteCount <= cache.statistics.capacityBytes)
    }

    @Test("An output too large to keep evicts nothing, and takes out the one that it would have replaced")
    func refusesLargeEntries() {
        let cache = SharedPredictionCache(capacityBytes: 8_000)
        for number in 0..<50 { cache.insert(bytes("1"), for: .number(number)) }
        cache.insert(ArraySlice(repeating: 7, count: 1_000), for: .number(1))
        cache.insert(ArraySlice(repeating: 7, count: 10_000), for: .number(2))
        #expect(cache.output(for: .number(1)) == nil)
        #expect(cache.output(for: .number(2)) == nil)
        #expect(cache.statistics.entries == 48)
        #expect(cache.statistics.evictions == 0)
    }

    @Test("Removing a model version takes all of its outputs, however many, and no other's")
    func removesModel() {
        let cache = SharedPredictionCache(capacityBytes: 1_000_000)
        for number in 0..<1_000 {
            cache.insert(bytes("\(number)"), for: .number(number, of: number % 3 == 0 ? .first : .second))
        }
        cache.removeAll(of: .second)
        #expect(cache.statistics.entries == 334)
        for number in 0..<1_000 {
            #expect(text(cache.output(for: .number(number, of: .first))) == (number % 3 == 0 ? "\(number)" : nil))
            #expect(cache.output(for: .number(number, of: .second)) == nil)
        }
    }

    @Test("After a model's outputs were removed the evictions are still counted")
    func keepsCount() {
        let cache = SharedPredictionCache(capacityBytes: 20 * CacheEntry.byteCount(input: 16, output: 1))
        for number in 0..<30 { cache.insert(bytes("1"), for: .number(number)) }
        cache.removeAll(of: .first)
        #expect(cache.statistics.byteCount == 0)
        #expect(cache.statistics.entries == 0)
        #expect(cache.statistics.evictions == 10)
    }

    @Test("Threads that look up, insert and remove at once never get another key's output")
    func isSafe() async {
        let cache = SharedPredictionCache(capacityBytes: 100 * CacheEntry.byteCount(input: 16, output: 3))
        let found = await withTaskGroup { group in
            for worker in 0..<4 {
                group.addTask {
                    var generator = SplitMix64(seed: UInt64(worker))
                    var (found, wrong) = (0, 0)
                    for turn in 0..<5_000 {
                        let number = Int.random(in: 0..<150, using: &generator)
                        if let output = text(cache.output(for: .number(number))) {
                            found += 1
                            if output != "\(number)" { wrong += 1 }
                        } else {
                            cache.insert(bytes("\(number)"), for: .number(number))
                        }
                        if worker == 0, turn % 500 == 0 { cache.removeAll(of: .first) }
                    }
                    return (found: found, wrong: wrong)
                }
            }
            return await group.reduce(into: (found: 0, wrong: 0)) { sum, part in
                sum.found += part.found
                sum.wrong += part.wrong
            }
        }
        #expect(found.wrong == 0)
        #expect(found.found > 0)
        let statistics = cache.statistics
        #expect(statistics.byteCount <= statistics.capacityBytes)
    }
}
