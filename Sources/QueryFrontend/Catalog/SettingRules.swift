import ContainerRPC

/// The ranges of what models and applications can be set to.
extension Batching {
    /// The largest of all sizes: what Clipper's 32 bits hold for a batch size.
    static let largestSize = Int(Int32.max)
    /// The longest that a replica may wait for company.
    static let longestDelay = Duration.seconds(60)

    /// The same with its delay in whole microseconds, as the store keeps it.
    ///
    /// - Throws: ``CatalogError`` for what is out of its range.
    func validated() throws(CatalogError) -> Batching {
        switch limit {
        case .deadline:
            break
        case .aimd(let increase, let backoff):
            try Self.checkSize(increase, "increase")
            guard backoff > 0, backoff < 1 else {
                throw CatalogError("batching: 'backoff' must be more than 0 and less than 1; \(backoff) was given")
            }
        case .fixed(let size):
            guard size >= 1 else {
                throw CatalogError("batch size must be positive, or -1 for an adaptive one; \(size) was given")
            }
            guard size <= Self.largestSize else {
                throw CatalogError("batch size must be at most \(Self.largestSize); \(size) was given")
            }
        }
        guard maxDelay >= .zero, maxDelay <= Self.longestDelay else {
            throw CatalogError(
                "batching: 'max_delay_micros' must be 0 to 60000000 (one minute); "
                    + "\(maxDelay.wholeMicroseconds) was given")
        }
        try Self.checkSize(maxBatch, "max_batch")
        if case .fixed(let size) = limit, size > maxBatch {
            throw CatalogError("batching: 'max_batch', \(maxBatch), is smaller than the fixed batch size, \(size)")
        }
        return Batching(limit: limit, maxDelay: .microseconds(maxDelay.wholeMicroseconds), maxBatch: maxBatch)
    }

    private static func checkSize(_ size: Int, _ name: String) throws(CatalogError) {
        guard (1...largestSize).contains(size) else {
            throw CatalogError("batching: '\(name)' must be 1 to \(largestSize); \(size) was given")
        }
    }
}

extension Application {
    /// The longest latency objective.
    static let longestSLO = Duration.seconds(86_400)

    /// Checks what can be set anew and needs no knowledge of policies and models, and completes it: a latency objective in
    /// whole microseconds, as the store keeps it.
    ///
    /// - Throws: ``CatalogError`` for what is out of its range, or cannot be kept.
    mutating func checkSettings() throws(CatalogError) {
        // The store keeps texts as SQLite does, which ends one at a NUL.
        guard !defaultOutput.utf8.contains(0) else {
            throw CatalogError("default output holds the control character U+0000")
        }
        guard latencySLO >= .microseconds(1), latencySLO <= Self.longestSLO else {
            throw CatalogError(
                "latency SLO must be positive and at most one day (86400000000 microseconds); "
                    + "\(latencySLO.wholeMicroseconds) microseconds were given")
        }
        latencySLO = .microseconds(latencySLO.wholeMicroseconds)
        try hedging?.check()
        try selection.check()
    }
}

extension SelectionSettings {
    /// Checks what needs no knowledge of policies and models.
    ///
    /// - Throws: ``CatalogError`` for what is out of its range, or cannot be kept.
    func check() throws(CatalogError) {
        guard (0...1).contains(minConfidence) else {
            throw CatalogError("min_confidence must be 0 to 1; \(minConfidence) was given")
        }
        try CatalogNames.check(policy.name, field: "policy name")
        for (name, value) in policy.parameters {
            try CatalogNames.checkText(
                name, field: "parameter of policy '\(policy.name)'", longest: CatalogNames.longestName)
            switch value {
            case .number(let number):
                guard number.isFinite else {
                    throw CatalogError("policy '\(policy.name)': '\(name)' must be finite; \(number) was given")
                }
            case .text(let text):
                try CatalogNames.checkText(text, field: "parameter '\(name)' of policy '\(policy.name)'")
            }
        }
    }
}

extension Hedging {
    /// Checks both settings.
    ///
    /// - Throws: ``CatalogError`` for what is out of its range.
    func check() throws(CatalogError) {
        guard quantile > 0, quantile < 1 else {
            throw CatalogError("hedging: 'quantile' must be more than 0 and less than 1; \(quantile) was given")
        }
        guard maxExtraWork > 0, maxExtraWork <= 1 else {
            throw CatalogError("hedging: 'max_extra_work' must be more than 0 and at most 1; \(maxExtraWork) was given")
        }
    }
}
