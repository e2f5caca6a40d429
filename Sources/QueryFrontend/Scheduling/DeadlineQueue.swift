import ContainerRPC
import DequeModule

/// What waits for a model by deadline, the earliest first, equal ones in the order in which they came.
///
/// Deadlines mostly come in order: those of one application are its arrivals plus one SLO. So entries are kept in a few
/// sorted runs (as in patience sorting), and only what fits none goes where any order is welcome. Both ends of the work then
/// cost the same with a hundred thousand entries as with a hundred.
struct DeadlineQueue: Sendable {
    /// A query's place in the queue. It may be out of date: `turn` tells.
    struct Entry: Comparable, Sendable {
        var deadline: MonotonicTime
        /// Counts up, so that equal deadlines keep their order and an outdated entry is known.
        var turn: UInt64
        /// The query's slot in its table.
        var slot: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline != right.deadline ? left.deadline < right.deadline : left.turn < right.turn
        }
    }

    private static let mostRuns = 8

    private var runs: [Deque<Entry>] = []
    private var rest = MergedRuns<Entry>()
    private(set) var count = 0
    private var largestCount = 0

    var isEmpty: Bool { count == 0 }

    /// The entry with the earliest deadline.
    var first: Entry? {
        var first = rest.first
        for run in runs {
            guard let candidate = run.first else { continue }
            if let best = first, best < candidate { continue }
            first = candidate
        }
        return first
    }

    mutating func insert(_ entry: Entry) {
        count += 1
        largestCount = max(largestCount, count)
        // The run that ends last before the entry keeps the others open for earlier ones.
        var best: Int?
        for index in runs.indices {
            guard let last = runs[index].last else {
                if best == nil { best = index }
                continue
            }
            guard last < entry else { continue }
            if let chosen = best, let end = runs[chosen].last, last < end { continue }
            best = index
        }
        if let best {
            runs[best].append(entry)
        } else if runs.count < Self.mostRuns {
            runs.append([entry])
        } else {
            rest.insert(entry)
        }
    }

    /// Takes the entry with the earliest deadline.
    mutating func popFirst() -> Entry? {
        guard let first else { return nil }
        count -= 1
        // A burst's memory goes back once it is over.
        defer { if count == 0 { reset() } }
        for index in runs.indices where runs[index].first == first { return runs[index].popFirst() }
        return rest.popFirst()
    }

    /// The slots of the entries that come next, and of some that do not: the first ones of each run, up to the deadline of
    /// the one at that place in the longest.
    func forEachUpcoming(_ count: Int, _ body: (Int) -> Void) {
        guard count > 0, let longest = runs.max(by: { $0.count < $1.count }) else { return }
        let last = longest.prefix(count).last?.deadline ?? .distantPast
        for run in runs {
            for entry in run.prefix(count).prefix(while: { $0.deadline <= last }) { body(entry.slot) }
        }
        rest.forEachUpcoming(count) { if $0.deadline <= last { body($0.slot) } }
    }

    /// How many entries come before a deadline, at most: outdated ones are counted too.
    func count(before deadline: MonotonicTime) -> Int {
        runs.reduce(rest.count { $0.deadline <= deadline }) { before, run in
            before + run.boundary(below: { $0.deadline <= deadline })
        }
    }

    private mutating func reset() {
        guard largestCount > 4096 else { return }
        runs = []
        rest = MergedRuns()
        largestCount = 0
    }
}
