import ContainerRPC

/// The latency of one replica's batches, a + b·n for a batch of n queries, learned from every batch.
///
/// A window of the last batches is fitted by weighted least squares. Residuals are relative, since a busy machine and an
/// uneven model stretch a long batch more than a short one: a residual is the ratio of the observed to the expected
/// latency. Newer batches weigh more, and outlying ones less: Huber's weights, with one step of iteration for each batch
/// from where the last one ended. The slope stays where it was as far as the batches' sizes don't tell it, so that
/// batches of one size move the level only.
///
/// A run of batches on one side of what was usual means that the model has become slower or faster. The window is then
/// scaled by as much and weighs little against what follows, which keeps the shape and the spread until new ones are
/// known.
package struct LatencyModel: Sendable {
    /// A batch that was answered.
    private struct Sample: Sendable {
        var size: Double
        var latency: Double
        var weight: Double
        /// One over the expected latency, and the observed over the expected latency.
        var inverse = 0.0
        var ratio = 0.0
        /// How many batches came before it.
        var birth: Int
    }

    private static let capacity = 64
    private static let largestLatency = 1e15
    private static let largestBatch = 1_000_000
    /// What a sample's weight is multiplied by for every later one.
    private static let aging = 0.97
    /// What the weight of all samples is multiplied by when the model has changed.
    private static let agingByChange = 0.15
    /// Residuals beyond so many standard deviations weigh less; with 1.345 Huber's estimate is 95 % efficient.
    private static let huberLimit = 1.345
    /// The relative standard deviations that are believed.
    private static let believedSpreads = 0.01...1
    /// How far the slope may wander with each batch where all sizes are alike, in units of latency over size.
    private static let slopeDrift = 0.005
    /// The slope that is presumed while sizes tell nothing, in units of latency over size: little, so that larger
    /// batches are tried.
    private static let presumedShare = 0.1
    /// How far the slope returns to the presumed one with each batch of one query.
    private static let slopeReturn = 0.002
    /// A batch beyond the 80 % quantile scores 1, beyond the 95 % quantile 2; a run with this score is a change, which
    /// chance makes in one of some 10,000 batches.
    private static let changeScore = 8
    /// A quantile is exceeded by more than this factor: rounding and the clock's grain make no run.
    private static let runTolerance = 1.02

    /// The window, a ring.
    private var samples: [Sample] = []
    /// Indices of samples by rising ratio.
    private var order: [UInt8] = []
    private var oldest = 0
    private var births = 0
    /// `births` when the model last changed.
    private var lastChange = 0
    /// The present run: its score, negative for fast ones, and the birth of its first.
    private var runScore = 0
    private var runStart = 0
    /// In nanoseconds, and nanoseconds per query.
    private var a = 0.0
    private var b = 0.0
    private var meanSize = 0.0
    private var sizeDeviation = 0.0
    private var decayingLargest = 0.0
    private var slowRatio = 1.0
    private var fastRatio = 1.0

    package init() {}

    /// Whether a batch has been recorded; until then every latency is expected to be zero.
    package var isKnown: Bool { births > 0 }

    /// What a batch takes however small it is.
    package var intercept: Duration { Self.duration(a) }

    /// What each query adds to a batch's latency.
    package var slope: Duration { Self.duration(b) }

    /// The largest batch seen of late, in queries; it fades towards present sizes within some hundreds of batches.
    package var largestSeen: Int { Int(decayingLargest.rounded(.up)) }

    /// The latency of a batch of so many queries: a + b·n.
    package func expected(_ size: Int) -> Duration { Self.duration(latency(size)) }

    /// A latency that about one batch in twenty exceeds.
    package func slow(_ size: Int) -> Duration { Self.duration(latency(size) * slowRatio) }

    /// A latency that about one batch in twenty undercuts.
    package func fast(_ size: Int) -> Duration { Self.duration(latency(size) * fastRatio) }

    /// The latency that a share `q` of the batches of this size doesn't exceed.
    package func quantile(_ q: Double, _ size: Int) -> Duration { Self.duration(latency(size) * ratio(atQuantile: q)) }

    /// The largest batch whose expected or slow latency fits the budget, in queries; 0 when not even one query does.
    package func largestSize(within budget: Duration, slow: Bool) -> Int {
        let factor = slow ? slowRatio : 1
        let budget = Double(budget.wholeNanoseconds)
        guard latency(1) * factor <= budget else { return 0 }
        guard latency(Self.largestBatch) * factor > budget else { return Self.largestBatch }
        var size = Int(min(max((budget / factor - a) / b, 1), Double(Self.largestBatch)))
        // Rounding may be one off.
        while size > 1, latency(size) * factor > budget { size -= 1 }
        while latency(size + 1) * factor <= budget { size += 1 }
        return size
    }

    /// A batch of so many queries was answered after this time at the replica.
    package mutating func record(size: Int, duration: Duration) {
        let size = Double(Self.clamped(size))
        let latency = min(max(Double(duration.wholeNanoseconds), 1), Self.largestLatency)
        decayingLargest = max(size, decayingLargest - (decayingLargest - size) / 256)
        if samples.isEmpty {
            begin(size: size, latency: latency)
        } else {
            forgetWarmUp(latency: latency, size: size)
        }
        noteRun(ratio: latency / (a + b * size), size: size)
        insert(Sample(size: size, latency: latency, weight: 1, birth: births))
        births += 1
        if abs(runScore) >= Self.changeScore { adoptChange() }
        fit()
        judgeSamples()
        slowRatio = max(1, ratio(atQuantile: 0.95))
        fastRatio = min(1, ratio(atQuantile: 0.05))
    }

    // MARK: The window

    private mutating func begin(size: Double, latency: Double) {
        samples.removeAll(keepingCapacity: true)
        samples.reserveCapacity(Self.capacity)
        order.removeAll(keepingCapacity: true)
        order.reserveCapacity(Self.capacity)
        oldest = 0
        b = Self.presumedShare * latency / size
        a = latency - b * size
        meanSize = size
        lastChange = births
        runScore = 0
    }

    /// The first batches of a model may be much slower than all others. They are forgotten as soon as two in a row were
    /// much faster, which chance doesn't do.
    private mutating func forgetWarmUp(latency: Double, size: Double) {
        guard samples.count < 8, let last = samples.last, last.ratio < 1 / 3, latency < (a + b * size) / 3,
            samples.allSatisfy({ $0.size <= 2 * min(size, last.size) })
        else { return }
        begin(size: last.size, latency: last.latency)
        insert(last)
    }

    private mutating func insert(_ sample: Sample) {
        var sample = sample
        sample.inverse = 1 / (a + b * sample.size)
        sample.ratio = sample.latency * sample.inverse
        if samples.count < Self.capacity {
            order.append(UInt8(samples.count))
            samples.append(sample)
        } else {
            samples[oldest] = sample
            oldest = (oldest + 1) % Self.capacity
        }
    }

    /// Residuals by the present fit, and their order, which changes little from one fit to the next.
    private mutating func judgeSamples() {
        samples.withUnsafeMutableBufferPointer { samples in
            for index in samples.indices {
                let inverse = 1 / (a + b * samples[index].size)
                samples[index].inverse = inverse
                samples[index].ratio = samples[index].latency * inverse
                samples[index].weight *= Self.aging
            }
            order.withUnsafeMutableBufferPointer { order in
                for start in order.indices.dropFirst() {
                    let moved = order[start]
                    let ratio = samples[Int(moved)].ratio
                    var place = start
                    while place > 0, samples[Int(order[place - 1])].ratio > ratio {
                        order[place] = order[place - 1]
                        place -= 1
                    }
                    order[place] = moved
                }
            }
        }
    }

    /// The ratio of observed to expected latency that a share `q` of the batches doesn't exceed. Of few batches the
    /// tail isn't known: it is presumed to be wider, and the farthest one isn't believed alone.
    private func ratio(atQuantile q: Double) -> Double {
        let q = q.isNaN ? 0.5 : min(max(q, 0), 1)
        let count = samples.count
        let presumed = 0.25 * (2 * q - 1) * max(0, 1 - Double(count) / 20)
        guard count > 2 else { return max(0, 1 + presumed) }
        let position = min(max(q * Double(count - 1), 1), Double(count - 2))
        let index = min(Int(position), count - 2)
        let share = position - Double(index)
        return max(0, ordered(index) * (1 - share) + ordered(index + 1) * share + presumed)
    }

    private func ordered(_ rank: Int) -> Double { samples[Int(order[rank])].ratio }

    // MARK: Change

    /// Sizes unlike the ones seen tell of the slope and nothing of a change.
    private mutating func noteRun(ratio: Double, size: Double) {
        guard samples.count > 2, abs(size - meanSize) <= 2 * sizeDeviation + 0.25 * meanSize else { return }
        let score: Int
        if ratio > self.ratio(atQuantile: 0.8) * Self.runTolerance {
            score = ratio > slowRatio * Self.runTolerance ? 2 : 1
        } else if ratio * Self.runTolerance < self.ratio(atQuantile: 0.2) {
            score = ratio * Self.runTolerance < fastRatio ? -2 : -1
        } else {
            score = 0
        }
        if score == 0 || score.signum() != runScore.signum() {
            runScore = 0
            runStart = births
        }
        runScore += score
    }

    /// The model has become slower or faster by the run's median.
    private mutating func adoptChange() {
        judgeSamples()
        let length = min(births - runStart, samples.count)
        var rank = 0
        var factor = 1.0
        for index in order where samples[Int(index)].birth >= runStart {
            if rank == length / 2 { factor = samples[Int(index)].ratio }
            rank += 1
        }
        for index in samples.indices where samples[index].birth < runStart {
            samples[index].latency = min(max(samples[index].latency * factor, 1), Self.largestLatency)
            samples[index].weight *= Self.agingByChange
        }
        a *= factor
        b *= factor
        judgeSamples()
        lastChange = runStart
        runScore = 0
    }

    // MARK: The fit

    private mutating func fit() {
        let spread = self.spread
        let limit = Self.huberLimit * spread
        let level = a + b * meanSize
        var weights = 0.0
        var sizes = 0.0
        var latencies = 0.0
        var squares = 0.0
        var products = 0.0
        for sample in samples {
            let residual = abs(sample.ratio - 1)
            var trust = 1.0
            if residual > limit {
                trust = limit / residual
                // No slope explains this one.
                if sample.latency > 2 * level * max(1, sample.size / meanSize) { trust *= trust }
            }
            let weight = sample.weight * trust * sample.inverse * sample.inverse
            weights += weight
            sizes += weight * sample.size
            latencies += weight * sample.latency
            squares += weight * sample.size * sample.size
            products += weight * sample.size * sample.latency
        }
        let meanLatency = latencies / weights
        meanSize = sizes / weights
        let variation = max(0, squares - sizes * meanSize)
        sizeDeviation = (variation / weights).squareRoot()
        let unit = meanLatency / meanSize
        let youth = 1 / Double(max(1, births - lastChange))
        let smallness = 1 / (meanSize * meanSize)
        // Sizes that differ much may move the slope sooner. So may batches of few queries, where a wrong slope can keep
        // them so, and then nothing corrects it: there it returns to the presumed one until a larger batch is tried.
        let diversity = variation / weights * smallness
        let drift = unit * max(youth, Self.slopeDrift * (1 + 20 * diversity + 20 * smallness))
        let hold = spread * spread / (drift * drift)
        let held = b + max(youth, Self.slopeReturn) * smallness * min(0, Self.presumedShare * unit - b)
        b = max(0, (products - latencies * meanSize + hold * held) / (variation + hold))
        a = meanLatency - b * meanSize
        if a < 0 {
            a = 0
            b = products / squares
        }
    }

    /// The relative standard deviation, as the middle half of the residuals has it.
    private var spread: Double {
        guard samples.count > 3 else { return 0.1 }
        let spread = (ratio(atQuantile: 0.75) - ratio(atQuantile: 0.25)) / 1.349
        return min(max(spread, Self.believedSpreads.lowerBound), Self.believedSpreads.upperBound)
    }

    // MARK: Units

    private func latency(_ size: Int) -> Double { a + b * Double(Self.clamped(size)) }

    private static func clamped(_ size: Int) -> Int { min(max(size, 1), largestBatch) }

    private static func duration(_ nanoseconds: Double) -> Duration {
        Duration(wholeNanoseconds: Int64(min(max(nanoseconds, 0), 9e18)))
    }
}
