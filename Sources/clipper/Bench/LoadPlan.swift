import ContainerRPC

/// One run of the load: how much, for how long, and what to send. Times are nanoseconds.
struct LoadPlan: Sendable {
    /// When requests are due.
    enum Pace: Sendable {
        /// At times decided beforehand.
        case open(ArrivalSchedule, rate: Double)
        /// On each connection as soon as the last answer has come.
        case closed

        /// The offered rate; `nil` for a closed loop.
        var rate: Double? {
            if case .open(_, let rate) = self { rate } else { nil }
        }
    }

    /// When requests are due.
    var pace: Pace
    /// Connections, all opened before the run starts.
    var connections: Int
    /// How long that may take: 10 s.
    var connectPatience: Int64 = 10_000_000_000
    /// How long requests go before those that count.
    var warmup: Int64
    /// How long requests go that count.
    var duration: Int64
    /// How long answers are waited for after that.
    var grace: Int64
    /// The latency objective.
    var slo: Int64
    /// What is sent, in turn.
    var templates: [RequestTemplate]
    /// The number put in place in the first request; counts up from there.
    var firstNumber: UInt64
    /// Whether every 200 counts as a prediction.
    var acceptsAny: Bool

    /// When requests are due that count.
    var window: Range<Int64> { warmup..<(warmup + duration) }

    /// Connections that a rate needs while every answer takes as long as the SLO allows, twice over, as arrivals come in
    /// bursts; at least 64, and not more than a process may usually open.
    static func connections(forRate rate: Double, slo: Duration) -> Int {
        let busy = rate * slo.inSeconds
        return Int(min(max(64, busy * 2), 4000).rounded())
    }
}

/// The last second of a run, for those who watch.
struct LoadSecond: Sendable {
    /// Whether it belongs to the warm-up.
    var isWarmup: Bool
    /// Seconds since the run's start.
    var second: Int
    /// Requests due, answers, predictions within the SLO, in this second.
    var due = 0, answered = 0, inSLO = 0
    /// Requests that wait for a connection, and those whose answer is waited for, at its end.
    var waiting = 0, inFlight = 0
    /// The latencies of its answers, in nanoseconds.
    var latencies: [Int64] = []

    /// The 99th percentile of the latency, in microseconds; 0 without answers.
    var p99Micros: Double {
        let sorted = latencies.sorted()
        guard !sorted.isEmpty else { return 0 }
        return Double(sorted[min(sorted.count - 1, sorted.count * 99 / 100)]) / 1000
    }
}
