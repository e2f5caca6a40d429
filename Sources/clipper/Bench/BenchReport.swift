import ContainerRPC
import Foundation

/// What `clipper bench` measured, as its JSON has it.
struct BenchReport: Codable, Equatable, Sendable {
    /// The application that was asked.
    var application: String
    /// The URL that the requests went to.
    var url: String
    /// `poisson`, `constant`, or `closed` for a closed loop.
    var arrivals: String
    /// The most connections that a run used.
    var connections: Int
    /// What the arrivals and random inputs followed from; run n (from 0) adds n to it.
    var seed: UInt64
    /// The latency objective, in microseconds.
    var sloMicros: Int64
    /// The share of all requests that has to be answered within the objective.
    var goal: Double
    /// The runs, in their order.
    var runs: [BenchRun]
    /// What `--step` found, in requests per second: the highest rate that kept the goal; a lower bound where the search
    /// was ended before its end.
    var highestRateWithinSLO: Double?
    /// What that rests on; `nil` where nothing was searched.
    var search: BenchSearch?
    /// When the first run began, by the clock on the wall (ISO 8601); `nil`, as what follows, in files of earlier versions.
    var startedAt: String?
    /// The version of this program.
    var clipperVersion: String?
    /// How long requests go before those that count, and how long answers are waited for, in seconds.
    var warmupSeconds: Double?, graceSeconds: Double?
    /// What was sent.
    var input: BenchInput?
    /// Whether a run that misses the goal is a failure; not in the JSON.
    var isGoalRequired = false
    /// Why a run could not begin, which ended the load; not in the JSON.
    var failure: CommandFailure?

    enum CodingKeys: String, CodingKey {
        case application, url, arrivals, connections, seed, goal, runs, search, input
        case sloMicros = "slo_micros"
        case highestRateWithinSLO = "highest_rate_within_slo"
        case startedAt = "started_at"
        case clipperVersion = "clipper_version"
        case warmupSeconds = "warmup_seconds"
        case graceSeconds = "grace_seconds"
    }
}

/// What the result of a search rests on.
struct BenchSearch: Codable, Equatable, Sendable {
    /// Whether it came to its end: no signal ended it, and no step without a request. `nil` in files of earlier
    /// versions.
    var isComplete: Bool?
    /// Requests that a step needs to tell of the goal; `nil` for a goal of 100%, of which none tell.
    var requestsNeeded: Int?
    /// Whether the rate found, or the next that missed, rests on a step with fewer, and on how many.
    var restsOnTooFew: Bool
    var requests: Int?
    /// Whether the generator was late, in both tries, at the lowest rate that missed.
    var isGeneratorLate: Bool

    init(_ search: RateSearch) {
        isComplete = search.next == nil
        requestsNeeded = search.goal.requestsNeeded
        requests = search.tooFewRequests
        restsOnTooFew = search.tooFewRequests != nil
        isGeneratorLate = search.isGeneratorLate
    }

    enum CodingKeys: String, CodingKey {
        case requests
        case isComplete = "complete"
        case requestsNeeded = "requests_needed"
        case restsOnTooFew = "rests_on_too_few"
        case isGeneratorLate = "generator_late"
    }
}

/// What a load sends.
struct BenchInput: Codable, Equatable, Sendable {
    /// Where the inputs come from.
    enum Source: String, Codable, Sendable {
        case given, file
        case randomDoubles = "random-doubles"
    }

    /// Where they come from.
    var source: Source
    /// How many there are, that are sent in turn.
    var count: Int
    /// The bytes of the first request's body.
    var bodyBytes: Int
    /// Whether no two are alike.
    var isDistinct: Bool

    enum CodingKeys: String, CodingKey {
        case source, count
        case bodyBytes = "body_bytes"
        case isDistinct = "distinct"
    }
}

/// One run of the load.
struct BenchRun: Codable, Equatable, Sendable {
    /// The offered rate in requests per second; `nil` for a closed loop.
    var rate: Double?
    /// How long requests were due that count, in seconds.
    var durationSeconds: Double
    /// The connections used.
    var connections: Int
    /// Whether it was ended by a signal.
    var isInterrupted: Bool
    /// Requests that were due: predictions + defaults + rejected + errors + unanswered.
    var sent: Int
    /// HTTP answers, of any kind.
    var answered: Int
    /// Answers with a model's output.
    var predictions: Int
    /// Answers with the default output, by the frontend's explanation.
    var defaults: [String: Int]
    /// Answers with status 503.
    var rejected: Int
    /// Other answers, and failures of connections, by their text.
    var errors: [String: Int]
    /// Requests without an answer when the grace was over.
    var unanswered: Int
    /// Those of the unanswered that never got a connection.
    var unsent: Int
    /// Predictions within the SLO, counted from when the request was due.
    var inSLO: Int
    /// `inSLO` ÷ `sent`.
    var shareInSLO: Double
    /// Predictions within the SLO that came within the duration, per second. What is still under way at its end does not
    /// count, and what the warm-up has left under way does: else a queue that grows would pass for throughput.
    var goodput: Double
    /// Answers of any kind that came within the duration, per second.
    var achievedRate: Double
    /// Bytes of requests within the duration.
    var bytesSent: Int
    /// Bytes of answers within the duration.
    var bytesReceived: Int
    /// Requests that had to wait for a connection.
    var waitedForConnection: Int
    /// Requests that the generator came to more than a millisecond after they were due.
    var lateSends: Int
    /// The processor time that the generator's thread took, as a share of one core.
    var generatorCPUShare: Double
    /// From due to answer, of predictions and default outputs; from due to the run's end, of requests that got no answer
    /// by then. `nil` without any.
    var latency: LatencyFigures?
    /// Of predictions alone.
    var predictionLatency: LatencyFigures?
    /// Of refusals, which are mostly quick: answers with status 503 and other errors, and connections that were refused or
    /// broke, until they did.
    var refusalLatency: LatencyFigures?
    /// From due to when the generator came to it, of all requests.
    var sendLag: SendLagFigures?
    /// `latency` as pairs of a percentile and microseconds.
    var latencyCurve: [[Double]]
    /// How long there was neither a prediction nor a default output nor a 503 at the run's end, though requests failed or
    /// waited, in seconds; `nil` in files of earlier versions.
    var silentSeconds: Double?

    /// Answers with the default output.
    var defaultCount: Int { defaults.values.reduce(0, +) }
    /// Failed requests.
    var errorCount: Int { errors.values.reduce(0, +) }

    /// Whether as many answers came as requests were due, but for a twentieth and a few.
    var keepsUp: Bool { achievedRate * durationSeconds >= 0.95 * Double(sent) - 10 }

    enum CodingKeys: String, CodingKey {
        case rate, connections, sent, answered, predictions, defaults, rejected, errors, unanswered, unsent, goodput
        case durationSeconds = "duration_seconds"
        case isInterrupted = "interrupted"
        case inSLO = "in_slo"
        case shareInSLO = "share_in_slo"
        case achievedRate = "achieved_rate"
        case bytesSent = "bytes_sent"
        case bytesReceived = "bytes_received"
        case waitedForConnection = "waited_for_connection"
        case lateSends = "late_sends"
        case generatorCPUShare = "generator_cpu_share"
        case latency = "latency_micros"
        case predictionLatency = "prediction_latency_micros"
        case refusalLatency = "refusal_latency_micros"
        case sendLag = "send_lag_micros"
        case latencyCurve = "latency_curve"
        case silentSeconds = "silent_seconds"
    }
}

/// Percentiles of a latency, in microseconds.
struct LatencyFigures: Codable, Equatable, Sendable {
    var p50, p90, p95, p99, p999, p9999, max, mean: Double

    /// `nil` where nothing was recorded.
    init?(_ histogram: LatencyHistogram) {
        guard histogram.count > 0 else { return nil }
        func at(_ percentile: Double) -> Double { histogram.micros(atPercentile: percentile).rounded(places: 1) }
        (p50, p90, p95, p99) = (at(50), at(90), at(95), at(99))
        (p999, p9999, max) = (at(99.9), at(99.99), at(100))
        mean = histogram.meanMicros.rounded(places: 1)
    }
}

/// How late requests were sent, in microseconds.
struct SendLagFigures: Codable, Equatable, Sendable {
    var p50, p99, max: Double

    /// `nil` where nothing was recorded.
    init?(_ histogram: LatencyHistogram) {
        guard histogram.count > 0 else { return nil }
        p50 = histogram.micros(atPercentile: 50).rounded(places: 1)
        p99 = histogram.micros(atPercentile: 99).rounded(places: 1)
        max = histogram.micros(atPercentile: 100).rounded(places: 1)
    }
}

extension BenchReport {
    /// Whether the frontend was there for the load and kept a goal that was set, or a search has found something and
    /// come to its end. A search goes on where the frontend is not there.
    var isSuccess: Bool {
        if let search { return search.isComplete != false && highestRateWithinSLO != nil }
        let goal = RateSearch.Goal(share: goal, slo: .microseconds(sloMicros))
        let isMissed = runs.contains { !$0.isInterrupted && !goal.isKept(inside: $0.inSLO, of: $0.sent) }
        if isGoalRequired, isMissed { return false }
        let isAnswered = runs.contains { $0.isInterrupted || $0.predictions + $0.defaultCount + $0.rejected > 0 }
        return isAnswered
            && runs.allSatisfy { run in
                run.isInterrupted
                    || (run.predictions + run.defaultCount + run.rejected > 0
                        && 2 * (run.errorCount + run.unanswered) <= run.sent && !isLost(atEndOf: run))
            }
    }

    /// Whether the frontend was there, and was so no more: it is longer silent than answers take.
    func isLost(atEndOf run: BenchRun) -> Bool {
        let longest = max(.seconds(1), .microseconds(sloMicros) * 2)
        return !run.isInterrupted && (run.silentSeconds ?? 0) > longest.inSeconds
    }

    /// The report as JSON on one line; keys are in the order of the alphabet.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// Reads a report; throws a `DecodingError`, or a `ForeignJSON.Problem`, for what is none.
    init(json: Data) throws {
        self = try ForeignJSON.decode(Self.self, from: json)
    }
}
