/// All models answer, and their answers count by weights that are learned (Exp4: Auer, Cesa-Bianchi, Freund and Schapire,
/// SIAM Journal on Computing 2002; Clipper, NSDI 2017, section 5.2).
///
/// With the zero-one loss the output is the answer with the most weight behind it; with others the weighted mean of the
/// numbers, and where answers are no numbers the former again. The confidence is the share of all weight that agrees: with
/// the answer, or within a tenth of the mean. Every model's loss is seen, so nothing is drawn. A weight is multiplied by e
/// to minus the learning rate times the loss, scaled to 0 to 1 (`LossScale`); then all share a part of it, as in Exp3.S,
/// so that the weights follow models that change. One that did not answer keeps its share. For models that are linked and
/// unlinked see `LearnedWeights`.
///
/// The larger the learning rate is beside the share, the more the best model decides alone; the smaller, the more equal
/// all are. Models that err independently are better together, so a moderate ratio, of 6, is the default: in simulations
/// of five models with errors of 0.04 to 0.3 ratios of 3 to 5 were a little better where the models erred independently,
/// one of 7 where errors were mostly common. Where losses are not zero-one they count five times as much, because in a
/// mean weak models are heard more than in a vote. A share of a hundredth makes about the last hundred feedbacks count.
struct Exp4Policy: SelectionPolicy {
    /// How far a number that agrees may be away, as a share of the larger of both.
    static let tolerance = 0.1
    /// How much more a loss counts that is not zero-one: a vote passes over weak models, but in a mean each of them is heard,
    /// so the strong ones have to weigh more.
    static let numericFactor = 5.0

    /// How much a loss counts: 0 to 1.
    let learningRate: Double
    /// The part of all weight that is shared among all models after every feedback: 0 to 1.
    let share: Double

    /// A policy with these parameters.
    init(learningRate: Double = 0.06, share: Double = 0.01) {
        self.learningRate = min(1, max(0, learningRate))
        self.share = min(1, max(0, share))
    }

    func initialState() -> LearnedWeights { LearnedWeights() }

    func select(_ query: SelectionQuery, state: LearnedWeights, using random: inout SelectionRandom) -> Selection {
        Selection(allOf: query)
    }

    func combine(_ answers: SelectionAnswers, state: LearnedWeights) -> Combination {
        let weights = state.shares(of: answers.models)
        guard answers.loss != .zeroOne, let numeric = NumericAnswers(answers, weights: weights) else {
            return Vote.combine(answers, weights: weights)
        }
        return numeric.combination(numeric.mean, tolerance: Self.tolerance)
    }

    func observe(_ feedback: SelectionFeedback, state: inout LearnedWeights) {
        guard !feedback.observations.isEmpty else { return }
        var steps = [Double?](repeating: nil, count: feedback.models.count)
        let rate = feedback.loss == .zeroOne ? learningRate : learningRate * Self.numericFactor
        LossScale.follow(feedback, largest: &state.largestLoss)
        for observation in feedback.observations {
            guard let place = feedback.models.firstIndex(of: observation.model) else { continue }
            let loss = LossScale.scaled(observation.loss, of: feedback.loss, largest: state.largestLoss)
            // The probability is 1, but for feedback to a query that another policy selected for.
            steps[place] = rate * loss / max(observation.probability, 1e-6)
        }
        state.update(steps: steps, of: feedback.models, share: share, keepsUnseen: true)
    }

    func weights(of models: [String], state: LearnedWeights) -> [Double] {
        state.shares(of: models)
    }
}
