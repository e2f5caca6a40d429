#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The state of a policy that learns a weight for each model.
///
/// As JSON `{"weights":{"a":1.5,"b":0.5}}`. Weights are relative: at first all are 1, and after an update the mean of those
/// that could be selected is 1, so that nothing can grow or vanish, whatever number of updates there are. A model that
/// is linked later is unknown here and takes the mean weight of those present, as if it had been average so far. One that
/// is unlinked, or has no replica, keeps its weight, and with it its place among the others, until it comes back.
struct LearnedWeights: Codable, Sendable, Hashable {
    /// No weight is a smaller part of the mean, even where nothing is shared: a weight of 0 could never grow again.
    static let leastWeight = 1e-12
    /// What is larger was not written by this program.
    static let greatestWeight = 1e12
    /// No update divides a weight by more than e to this power.
    static let largestStep = 20.0

    private(set) var weights = ModelTable<Double>()
    /// The largest loss seen lately, where losses are not zero-one; see `LossScale`.
    var largestLoss: Double?

    /// Nothing is known yet: all models have equal weights.
    init() {}

    /// The weights of these models; more than 0.
    func weights(of models: [String]) -> [Double] {
        var sum = 0.0
        var known = 0.0
        var weights = models.map { model -> Double in
            guard let weight = self.weights[model], weight > 0, weight <= Self.greatestWeight else { return 0 }
            sum += weight
            known += 1
            return weight
        }
        guard Int(known) < models.count else { return weights }
        let mean = known > 0 ? sum / known : 1
        for place in weights.indices where weights[place] == 0 { weights[place] = mean }
        return weights
    }

    /// The weights of these models as shares: more than 0, and adding to one.
    func shares(of models: [String]) -> [Double] {
        let weights = weights(of: models)
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    /// Makes models weigh less by their losses, then gives a part of all weight to all alike.
    ///
    /// That part is the fixed share of Herbster and Warmuth (Machine Learning 1998): no model falls so low that it could
    /// not come back soon when it has become the best.
    ///
    /// - Parameters:
    ///   - steps: by the places of the models: the loss, times the learning rate; `nil` where none was seen.
    ///   - models: all that could have been selected.
    ///   - share: the part of all weight that is shared: 0 to 1.
    ///   - keepsUnseen: whether models without a loss keep their share of all weight, as experts that sleep (Freund,
    ///     Schapire, Singer and Warmuth, STOC 1997); else they have lost nothing, and gain what the others lose.
    mutating func update(steps: [Double?], of models: [String], share: Double, keepsUnseen: Bool) {
        guard !models.isEmpty else { return }
        var new = weights(of: models)
        let sum = new.reduce(0, +)
        var before = 0.0
        var after = 0.0
        for place in new.indices {
            guard let step = steps[place] else { continue }
            before += new[place]
            new[place] *= exp(-min(Self.largestStep, max(0, step)))
            after += new[place]
        }
        if keepsUnseen, after > 0 {
            for place in new.indices where steps[place] != nil { new[place] *= before / after }
        }
        let scale = sum / new.reduce(0, +)
        let mean = sum / Double(new.count)
        weights.forgetOthers(than: models)
        // The others keep their place among these.
        weights.scaleAll(by: 1 / mean, atMost: Self.greatestWeight)
        for (place, model) in models.enumerated() {
            weights[model] = max(Self.leastWeight, (1 - share) * new[place] * scale / mean + share)
        }
    }
}
