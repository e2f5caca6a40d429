/// Lets one line through per interval: a peer that sends nothing but garbage fills no disk.
package struct LogLimit: Sendable {
    private let interval: Duration
    /// How far lines may be ahead of their intervals.
    private let lead: Duration
    /// When the next line would be due if none came early.
    private var due: MonotonicTime?
    private var suppressed = 0

    /// - Parameter burst: lines that may come at once after a pause.
    package init(interval: Duration, burst: Int = 1) {
        self.interval = interval
        lead = interval * (max(1, burst) - 1)
    }

    /// Whether a line may be logged now: then the number of those that could not before, else `nil`.
    package mutating func admit(now: MonotonicTime) -> Int? {
        if let due, now + lead < due {
            suppressed += 1
            return nil
        }
        due = max(due ?? now, now) + interval
        defer { suppressed = 0 }
        return suppressed
    }
}
