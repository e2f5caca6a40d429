/// Elements that come in any order and leave in theirs: the least first.
///
/// Sorted runs, each about twice as long as the next, that are merged as they fill up (Bentley and Saxe's logarithmic
/// method, 1980). A heap does the same, but cannot tell how many elements are below one without a look at all of them;
/// here that is a binary search in each run.
struct MergedRuns<Element: Comparable & Sendable>: Sendable {
    private struct Run: Sendable {
        var elements: [Element]
        /// Those before it have left.
        var start = 0

        var count: Int { elements.count - start }
        var first: Element { elements[start] }

        /// The first place, of those that have not left, at which `isBelow` no longer holds.
        func end(where isBelow: (Element) -> Bool) -> Int {
            elements[start...].boundary(below: isBelow)
        }
    }

    /// How long the last run grows by insertion.
    private static var insertedLength: Int { 32 }

    /// None is empty.
    private var runs: [Run] = []

    private var firstRun: Int? {
        runs.indices.min { runs[$0].first < runs[$1].first }
    }

    /// The least element.
    var first: Element? { firstRun.map { runs[$0].first } }

    /// Elements that memory is held for, those among them that have left.
    var storedCount: Int { runs.reduce(0) { $0 + $1.elements.count } }

    mutating func insert(_ element: Element) {
        guard let last = runs.indices.last, runs[last].count < Self.insertedLength else {
            runs.append(Run(elements: [element]))
            return
        }
        if runs[last].start >= Self.insertedLength {
            runs[last].elements.removeFirst(runs[last].start)
            runs[last].start = 0
        }
        runs[last].elements.insert(element, at: runs[last].end { $0 < element })
        if runs[last].count == Self.insertedLength { merge() }
    }

    /// Takes the least element.
    mutating func popFirst() -> Element? {
        guard let index = firstRun else { return nil }
        let first = runs[index].first
        runs[index].start += 1
        if runs[index].count == 0 { runs.remove(at: index) }
        return first
    }

    /// How many elements are below a bound; `isBelow` holds for the least ones, and for none from the first on for which
    /// it does not.
    func count(where isBelow: (Element) -> Bool) -> Int {
        runs.reduce(0) { $0 + $1.end(where: isBelow) - $1.start }
    }

    /// The first so many elements of each run.
    func forEachUpcoming(_ count: Int, _ body: (Element) -> Void) {
        for run in runs {
            for element in run.elements[run.start...].prefix(count) { body(element) }
        }
    }

    private mutating func merge() {
        while runs.count > 1, runs[runs.count - 2].count <= 2 * runs[runs.count - 1].count {
            let (right, left) = (runs.removeLast(), runs.removeLast())
            var merged: [Element] = []
            merged.reserveCapacity(left.count + right.count)
            var (next, other) = (left.start, right.start)
            while next < left.elements.count, other < right.elements.count {
                if right.elements[other] < left.elements[next] {
                    merged.append(right.elements[other])
                    other += 1
                } else {
                    merged.append(left.elements[next])
                    next += 1
                }
            }
            merged += left.elements[next...]
            merged += right.elements[other...]
            runs.append(Run(elements: merged))
        }
    }
}
