/// What a model's answers have cost so far. As JSON an array: count, mean, and variance where it is not 0.
struct LossStatistics: Sendable, Hashable {
    /// Larger losses are taken for this, so that squares of them stay finite.
    static let largest = 1e100

    /// How many observations the mean stands for.
    private(set) var count: Double = 0
    /// The mean loss.
    private(set) var mean: Double = 0
    /// The variance of the loss around the mean.
    private(set) var variance: Double = 0

    /// Adds an observation (Welford, Technometrics 1962).
    ///
    /// - Parameter memory: how many observations count at most: from then on each new one takes the place of its share of
    ///   all older ones, and a model that changes is noticed.
    mutating func record(_ loss: Double, memory: Double = .infinity) {
        let loss = min(Self.largest, max(0, loss))
        // Beyond this a count would stop counting.
        count = min(count + 1, memory, 0x1p52)
        let step = 1 / count
        let distance = loss - mean
        mean += distance * step
        variance = max(0, (1 - step) * (variance + distance * distance * step))
        if variance < .leastNormalMagnitude { variance = 0 }
    }

    /// The same mean and variance, held as if from so many observations at most.
    ///
    /// - Parameter mean: another mean, in the place of its own.
    func held(as most: Double, mean: Double? = nil) -> LossStatistics {
        var copy = self
        copy.count = min(count, most)
        if let mean { copy.mean = mean }
        return copy
    }

    /// Adds an observation of which only the mean is of interest.
    mutating func recordMean(_ loss: Double, memory: Double = .infinity) {
        record(loss, memory: memory)
        variance = 0
    }
}

extension LossStatistics: Codable {
    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        count = try container.decode(Double.self)
        mean = try container.decode(Double.self)
        variance = container.isAtEnd ? 0 : try container.decode(Double.self)
        guard count >= 0, mean >= 0, variance >= 0 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "losses are never negative")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(count)
        try container.encode(mean)
        if variance > 0 { try container.encode(variance) }
    }
}

/// The state of a policy that keeps count of what each model's answers have cost.
///
/// As JSON `{"models":{"a":[12,0.25],"b":[3,0.5]}}`: how often a model was observed, and its mean loss. A model that is
/// linked later is unknown here, and so is tried; one that is unlinked keeps its figures for its return.
struct LossCounts: Codable, Sendable, Hashable {
    var models = ModelTable<LossStatistics>()
    /// The largest loss seen lately, where the policy needs losses from 0 to 1; see `LossScale`.
    var largestLoss: Double?

    /// Nothing is known yet.
    init() {}
}

extension ModelTable<LossStatistics> {
    /// What a user begins with: an application's means, held lightly.
    ///
    /// - Parameters:
    ///   - count: as from how many observations of each model: few, so that the user's own outweigh them within tens of
    ///     feedbacks, and enough that the best model of all is asked first.
    ///   - part: what is left of each mean's distance to the smallest one: 1 for all of it.
    func held(as count: Double, distances part: Double = 1) -> Self {
        var copy = self
        let best = entries.lazy.filter { $0.value.count > 0 }.map(\.value.mean).min() ?? 0
        for entry in entries {
            let mean = part < 1 && entry.value.count > 0 ? best + (entry.value.mean - best) * part : nil
            copy[entry.model] = entry.value.held(as: count, mean: mean)
        }
        return copy
    }
}
