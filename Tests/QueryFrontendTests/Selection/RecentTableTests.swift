import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Values by key, of those used last")
struct RecentTableTests {
    /// The same in the obvious way: keys with values, the one used longest ago first.
    private struct Model {
        let capacity: Int
        var entries: [(key: Int, value: Int)] = []

        mutating func take(_ key: Int) -> Int? {
            guard let place = entries.firstIndex(where: { $0.key == key }) else { return nil }
            return entries.remove(at: place).value
        }

        mutating func use(_ key: Int, _ change: (Int) -> Int = { $0 }) -> Int? {
            guard let value = take(key).map(change) else { return nil }
            entries.append((key, value))
            return value
        }

        mutating func insert(_ value: Int, for key: Int) {
            if take(key) == nil, entries.count == capacity { entries.removeFirst() }
            entries.append((key, value))
        }
    }

    @Test("It keeps what a list in the order of use would keep, whatever is done", arguments: [1, 2, 5])
    func model(capacity: Int) {
        var generator = SplitMix64(seed: UInt64(capacity))
        var table = RecentTable<Int, Int>(capacity: capacity)
        var model = Model(capacity: capacity)
        for step in 0..<2_000 {
            let key = Int.random(in: 0..<9, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...2:
                table.insert(step, for: key)
                model.insert(step, for: key)
            case 3:
                let value = table.value(of: key)
                #expect(value == model.use(key))
            case 4:
                let value = table.update(key) { value in
                    value += 1
                    return value
                }
                #expect(value == model.use(key) { $0 + 1 })
            case 5...6:
                table.remove(key)
                _ = model.take(key)
            default:
                guard step % 100 == 0 else { continue }
                table.removeAll()
                model.entries = []
            }
            #expect(table.count == model.entries.count)
            let kept = (0..<9).map { table.peek($0) }
            #expect(kept == (0..<9).map { key in model.entries.first { $0.key == key }?.value })
        }
    }
}
