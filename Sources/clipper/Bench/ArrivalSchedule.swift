import ArgumentParser
import ContainerRPC
import Foundation

/// When the requests of an open loop are due: decided beforehand, whatever becomes of the answers.
struct ArrivalSchedule: Sendable {
    /// How the requests follow one another.
    enum Process: String, CaseIterable, ExpressibleByArgument, Sendable {
        /// Independently of each other, as those of many users do: exponential times in between.
        case poisson
        /// At equal distances.
        case constant
    }

    private let process: Process
    private let meanInterval: Double
    private var generator: SplitMix64
    private var count = 0.0
    private var time = 0.0

    /// - Parameters:
    ///   - rate: requests per second, above zero.
    ///   - seed: equal seeds give equal schedules.
    init(process: Process, rate: Double, seed: UInt64) {
        self.process = process
        meanInterval = 1e9 / rate
        generator = SplitMix64(seed: seed)
    }

    /// When the next request is due, in nanoseconds since the schedule's start; never less than the one before.
    mutating func next() -> Int64 {
        switch process {
        case .constant:
            // A sum of rounded intervals would drift.
            time = count * meanInterval
            count += 1
        case .poisson:
            // 1 − u is never zero.
            time -= log(1 - generator.unit()) * meanInterval
        }
        return Int64(min(time, 9e18))
    }
}
