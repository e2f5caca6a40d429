import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("The queue of a model")
struct DeadlineQueueTests {
    private var queue = DeadlineQueue()

    private var turn: UInt64 = 0

    private mutating func insert(_ item: Int, due deadline: Duration) {
        turn += 1
        queue.insert(DeadlineQueue.Entry(deadline: at(deadline), turn: turn, slot: item))
    }

    private mutating func popAll() -> [Int] {
        var items: [Int] = []
        while let entry = queue.popFirst() { items.append(entry.slot) }
        return items
    }

    @Test("An empty queue has no first query and no deadline")
    mutating func empty() {
        #expect(queue.isEmpty)
        #expect(queue.first == nil)
        #expect(queue.popFirst() == nil)
    }

    @Test("The query with the earliest deadline comes first")
    mutating func ordersByDeadline() {
        insert(1, due: .seconds(3))
        insert(2, due: .seconds(1))
        insert(3, due: .seconds(2))
        #expect(queue.first?.deadline == at(.seconds(1)))
        #expect(queue.count == 3)
        #expect(popAll() == [2, 3, 1])
    }

    @Test("Queries with one deadline come in the order in which they were put in")
    mutating func keepsOrderOfEquals() {
        for item in 0..<100 { insert(item, due: .seconds(1)) }
        #expect(popAll() == Array(0..<100))
    }

    @Test("Whatever order entries come in, the earliest comes out first")
    mutating func ordersAll() {
        var generator = SplitMix64(seed: 7)
        var expected: [(deadline: Int, item: Int)] = []
        for item in 0..<2000 {
            let deadline = Int.random(in: 0..<50, using: &generator)
            insert(item, due: .milliseconds(deadline))
            expected.append((deadline, item))
            if Bool.random(using: &generator), let index = expected.indices.min(by: { expected[$0] < expected[$1] }) {
                #expect(queue.popFirst()?.slot == expected.remove(at: index).item)
            }
        }
        #expect(popAll() == expected.sorted(by: <).map(\.item))
    }

    @Test("A burst of many thousands comes out in order, and so does what follows it")
    mutating func survivesBurst() {
        for item in 0..<10_000 { insert(item, due: .milliseconds(10_000 - item)) }
        #expect(popAll() == Array((0..<10_000).reversed()))
        insert(1, due: .seconds(2))
        insert(2, due: .seconds(1))
        #expect(popAll() == [2, 1])
    }

    @Test("It tells how many entries are due before a time")
    mutating func countsBefore() {
        var generator = SplitMix64(seed: 3)
        let deadlines = (0..<500).map { _ in Int.random(in: 0..<100, using: &generator) }
        for (item, deadline) in deadlines.enumerated() { insert(item, due: .milliseconds(deadline)) }
        for time in [-1, 0, 17, 50, 99, 200] {
            #expect(queue.count(before: at(.milliseconds(time))) == deadlines.count { $0 <= time })
        }
    }
}
