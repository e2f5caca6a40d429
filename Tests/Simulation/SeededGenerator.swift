import ContainerRPC

/// A generator of random numbers that gives the same ones for the same seed on every machine (xoshiro256**, Blackman and
/// Vigna 2018, its state from SplitMix64).
///
/// What it draws is made of integer arithmetic, divisions and comparisons alone: no logarithm or power whose last digit
/// depends on a library.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// Begins where the seed says.
    package init(seed: UInt64) {
        var seeds = SplitMix64(seed: seed)
        state = (seeds.next(), seeds.next(), seeds.next(), seeds.next())
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        let scrambled = state.1 &* 5
        let result = ((scrambled << 7) | (scrambled >> 57)) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = (state.3 << 45) | (state.3 >> 19)
        return result
    }

    /// An integer from 0 on, below the bound.
    mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// An integer of a range.
    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// A duration of a range, in nanoseconds.
    mutating func nanoseconds(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(Int(range.upperBound - range.lowerBound) + 1))
    }

    /// A number from 0 on, below 1.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number of a range.
    mutating func number(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }

    /// True so often.
    mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && unit() < probability
    }

    /// One of these, which must not be none.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// An exponentially distributed number with mean 1 (von Neumann 1951: comparisons alone).
    mutating func exponential() -> Double {
        var whole = 0.0
        while true {
            let first = unit()
            var previous = first
            var runs = 1
            while true {
                let following = unit()
                if following >= previous { break }
                previous = following
                runs += 1
            }
            if runs % 2 == 1 { return whole + first }
            whole += 1
        }
    }

    /// A number from 1 on with a heavy tail (Pareto with shape 2), at most so large.
    mutating func heavyTail(atMost limit: Double) -> Double {
        min(limit, 1 / (1 - unit()).squareRoot())
    }
}
