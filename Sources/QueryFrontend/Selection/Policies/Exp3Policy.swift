/// One model answers, drawn by weights that are learned from the losses of those drawn (Exp3: Auer, Cesa-Bianchi, Freund
/// and Schapire, SIAM Journal on Computing 2002; Clipper, NSDI 2017, section 5.1).
///
/// As in Exp3.S (section 8 of the former) all models share a part of the weight, so that the policy follows when another
/// model becomes the best. A loss, scaled to 0 to 1 (`LossScale`), counts as loss over the probability that its model was
/// drawn with: right on average, whatever state it was drawn from. A model's weight is multiplied by e to minus the
/// learning rate times that, and at least by e⁻²⁰. For models that are linked and unlinked see `LearnedWeights`.
///
/// The defaults are for thousands of queries in which models change now and then, and for users with tens of feedbacks.
/// They were chosen in simulations of five models with errors of 0.04, 0.08, 0.13, 0.2 and 0.3, of which the best failed
/// at 0.6 from 5,000 to 10,000 of 20,000 queries, and of new users of two models with errors of 0.1 and 0.7. A smaller
/// learning rate loses less to the noise of losses (1,349 errors instead of 1,402 with 0.2, where the best model of each
/// phase makes 1,000), but then 13 instead of 4 of 100 users were not with their model after 50 feedbacks.
struct Exp3Policy: SelectionPolicy {
    /// How much a loss counts: 0 to 1.
    let learningRate: Double
    /// The share of the queries that go to any model: 0 to 1.
    let exploration: Double
    /// The part of all weight that is shared among all models after every feedback: 0 to 1.
    let share: Double

    /// A policy with these parameters.
    init(learningRate: Double = 0.3, exploration: Double = 0.02, share: Double = 0.00005) {
        self.learningRate = min(1, max(0, learningRate))
        self.exploration = min(1, max(0, exploration))
        self.share = min(1, max(0, share))
    }

    func initialState() -> LearnedWeights { LearnedWeights() }

    func select(_ query: SelectionQuery, state: LearnedWeights, using random: inout SelectionRandom) -> Selection {
        let probabilities = weights(of: query.models, state: state)
        let place = random.place(of: probabilities)
        return Selection(place, probability: probabilities[place])
    }

    func observe(_ feedback: SelectionFeedback, state: inout LearnedWeights) {
        guard !feedback.observations.isEmpty else { return }
        var steps = [Double?](repeating: nil, count: feedback.models.count)
        LossScale.follow(feedback, largest: &state.largestLoss)
        for observation in feedback.observations {
            guard let place = feedback.models.firstIndex(of: observation.model) else { continue }
            let loss = LossScale.scaled(observation.loss, of: feedback.loss, largest: state.largestLoss)
            // Divided by its probability, a loss is right on average, as if every model's had been seen.
            let least = exploration / Double(feedback.models.count)
            steps[place] = learningRate * loss / max(observation.probability, least, 1e-6)
        }
        state.update(steps: steps, of: feedback.models, share: share, keepsUnseen: false)
    }

    func weights(of models: [String], state: LearnedWeights) -> [Double] {
        let explored = exploration / Double(models.count)
        return state.shares(of: models).map { (1 - exploration) * $0 + explored }
    }
}
