import ContainerRPC

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Counts events and their rates: since the start, and as moving averages over one, five and fifteen minutes.
///
/// The averages move in steps of five seconds, as those of Clipper do; steps that nobody looked at are caught up with
/// at the next event or reading, so that an idle frontend need not wake for them.
struct Meter: Sendable {
    private static let step = Duration.seconds(5)
    private static let minutes = [1.0, 5, 15]
    /// Steps that the recent rate looks back over, besides the present one.
    private static let recentSteps = 6

    private let started: MonotonicTime
    private var nextStep: MonotonicTime
    private var uncounted = 0
    private var averages: [Double]?
    /// The events of the last steps, the oldest first.
    private var recent: [Int] = []
    private(set) var count = 0

    init(now: MonotonicTime) {
        started = now
        nextStep = now + Self.step
    }

    mutating func mark(_ events: Int = 1, now: MonotonicTime) {
        catchUp(now)
        count += events
        uncounted += events
    }

    /// Events per second since the start.
    func rate(now: MonotonicTime) -> Double {
        let seconds = (now - started).inSeconds
        return seconds > 0 ? Double(count) / seconds : 0
    }

    /// Events per second over one, five and fifteen minutes; `nil` in the first five seconds.
    mutating func movingRates(now: MonotonicTime) -> [Double]? {
        catchUp(now)
        return averages
    }

    /// Events per second in the last half minute.
    mutating func recentRate(now: MonotonicTime) -> Double {
        catchUp(now)
        let begin = nextStep - Self.step * (recent.count + 1)
        let seconds = (now - max(begin, started)).inSeconds
        return seconds > 0 ? Double(recent.reduce(uncounted, +)) / seconds : 0
    }

    private mutating func catchUp(_ now: MonotonicTime) {
        guard now >= nextStep else { return }
        let seconds = Self.step.inSeconds
        let steps = Int((now - nextStep).inSeconds / seconds) + 1
        nextStep += Self.step * steps
        let rate = Double(uncounted) / seconds
        recent.append(uncounted)
        recent += Array(repeating: 0, count: min(steps - 1, Self.recentSteps))
        recent.removeFirst(max(0, recent.count - Self.recentSteps))
        uncounted = 0
        averages = Self.minutes.indices.map { index in
            let keep = exp(-seconds / 60 / Self.minutes[index])
            let first = averages.map { rate + keep * ($0[index] - rate) } ?? rate
            // Nothing happened in the steps after the first.
            return first * pow(keep, Double(steps - 1))
        }
    }
}
