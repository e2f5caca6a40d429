import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Elements in runs that are merged")
struct MergedRunsTests {
    @Test(
        "Whatever order elements come in, the least leaves first, and those below a bound are counted", arguments: 0..<4
    )
    func ordersAll(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var runs = MergedRuns<Int>()
        var expected: [Int] = []
        for round in 0..<4000 {
            // It grows to some 2,000 and shrinks again.
            if expected.isEmpty || Int.random(in: 0..<4, using: &generator) < (round < 2500 ? 3 : 1) {
                let element = Int.random(in: 0..<1000, using: &generator)
                runs.insert(element)
                expected.insert(element, at: expected.firstIndex { $0 > element } ?? expected.endIndex)
            } else {
                #expect(runs.popFirst() == expected.removeFirst())
            }
            #expect(runs.first == expected.first)
            if round % 50 == 0 {
                let bound = Int.random(in: -1...1000, using: &generator)
                #expect(runs.count { $0 < bound } == expected.count { $0 < bound })
            }
        }
        while let element = runs.popFirst() { #expect(element == expected.removeFirst()) }
        #expect(expected.isEmpty)
    }

    @Test("What has left takes no memory for long, however many come and go")
    func forgets() {
        var runs = MergedRuns<Int>()
        for element in 0..<10 { runs.insert(element) }
        for element in 10..<10_000 {
            runs.insert(element)
            #expect(runs.popFirst() == element - 10)
        }
        #expect(runs.storedCount < 100)
    }

    @Test("None leaves where there is none")
    func empty() {
        var runs = MergedRuns<Int>()
        #expect(runs.first == nil)
        #expect(runs.popFirst() == nil)
        #expect(runs.count { _ in true } == 0)
    }
}
