import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The memory of the prediction cache")
struct CacheMemoryTests {
    private var cache = PredictionCache(capacityBytes: 100_000)

    @Test("An input that is a part of a request does not keep the request's memory")
    mutating func copiesInput() {
        weak var request: AnyObject?
        do {
            let storage = PayloadStorage(byteCount: 10_000) { $0.copyBytes(from: 0..<100) }
            request = storage.buffer
            cache.insert("1", for: CacheKey(model: .first, input: Payload(storage, range: 10..<20)))
        }
        #expect(request == nil)
        #expect(cache.text(for: CacheKey(model: .first, input: Payload(copying: 10..<20))) == "1")
    }

    @Test("An output that is a part of a batch does not keep the batch's memory")
    mutating func copiesOutput() {
        var batch = [UInt8](0..<100)
        let before = batch.withUnsafeMutableBufferPointer { UInt(bitPattern: $0.baseAddress) }
        cache.insert(batch[10..<20], for: .number(1))
        // An array that somebody shares would move when it is written.
        let after = batch.withUnsafeMutableBufferPointer { UInt(bitPattern: $0.baseAddress) }
        #expect(before == after)
        #expect(cache.output(for: .number(1)) == batch[10..<20])
    }

    @Test("What is handed out is the entry's own memory, not a copy")
    mutating func handsOutWithoutCopy() {
        cache.insert("output", for: .number(1))
        let address = { (bytes: ArraySlice<UInt8>?) in
            bytes?.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        }
        let first = cache.output(for: .number(1))
        let second = cache.output(for: .number(1))
        #expect(first != nil)
        #expect(address(first) == address(second))
    }

    @Test("An output that was handed out outlives its entry")
    mutating func outlivesEviction() {
        cache.insert("output", for: .number(1))
        let output = cache.output(for: .number(1))
        cache.removeAll(of: .first)
        cache.insert("another", for: .number(1))
        #expect(output.map { String(decoding: $0, as: UTF8.self) } == "output")
    }

    @Test("Slots that became free are used again before new ones are made")
    func reusesSlots() {
        var slots = CacheSlots()
        let entry = CacheEntry([1], for: .number(1))
        let first = (0..<3).map { _ in slots.add(entry) }
        #expect(Set(first).count == 3)
        slots.free(first[0])
        slots.free(first[2])
        #expect(slots[first[0]].entry == nil)
        #expect(slots[first[1]].entry != nil)
        #expect(Set([slots.add(entry), slots.add(entry)]) == [first[0], first[2]])
        #expect(slots.count == 3)
        #expect(slots.add(entry) == 3)
    }
}
