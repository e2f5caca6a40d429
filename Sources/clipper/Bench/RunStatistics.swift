/// What is counted while one load runs. All times are nanoseconds since the run's start.
struct RunStatistics: Sendable {
    /// Sends later than this after they were due show that the generator does not keep up: a millisecond.
    private static let lateSend: Int64 = 1_000_000
    /// A server, or a model, can word each error differently; what goes beyond is counted under one name.
    private static let mostTexts = 20
    private static let otherErrors = "other errors"
    private static let otherReasons = "other reasons"

    /// Requests due in it are measured: what comes before is warm-up.
    private(set) var window: Range<Int64>
    private let slo: Int64

    /// Measured requests that were due.
    private(set) var sent = 0
    /// Measured requests of which nothing is known yet.
    private(set) var outstanding = 0
    /// Measured requests that found no free connection when they were due.
    private(set) var waited = 0
    /// Measured requests whose answer was a prediction within the SLO.
    private(set) var inSLO = 0
    /// Bytes of requests and of answers within the window.
    private(set) var bytesSent = 0, bytesReceived = 0
    /// When a prediction, a default output or a refusal by 503 came last, and how many measured requests failed since.
    private var lastAnswer: Int64?, failedSince = 0

    private var answered = 0, predictions = 0, rejected = 0, lateSends = 0
    private var answersInWindow = 0, goodInWindow = 0
    private var defaults: [String: Int] = [:]
    private var errors: [String: Int] = [:]
    private var latency = LatencyHistogram(), predictionLatency = LatencyHistogram()
    private var refusalLatency = LatencyHistogram(), sendLag = LatencyHistogram()

    /// - Parameters:
    ///   - window: when measured requests are due.
    ///   - slo: the latency objective, in nanoseconds.
    init(window: Range<Int64>, slo: Int64) {
        self.window = window
        self.slo = slo
    }

    /// A request was due, and the generator came to it.
    mutating func recordArrival(due: Int64, at now: Int64) {
        guard window.contains(due) else { return }
        sent += 1
        outstanding += 1
        sendLag.record(now - due)
        if now - due > Self.lateSend { lateSends += 1 }
    }

    /// The request has to wait for a connection.
    mutating func recordWait(due: Int64) {
        if window.contains(due) { waited += 1 }
    }

    /// Bytes went or came.
    mutating func recordBytes(sent: Int = 0, received: Int = 0, at now: Int64) {
        guard window.contains(now) else { return }
        bytesSent += sent
        bytesReceived += received
    }

    /// An answer came.
    ///
    /// - Returns: whether it is a prediction within the SLO.
    @discardableResult
    mutating func record(_ answer: BenchAnswer, due: Int64, at now: Int64) -> Bool {
        let isInSLO = answer == .prediction && now - due <= slo
        if window.contains(now) {
            answersInWindow += 1
            if isInSLO { goodInWindow += 1 }
        }
        if case .error = answer {
        } else {
            lastAnswer = now
            failedSince = 0
        }
        guard window.contains(due) else { return isInSLO }
        outstanding -= 1
        answered += 1
        switch answer {
        case .prediction:
            predictions += 1
            latency.record(now - due)
            predictionLatency.record(now - due)
            if isInSLO { inSLO += 1 }
        case .defaultOutput(let reason):
            count(reason, in: \.defaults, others: Self.otherReasons)
            latency.record(now - due)
        case .rejected:
            rejected += 1
            refusalLatency.record(now - due)
        case .error(let text):
            count(error: text)
            refusalLatency.record(now - due)
        }
        return isInSLO
    }

    /// No answer will come: the connection was refused, or broke. That is mostly as quick as a refusal by an answer, and
    /// says no more of how long answers take.
    mutating func record(failure text: String, due: Int64, at now: Int64) {
        guard window.contains(due) else { return }
        outstanding -= 1
        count(error: text)
        refusalLatency.record(now - due)
    }

    /// Ends the window early: no more requests are due.
    mutating func end(at now: Int64) {
        window = window.lowerBound..<max(window.lowerBound, min(now, window.upperBound))
    }

    private mutating func count(error text: String) {
        failedSince += 1
        count(text, in: \.errors, others: Self.otherErrors)
    }

    private mutating func count(
        _ text: String, in counts: WritableKeyPath<RunStatistics, [String: Int]>, others: String
    ) {
        let isKnown = self[keyPath: counts][text] != nil || self[keyPath: counts].count < Self.mostTexts
        self[keyPath: counts][isKnown ? text : others, default: 0] += 1
    }

    /// The figures, when nothing more is waited for.
    ///
    /// Whatever is still without an answer counts with the latency that it has reached by now: the worst of all, left out,
    /// would make the figures better.
    ///
    /// - Parameters:
    ///   - rate: the offered rate; `nil` for a closed loop.
    ///   - inFlight: when the requests were due that were sent and have no answer.
    ///   - unsent: when those were due that never got a connection.
    ///   - now: when nothing more was waited for.
    ///   - cpuSeconds: the processor time that the generator took within the window.
    func figures(
        rate: Double?, connections: Int, inFlight: [Int64], unsent: [Int64], at now: Int64, cpuSeconds: Double,
        isInterrupted: Bool
    ) -> BenchRun {
        let measuredUnsent = unsent.filter { window.contains($0) }
        var latency = latency
        for due in inFlight where window.contains(due) { latency.record(now - due) }
        for due in measuredUnsent { latency.record(now - due) }
        let seconds = Double(window.upperBound - window.lowerBound) / 1e9
        func perSecond(_ count: Int) -> Double { seconds > 0 ? (Double(count) / seconds).rounded(places: 2) : 0 }
        return BenchRun(
            rate: rate, durationSeconds: seconds.rounded(places: 3), connections: connections,
            isInterrupted: isInterrupted, sent: sent, answered: answered, predictions: predictions,
            defaults: defaults, rejected: rejected, errors: errors, unanswered: outstanding,
            unsent: measuredUnsent.count, inSLO: inSLO,
            // Only all of them are all.
            shareInSLO: sent > 0 ? Double(inSLO * 1_000_000 / sent) / 1e6 : 0,
            goodput: perSecond(goodInWindow), achievedRate: perSecond(answersInWindow), bytesSent: bytesSent,
            bytesReceived: bytesReceived, waitedForConnection: waited, lateSends: lateSends,
            generatorCPUShare: seconds > 0 ? (cpuSeconds / seconds).rounded(places: 3) : 0,
            latency: LatencyFigures(latency), predictionLatency: LatencyFigures(predictionLatency),
            refusalLatency: LatencyFigures(refusalLatency), sendLag: SendLagFigures(sendLag),
            latencyCurve: latency.curve, silentSeconds: silentSeconds)
    }

    /// How long nobody answered at the window's end, though somebody asked.
    private var silentSeconds: Double {
        guard failedSince + outstanding > 0 else { return 0 }
        let silence = window.upperBound - max(lastAnswer ?? .min, window.lowerBound)
        return (Double(max(0, silence)) / 1e9).rounded(places: 3)
    }
}
