import ContainerRPC

/// The generator that policies draw from: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). Not for secrets.
public struct SelectionRandom: RandomNumberGenerator, Sendable {
    private var generator: SplitMix64

    /// A generator that draws the same for the same seed.
    public init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    public mutating func next() -> UInt64 { generator.next() }

    /// A number from 0 up to 1, without 1.
    mutating func unit() -> Double { generator.unit() }
}
