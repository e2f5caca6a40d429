import ContainerRPC
import Foundation

/// Batches of a model that takes a + b·n for n queries, and by chance more or less; the same in every run.
struct SimulatedLatency {
    enum Noise {
        case none
        /// Relative, with this standard deviation.
        case gaussian(Double)
        /// The logarithm has this standard deviation.
        case lognormal(Double)
    }

    /// In milliseconds.
    var intercept: Double
    /// In milliseconds per query.
    var slope: Double
    var noise = Noise.none
    /// How many batches are interrupted, such as by garbage collection, and how many times longer these take.
    var interrupted = (share: 0.0, factor: 1.0)
    private var generator: SplitMix64

    init(_ intercept: Double, _ slope: Double, _ noise: Noise = .none, seed: UInt64 = 1) {
        self.intercept = intercept
        self.slope = slope
        self.noise = noise
        generator = SplitMix64(seed: seed)
    }

    /// The latency without chance.
    func expected(_ size: Int) -> Double { intercept + slope * Double(size) }

    /// How long the next batch takes.
    mutating func batch(of size: Int) -> Duration {
        let isInterrupted = Double.random(in: 0..<1, using: &generator) < interrupted.share
        return .milliseconds(expected(size) * noiseFactor() * (isInterrupted ? interrupted.factor : 1))
    }

    mutating func size(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    /// The factor that 95 % of the batches that aren't interrupted stay below.
    var slowFactor: Double {
        switch noise {
        case .none: 1
        case .gaussian(let deviation): 1 + 1.645 * deviation
        case .lognormal(let deviation): exp(1.645 * deviation)
        }
    }

    private mutating func noiseFactor() -> Double {
        switch noise {
        case .none: 1
        case .gaussian(let deviation): max(0.1, 1 + deviation * normal())
        case .lognormal(let deviation): exp(deviation * normal())
        }
    }

    /// Box and Muller's method.
    private mutating func normal() -> Double {
        let radius = sqrt(-2 * log(1 - Double.random(in: 0..<1, using: &generator)))
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
    }
}
