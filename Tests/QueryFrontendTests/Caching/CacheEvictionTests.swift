import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Eviction from the prediction cache")
struct CacheEvictionTests {
    private var cache = PredictionCache(entries: 10)

    /// Which of the numbers are kept, found out by look-ups in a copy.
    private func kept(_ numbers: Range<Int>) -> [Int] {
        var copy = cache
        return numbers.filter { copy.text(for: .number($0)) != nil }
    }

    private mutating func insert(_ numbers: Range<Int>) {
        for number in numbers { cache.insert("1", for: .number(number)) }
    }

    @Test("Without look-ups the oldest goes first")
    mutating func evictsOldest() {
        insert(0..<15)
        #expect(kept(0..<15) == Array(5..<15))
        #expect(cache.evictions == 5)
    }

    @Test("What was asked for survives one sweep, and goes in the next unless it is asked for again")
    mutating func sparesVisited() {
        insert(0..<10)
        for number in [0, 3] { #expect(cache.text(for: .number(number)) != nil) }
        insert(10..<18)
        #expect(kept(0..<18) == [0, 3] + Array(10..<18))
        for number in [3] + Array(10..<18) { #expect(cache.text(for: .number(number)) != nil) }
        // The hand stands at 10. It spares 10 to 17, begins anew, and meets 0, which was spared before.
        insert(18..<19)
        #expect(kept(0..<19) == [3] + Array(10..<19))
        insert(19..<20)
        #expect(kept(0..<20) == [3] + Array(11..<20))
    }

    @Test("If everything was asked for, the oldest goes")
    mutating func evictsOldestOfVisited() {
        insert(0..<10)
        for number in 0..<10 { #expect(cache.text(for: .number(number)) != nil) }
        insert(10..<11)
        #expect(kept(0..<11) == Array(1..<11))
    }

    @Test("A large entry displaces as many small ones as it needs")
    mutating func evictsSeveral() {
        cache = PredictionCache(entries: 100)
        insert(0..<100)
        let small = CacheEntry.byteCount(input: 16, output: 1)
        cache.insert("1", for: .number(1, byteCount: 16 + 9 * small))
        #expect(kept(0..<100) == Array(10..<100))
        #expect(cache.byteCount == cache.capacityBytes)
        #expect(cache.evictions == 10)
    }

    @Test("The hand goes on from its neighbour when its entry is removed")
    mutating func survivesRemovalUnderHand() {
        cache = PredictionCache(entries: 10)
        for number in 0..<5 { cache.insert("1", for: .number(number, of: .second)) }
        insert(5..<10)
        for number in 0..<2 { #expect(cache.text(for: .number(number, of: .second)) != nil) }
        insert(10..<11)
        // The hand spared 0 and 1, evicted 2 and stands at 3, which goes now.
        cache.removeAll(of: .second)
        insert(11..<15)
        #expect(kept(0..<15) == Array(5..<15))
        insert(15..<17)
        #expect(kept(0..<17) == Array(7..<17))
    }
}
