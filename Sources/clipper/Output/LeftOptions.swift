import ContainerRPC
import QueryFrontend

/// The options that the version of a model before has, and a new one is registered without.
struct LeftOptions {
    private let version: String
    /// As they are written on the command line.
    let options: [String]

    /// - Parameters:
    ///   - before: the version before.
    ///   - batching: the new version's, like what follows.
    init(of before: RegisteredModel, beside batching: Batching, cache: Bool, labels: [String]) {
        version = "\(before.name):\(before.version)"
        var options: [String] = []
        // Clipper's management frontend does not tell.
        if let old = try? before.batching?.batching(beside: .adaptive) {
            if old.limit != .deadline, batching.limit == .deadline, Self.fits(old.limit, batching.maxBatch) {
                options.append("--batching \(Printable.shellWord(BatchingText.format(old.limit)))")
            }
            if old.maxDelay > .zero, batching.maxDelay == .zero {
                options.append("--max-delay \(DurationText.format(old.maxDelay))")
            }
            let standard = Batching.defaultMaxBatch(for: batching.limit)
            if old.maxBatch != Batching.defaultMaxBatch(for: old.limit), batching.maxBatch == standard,
                Self.fits(batching.limit, old.maxBatch)
            {
                options.append("--max-batch \(old.maxBatch)")
            }
        }
        if before.cache == false, cache { options.append("--no-cache") }
        if !before.labels.isEmpty, labels.isEmpty {
            options.append("--label " + before.labels.map(Printable.shellWord).joined(separator: " "))
        }
        self.options = options
    }

    /// Whether the frontend takes a limit beside a largest batch.
    private static func fits(_ limit: Batching.Limit, _ maxBatch: Int) -> Bool {
        if case .fixed(let size) = limit { size <= maxBatch } else { true }
    }

    /// What to tell whoever has registered the new version; `nil` where nothing is left out.
    func advice(for id: ModelVersion) -> String? {
        guard !options.isEmpty else { return nil }
        return "\(version) has \(options.joined(separator: " ")), which \(id) has not: options are each version's own. "
            + "To give them: `clipper model set \(Printable.shellWord(id.name)) \(Printable.shellWord(id.version)) "
            + "\(options.joined(separator: " "))`"
    }
}
