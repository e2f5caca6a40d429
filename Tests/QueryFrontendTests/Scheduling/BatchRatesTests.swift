import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("How large batches may be before a replica does less with them")
struct BatchRatesTests {
    private var rates = BatchRates()

    /// Batches that are as large as they may be, and at most so many, each of a duration in milliseconds.
    ///
    /// - Returns: their sizes.
    @discardableResult
    private mutating func run(_ count: Int, atMost most: Int, _ takes: (Int) -> Double) -> [Int] {
        (0..<count).map { _ in
            let size = min(most, rates.largestWorthwhile)
            rates.begin(size: size)
            rates.record(size: size, duration: .nanoseconds(Int64(takes(size) * 1e6)))
            return size
        }
    }

    /// The sizes that a load grows through.
    private mutating func grow(to most: Int, _ takes: (Int) -> Double) {
        var size = 1
        while size < most {
            run(2, atMost: size, takes)
            size *= 2
        }
    }

    @Test("There is no bound for a model that does more in larger batches, however uneven it is", arguments: [1, 2, 3])
    mutating func straight(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let takes = { (size: Int) in (4 + 0.1 * Double(size)) * Double.random(in: 0.75...1.25, using: &generator) }
        grow(to: 512, takes)
        run(1000, atMost: 512, takes)
        #expect(rates.largestWorthwhile >= 512)
    }

    @Test(
        "Under a restless load on a very uneven model large batches are seldom kept off",
        arguments: [1, 2, 3] as [UInt64])
    mutating func uneven(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var bounded = 0
        for _ in 0..<2000 {
            if rates.largestWorthwhile < 64 { bounded += 1 }
            let size = min(rates.largestWorthwhile, Int.random(in: 1...64, using: &generator))
            // Three times as long as at other times, now and then.
            let stretch =
                Double.random(in: 0..<1, using: &generator) < 0.15 ? 3 : Double.random(in: 0.6...1.4, using: &generator)
            rates.begin(size: size)
            rates.record(size: size, duration: .nanoseconds(Int64((20 + Double(size)) * stretch * 1e6)))
        }
        #expect(bounded < 400, "\(bounded)")
    }

    @Test("Where larger ones take longer for each query, the largest power of two is found that does not")
    mutating func step() {
        grow(to: 128) { $0 <= 20 ? 5 : Double($0) }
        #expect(rates.largestWorthwhile == 16)
        #expect(rates.isBeyond(17))
        #expect(!rates.isBeyond(16))
    }

    @Test("The next size is tried by one batch, after twice as many others each time")
    mutating func triesSeldom() {
        let takes = { (size: Int) in size <= 16 ? 10 : 0.8 * Double(size) }
        grow(to: 64, takes)
        let sizes = run(300, atMost: 1000, takes)
        let trials = sizes.indices.filter { sizes[$0] != 16 }
        #expect(trials.allSatisfy { sizes[$0] == 32 })
        let pauses = zip(trials, trials.dropFirst()).map { $1 - $0 }
        #expect(pauses.count >= 2)
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $1 >= 2 * $0 - 2 })
    }

    @Test("Trials of a size that takes far longer are so rare that they cost little")
    mutating func dearTrials() {
        // Beyond 32 it swaps.
        let takes = { (size: Int) in Double(size) * (size <= 32 ? 5 : 47) }
        grow(to: 128, takes)
        let sizes = run(2000, atMost: 1000, takes)
        let time = sizes.reduce(0) { $0 + takes($1) }
        let lost = sizes.reduce(0) { $0 + takes($1) - 5 * Double($1) }
        #expect(sizes.contains(64))
        #expect(lost < time / 30, "\(lost) of \(time)")
    }

    @Test("What was sent before the bound was found is no trial: the pause after the first one is the shortest")
    mutating func sentBefore() {
        let takes = { (size: Int) in size <= 16 ? 10 : 10 * Double(size) }
        grow(to: 32, takes)
        run(1, atMost: 32, takes)
        rates.begin(size: 32)
        run(1, atMost: 32, takes)
        #expect(rates.largestWorthwhile == 16)
        rates.record(size: 32, duration: .milliseconds(320))
        #expect(run(40, atMost: 1000, takes).contains(32))
    }

    @Test("A batch whose answer was read at once with the one before it is no measure")
    mutating func readAtOnce() {
        let takes = { (size: Int) in 1 + 0.4 * Double(size) }
        grow(to: 64, takes)
        rates.record(size: 1, duration: .zero)
        run(2, atMost: 32, takes)
        #expect(rates.largestWorthwhile == .max)
    }

    @Test("Where larger ones pay by now, sizes grow again")
    mutating func improves() {
        grow(to: 64) { $0 <= 8 ? 10 : 2 * Double($0) }
        #expect(rates.largestWorthwhile == 8)
        run(600, atMost: 128) { 10 + 0.1 * Double($0) }
        #expect(rates.largestWorthwhile >= 128)
    }

    @Test("A first batch of a size that is slow for being the first bounds nothing")
    mutating func warmUp() {
        var seen: Set<Int> = []
        grow(to: 256) { seen.insert($0).inserted ? 100 : 4 + 0.1 * Double($0) }
        #expect(rates.largestWorthwhile == .max)
    }

    @Test("A model that becomes slower as a whole gets its large batches back")
    mutating func slowsDown() {
        var generator = SplitMix64(seed: 1)
        // The load changes, and with it the sizes.
        for round in 0..<400 {
            let size = min(rates.largestWorthwhile, Int.random(in: 1...64, using: &generator))
            rates.begin(size: size)
            let factor = round < 200 ? 1.0 : 3
            rates.record(size: size, duration: .nanoseconds(Int64(factor * (4 + 0.1 * Double(size)) * 1e6)))
        }
        #expect(rates.largestWorthwhile >= 64)
    }
}
