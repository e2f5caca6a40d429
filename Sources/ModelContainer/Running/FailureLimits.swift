import ContainerRPC
import Logging

/// Which failures are logged. Whoever can ask the model can make it fail, and refuse, as often as it is asked: neither
/// is to fill the log, nor to hide the other.
struct FailureLimits: Sendable {
    private var faults = LogLimit(interval: .seconds(1), burst: 10)
    private var refusals = LogLimit(interval: .seconds(1), burst: 10)

    /// Whether a line may be logged now: then the number of those of its kind that could not before, else `nil`.
    ///
    /// - Parameter shown: the lowest level that the logger shows.
    mutating func admit(_ line: FailureLine, shown: Logger.Level, now: MonotonicTime) -> Int? {
        // What is not shown takes no line's turn.
        guard line.level >= shown else { return nil }
        guard line.level >= .info else { return 0 }
        return line.level >= .error ? faults.admit(now: now) : refusals.admit(now: now)
    }
}
