import ArgumentParser
import Foundation
import Synchronization

/// How long each batch takes: latency(n) = fixed + n × perInput, times a random factor, and now and then a stall.
final class BatchTime: Sendable {
    private let fixed: Int64
    private let perInput: Int64
    private let jitter: Double
    private let stallShare: Double
    private let stall: Int64
    private let random: Mutex<SplitMix64>

    init(fixed: Duration, perInput: Duration, jitter: Double, stallShare: Double, stall: Duration, seed: UInt64) {
        self.fixed = Int64(fixed / .nanoseconds(1))
        self.perInput = Int64(perInput / .nanoseconds(1))
        self.jitter = jitter
        self.stallShare = stallShare
        self.stall = Int64(stall / .nanoseconds(1))
        random = Mutex(SplitMix64(state: seed))
    }

    /// What the next batch takes, in nanoseconds.
    func next(inputs: Int) -> Int64 {
        let time = fixed + Int64(inputs) * perInput
        guard jitter > 0 || stallShare > 0 else { return time }
        return random.withLock { random in
            let factor = exp(jitter * random.normal())
            let isStalled = Double.random(in: 0..<1, using: &random) < stallShare
            return Int64(Double(time) * factor) + (isStalled ? stall : 0)
        }
    }

    /// Reads a duration such as `4ms`, `100us` or `0s`.
    @Sendable static func duration(_ text: String) throws -> Duration {
        let number = text.prefix { $0.isNumber || $0 == "." }
        let units = ["us": 1e3, "ms": 1e6, "s": 1e9]
        guard let value = Double(number), let unit = units[String(text.dropFirst(number.count))] else {
            throw ValidationError("'\(text)' is no duration: write 100us, 4ms or 1s")
        }
        return .nanoseconds(Int64(value * unit))
    }
}

/// Steele, Lea and Flood's SplitMix64: equal seeds give equal times.
struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A standard normal number, by Box and Muller.
    mutating func normal() -> Double {
        let radius = Double.random(in: 0..<1, using: &self)
        let angle = Double.random(in: 0..<1, using: &self)
        return (-2 * log(1 - radius)).squareRoot() * cos(2 * .pi * angle)
    }
}
