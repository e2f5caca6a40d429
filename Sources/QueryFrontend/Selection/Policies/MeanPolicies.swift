/// All models answer with a number, or arrays of one length, and the mean of them is the output.
///
/// Answers of another kind are left out; where all are, the first answer is the output. The confidence is the share of
/// all models whose answer is within the tolerance of the mean.
struct MeanPolicy: SelectionPolicy {
    /// How far an answer that agrees may be away, as a share of the larger of both.
    let tolerance: Double

    /// A policy with this tolerance: 0 to 1.
    init(tolerance: Double = 0.1) {
        self.tolerance = tolerance
    }

    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(allOf: query)
    }

    func combine(_ answers: SelectionAnswers, state: NoState) -> Combination {
        guard let numeric = NumericAnswers(answers, weights: answers.models.map { _ in 1 }) else {
            return answers.first
        }
        return numeric.combination(numeric.mean, tolerance: tolerance)
    }
}

/// All models answer with a number, or arrays of one length, and the median of them is the output: one model that is far
/// off moves it little.
///
/// Answers of another kind are left out; where all are, the first answer is the output. The confidence is the share of
/// all models whose answer is within the tolerance of the median.
struct MedianPolicy: SelectionPolicy {
    /// How far an answer that agrees may be away, as a share of the larger of both.
    let tolerance: Double

    /// A policy with this tolerance: 0 to 1.
    init(tolerance: Double = 0.1) {
        self.tolerance = tolerance
    }

    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(allOf: query)
    }

    func combine(_ answers: SelectionAnswers, state: NoState) -> Combination {
        guard let numeric = NumericAnswers(answers, weights: answers.models.map { _ in 1 }) else {
            return answers.first
        }
        return numeric.combination(numeric.median, tolerance: tolerance)
    }
}

/// All models answer with a number, or arrays of one length, and the mean of them by fixed weights is the output.
///
/// A model without a weight of its own weighs 1. Answers of another kind, and of models that weigh 0, are left out; where
/// all are, the first answer is the output. The confidence is the share of all weight whose answers are within a tenth of
/// the mean.
struct WeightedMeanPolicy: SelectionPolicy {
    /// How far an answer that agrees may be away, as a share of the larger of both.
    static let tolerance = 0.1
    /// No weight may be larger.
    static let largestWeight = 1e9

    private var known = ModelTable<Double>()

    /// A policy with weights by the models' names: 0 to 10⁹.
    init(weights: [String: Double] = [:]) {
        for (model, weight) in weights { known[model] = min(Self.largestWeight, max(0, weight)) }
    }

    var namedModels: [String] { known.entries.map(\.model) }

    func select(_ query: SelectionQuery, state: NoState, using random: inout SelectionRandom) -> Selection {
        Selection(allOf: query)
    }

    func combine(_ answers: SelectionAnswers, state: NoState) -> Combination {
        guard let numeric = NumericAnswers(answers, weights: answers.models.map { known[$0] ?? 1 }) else {
            return answers.first
        }
        return numeric.combination(numeric.mean, tolerance: Self.tolerance)
    }

    func weights(of models: [String], state: NoState) -> [Double] {
        let weights = models.map { known[$0] ?? 1 }
        let sum = weights.reduce(0, +)
        return weights.map { sum > 0 ? $0 / sum : 1 / Double(models.count) }
    }
}
