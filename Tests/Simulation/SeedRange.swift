import Synchronization

/// Seeds that are run one after the other, on several threads.
package struct SeedRange: Sendable {
    let from: UInt64
    let count: Int

    package init(from: UInt64 = 0, count: Int) {
        self.from = from
        self.count = count
    }

    /// What happened in all of them.
    package struct Summary: Sendable {
        package var seeds = 0
        package var occurrences = Occurrences()
        /// Seeds in which something did not hold, in their order.
        package var failures: [(seed: UInt64, violation: Violation)] = []
        /// Tells two sets of histories apart.
        package var historiesHash: UInt64 = 0

        mutating func add(_ other: Summary) {
            seeds += other.seeds
            occurrences.add(other.occurrences)
            failures = (failures + other.failures).sorted { $0.seed < $1.seed }
            historiesHash &+= other.historiesHash
        }

        /// How often each kind of thing happened, a line each.
        package var table: String {
            Occurrence.allCases.map { occurrence in
                let count = String(occurrences[occurrence])
                return String(repeating: " ", count: max(0, 12 - count.count)) + count + "  " + occurrence.label
            }
            .joined(separator: "\n")
        }
    }

    /// Runs all seeds. Their results do not depend on the number of threads.
    package func run(threads: Int) async -> Summary {
        let next = NextSeed()
        return await withTaskGroup(of: Summary.self) { group in
            for _ in 0..<max(1, threads) {
                group.addTask {
                    var summary = Summary()
                    while let index = next.take(below: count) {
                        let seed = from &+ UInt64(index)
                        var simulation = Simulation(seed: seed)
                        let report = simulation.run()
                        summary.seeds += 1
                        summary.occurrences.add(report.occurrences)
                        // A sum, so that the order does not matter; mixed with the seed, so that a swap does.
                        summary.historiesHash &+= (report.historyHash ^ seed) &* 0x9e37_79b9_7f4a_7c15
                        if let violation = report.violation { summary.failures.append((seed, violation)) }
                        // Seeds take the processor for long; others may be waiting for a thread.
                        await Task.yield()
                    }
                    return summary
                }
            }
            return await group.reduce(into: Summary()) { $0.add($1) }
        }
    }
}

/// Hands out the numbers of seeds.
private final class NextSeed: Sendable {
    private let next = Atomic(0)

    func take(below count: Int) -> Int? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
    }
}
