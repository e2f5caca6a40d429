import ArgumentParser
import QueryFrontend

/// How batches for a model are formed.
struct BatchingArguments: ParsableArguments {
    // Without this -1 would count as an option.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many queries a batch holds at most, or 'adaptive' (-1): as many as the latency objective allows.",
            valueName: "number"),
        completion: .list(["adaptive"]), transform: { text in try BatchSizeText.parse(text) })
    var batchSize: BatchSize?

    @Option(
        help: ArgumentHelp(
            "How many queries a batch holds at most, instead of --batch-size: 'deadline', as many as the latency "
                + "objective allows, learned from each replica's latencies; 'aimd(4,0.9)', 4 more after a full batch "
                + "in time, 0.9 times as many after a late one, 'aimd' the same with "
                + "\(BatchingDescription.defaultIncrease) and \(BatchingDescription.defaultBackoff); 'fixed(64)' or "
                + "'64', that many whatever the latencies.",
            valueName: "policy"),
        completion: .list(["deadline", "aimd"]), transform: { text in try BatchingText.parse(text) })
    var batching: Batching.Limit?

    @Option(
        help: ArgumentHelp(
            "How long an idle replica may wait for company for a query, where its deadline allows and other queries "
                + "are likely to come: 0ms to 60s; 0ms is never.", valueName: "duration"),
        transform: { text in try DurationText.parse(text, allowsZero: true) })
    var maxDelay: Duration?

    @Option(
        help: ArgumentHelp(
            "The most queries in a batch, as far as the policy lets it grow.", valueName: "number"))
    var maxBatch: Int?

    func validate() throws {
        if case .fixed(let size) = batchSize, let batching, batching != .fixed(size) {
            throw ValidationError(
                "--batch-size \(size) and --batching \(BatchingText.format(batching)) contradict each other; "
                    + "leave one of them out.")
        }
        if case .adaptive = batchSize, case .fixed(let size) = batching {
            throw ValidationError(
                "--batch-size adaptive and --batching \(BatchingText.format(.fixed(size))) contradict each other; "
                    + "leave one of them out.")
        }
        if let maxBatch, maxBatch < 1 { throw ValidationError("--max-batch is \(maxBatch); expected at least 1.") }
    }

    /// What a version has that is registered without any of them, for people.
    static let defaults =
        "--batching deadline, --max-delay 0ms, --max-batch \(Batching.defaultMaxBatch) or the fixed size where that is larger"

    /// What was given, as a change of what a version has.
    var options: ModelOptions {
        ModelOptions(
            limit: batching ?? batchSize.map { Batching($0).limit }, maxDelay: maxDelay, maxBatch: maxBatch)
    }

    /// What was given, as a whole.
    var value: Batching {
        var whole = Batching(batchSize ?? .adaptive)
        if let batching {
            whole.limit = batching
            whole.maxBatch = Batching.defaultMaxBatch(for: batching)
        }
        if let maxDelay { whole.maxDelay = maxDelay }
        if let maxBatch { whole.maxBatch = maxBatch }
        return whole
    }
}
