import Foundation
import Simulation
import Testing

@Suite struct SimulationTests {
    private static let seeds = 1000

    @Test func `nothing that must not happen happens in a thousand worlds, and everything else does`() async {
        let summary = await SeedRange(count: Self.seeds).run(threads: ProcessInfo.processInfo.activeProcessorCount)
        #expect(summary.seeds == Self.seeds)
        #expect(
            summary.failures.isEmpty,
            """
            \(summary.failures.prefix(5).map { "seed \($0.seed) \($0.violation)" }.joined(separator: "\n"))
            Replay with: swift run -c release simulate --seed \(summary.failures.first?.seed ?? 0) --verbose
            """)
        // What no seed has met has not been tested.
        #expect(summary.occurrences.missing == [])
    }

    @Test(arguments: [UInt64(0), 1, 2, 77, 12345])
    func `equal seeds have equal histories`(seed: UInt64) {
        var first = Simulation(seed: seed, keepsHistory: true)
        var second = Simulation(seed: seed, keepsHistory: true)
        let (one, other) = (first.run().history, second.run().history)
        #expect(!one.isEmpty)
        let place = Array(zip(one, other)).firstIndex { $0 != $1 } ?? min(one.count, other.count)
        let difference = "\(one[place...].prefix(3)) and \(other[place...].prefix(3))"
        #expect(place == max(one.count, other.count), "from event \(place) on: \(difference)")
    }

    @Test func `other seeds have other histories`() {
        let hashes = (UInt64(0)..<20).map { seed in
            var simulation = Simulation(seed: seed)
            return simulation.run().historyHash
        }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `the number of threads changes no result`() async {
        let one = await SeedRange(from: 500, count: 20).run(threads: 1)
        let three = await SeedRange(from: 500, count: 20).run(threads: 3)
        #expect(one.historiesHash == three.historiesHash)
        #expect(one.occurrences == three.occurrences)
    }
}
