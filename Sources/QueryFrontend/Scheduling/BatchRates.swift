import ContainerRPC

/// How large batches may be before a replica does less with them in a second.
///
/// Of most models a larger batch does more in a second, a + b·n being what it takes. Of some it does less from a size on,
/// where a cache is too small or memory is moved to disk. There the largest batch that is in time is a trap: it does less,
/// more waits meanwhile, and the next one is as large.
///
/// Sizes are told apart by powers of two. Where all batches of one but the quickest take longer for each query than a smaller
/// one did, as a rule, the smaller is the ceiling. The next size above is tried again with a batch now and then: the more
/// seldom the more that costs, and after twice as many each time that it was no better.
struct BatchRates: Sendable {
    /// Batches of 2ᵏ⁻¹ + 1 to 2ᵏ queries.
    private struct SizeClass: Sendable {
        /// Nanoseconds for each query of its last batches, a ring.
        private var times: [Double] = []
        private var next = 0
        /// The number of its last batch.
        private(set) var last = 0

        mutating func record(_ time: Double, number: Int) {
            last = number
            if times.count < BatchRates.remembered {
                times.append(time)
            } else {
                times[next] = time
                next = (next + 1) % BatchRates.remembered
            }
        }

        /// The lower one of an even number: the first batch of its size may have been slow for that.
        var median: Double? { times.isEmpty ? nil : times.sorted()[(times.count - 1) / 2] }

        /// What all took but one, of few all.
        var least: Double { times.isEmpty ? .infinity : times.sorted()[times.count < 3 ? 0 : 1] }

        /// Whether more than one has been seen.
        var isKnown: Bool { times.count > 1 }
    }

    /// So many batches of each size are remembered.
    private static let remembered = 5
    /// What is further back than so many batches may have changed, and is no measure for another size.
    private static let fresh = 64
    /// By so much more time for each query a size is worse: jitter makes less of a difference.
    private static let tolerance = 1.2
    /// Shorter batches are stretched by whatever interrupts a machine, more than by their size.
    private static let shortest = Duration.milliseconds(5)
    private static let shortestRest = 32
    private static let longestRest = 4096
    /// What trials may cost, as a share of all batches' time: so many batches come after one that took the time of one more.
    private static let batchesPerBatchLost = 50.0
    /// A size is not by accident worse by so much, and may be left alone for long.
    private static let farWorse = 4.0

    /// By their powers.
    private var classes: [SizeClass] = []
    /// Batches so far.
    private var count = 0
    /// The power above which batches do less.
    private var ceiling: Int?
    /// The number of the batch after which the next power is tried, and of how many batches that will be the next time.
    private var restsUntil = 0
    private var rest = Self.shortestRest
    /// Whether a batch is under way that tries the next power: others of its size were sent before the ceiling was found.
    private var isTrying = false

    /// The most queries that a batch should hold; `Int.max` where larger ones are not known to do less.
    var largestWorthwhile: Int {
        guard let ceiling else { return .max }
        return 1 << (count < restsUntil ? ceiling : ceiling + 1)
    }

    /// Whether batches of so many queries are tried only now and then, because they do less.
    func isBeyond(_ size: Int) -> Bool { ceiling.map { Self.power(of: size) > $0 } ?? false }

    /// A batch of so many queries is sent. Where it is a trial, there is no second one before that has ended, or is forgotten.
    mutating func begin(size: Int) {
        guard isBeyond(size) else { return }
        restsUntil = count + rest
        isTrying = true
    }

    /// A batch of so many queries, at least 1, took so long; none at all says that its answer came with the one before it.
    mutating func record(size: Int, duration: Duration) {
        guard duration > .zero else { return }
        let power = Self.power(of: size)
        while classes.count <= power { classes.append(SizeClass()) }
        count += 1
        let time = Double(duration.wholeNanoseconds) / Double(size)
        classes[power].record(time, number: count)
        if liftCeiling(after: power) { return }
        // Most batches of most models are short, and say nothing about a size.
        guard duration >= Self.shortest || isBeyond(size) else { return }
        var best = Double.infinity
        for smaller in classes[..<power] where count - smaller.last < Self.fresh {
            best = min(best, smaller.median ?? best)
        }
        let isWorse = duration >= Self.shortest && time > best * Self.tolerance
        if let ceiling, power > ceiling {
            let wasTrial = isTrying
            isTrying = false
            if isWorse {
                if wasTrial {
                    rest = min(Self.longestRest, max(2 * rest, Self.rest(after: classes[power].least / best)))
                }
                restsUntil = count + rest
                return
            }
            // It pays by now, and so may the next one.
            self.ceiling = power
            rest = Self.shortestRest
            restsUntil = count + rest
        } else if isWorse, classes[power].isKnown, classes[power].least > best * Self.tolerance {
            self.ceiling = power - 1
            // The first trial comes soon: it may have been by accident.
            rest = Self.shortestRest
            restsUntil = count + rest
        }
    }

    /// How many batches come before the next trial of a size that takes so many times as long for each query, at least. It has
    /// twice as many queries as those at the ceiling.
    private static func rest(after ratio: Double) -> Int {
        ratio < farWorse ? 0 : Int(min(Double(longestRest), batchesPerBatchLost * 2 * (ratio - 1)))
    }

    /// Where a model has become slower as a whole, what was measured before is no measure: it shows when the size at the
    /// ceiling takes longer by now than the one above.
    ///
    /// - Returns: whether that is so: nothing is known any more then.
    private mutating func liftCeiling(after power: Int) -> Bool {
        guard power == ceiling, power + 1 < classes.count, let own = classes[power].median,
            let above = classes[power + 1].median, own > above * Self.tolerance
        else { return false }
        ceiling = nil
        classes.removeAll(keepingCapacity: true)
        return true
    }

    /// The least k with 2ᵏ ≥ `size`.
    private static func power(of size: Int) -> Int {
        size <= 1 ? 0 : Int.bitWidth - (size - 1).leadingZeroBitCount
    }
}
