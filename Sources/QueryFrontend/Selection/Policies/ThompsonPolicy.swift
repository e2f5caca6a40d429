/// The model answers whose mean loss is the smallest in a draw from what is believed of each (Thompson, Biometrika 1933).
///
/// With the zero-one loss the belief is a Beta distribution, uniform at first (Chapelle and Li, NIPS 2011); losses between
/// 0 and 1 count as parts of a wrong and a right answer. With others it is a Gaussian of the mean loss, as wide as the
/// losses seen make it (Honda and Takemura, AISTATS 2014, whose prior is flat); losses need no scale. Of a model that has
/// not been observed the Gaussian is that of the average model, as wide as the largest mean loss, so it is soon tried.
///
/// About the last 50 observations of a model count, so beliefs never become too narrow to follow a model that changes
/// (Raj and Kalyani, 2017, discount in a like way), or to find a user's own model from the application's state.
///
/// How probable the drawn model was has no closed form; its probability is told as 1, and not used.
struct ThompsonPolicy: SelectionPolicy {
    /// How many observations of a model count.
    static let memory = 50.0
    /// How many observations of each model an application's belief counts for, for one of its users.
    ///
    /// Of 600 simulated users of four models with errors of 0.9, 0.05, 0.4 and 0.4, whose application knew 0.05, 1, 0.41
    /// and 0.37, their model came first after 50 feedbacks for 93 % with 1, 61 % with 2 and 6 % with 4. Of the
    /// first 50 queries of users who are as the application 12 % were wrong with 1, and 16 % where they began with nothing.
    static let countOfUser = 1.0
    /// How many draws the reported weights are counted from.
    static let reportedDraws = 200

    /// What the policy has learned. As JSON `{"models":{"a":[12,0.25]}}`: how often a model was observed, its mean loss,
    /// and the variance where losses are not zero-one.
    struct State: Codable, Sendable, Hashable {
        var models = ModelTable<LossStatistics>()
        /// `true` where the losses were not zero-one, which `weights` has to know without a query; else absent.
        var gaussian: Bool?

        /// Nothing is known yet.
        init() {}
    }

    func initialState() -> State { State() }

    func userState(from application: State) -> State {
        var state = application
        state.models = state.models.held(as: Self.countOfUser)
        return state
    }

    func select(_ query: SelectionQuery, state: State, using random: inout SelectionRandom) -> Selection {
        let beliefs = Beliefs(of: query.models, state.models, isZeroOne: query.loss == .zeroOne)
        return Selection(beliefs.draw(using: &random))
    }

    func observe(_ feedback: SelectionFeedback, state: inout State) {
        let isZeroOne = feedback.loss == .zeroOne
        state.gaussian = isZeroOne ? nil : true
        state.models.forgetOthers(than: feedback.models)
        for observation in feedback.observations {
            var statistics = state.models[observation.model] ?? LossStatistics()
            if isZeroOne {
                statistics.recordMean(min(1, observation.loss), memory: Self.memory)
            } else {
                statistics.record(observation.loss, memory: Self.memory)
            }
            state.models[observation.model] = statistics
        }
    }

    /// How often each model comes out of so many draws, always the same ones.
    func weights(of models: [String], state: State) -> [Double] {
        guard !models.isEmpty else { return [] }
        let beliefs = Beliefs(of: models, state.models, isZeroOne: state.gaussian != true)
        var random = SelectionRandom(seed: 1)
        var times = models.map { _ in 0 }
        for _ in 0..<Self.reportedDraws { times[beliefs.draw(using: &random)] += 1 }
        return times.map { Double($0) / Double(Self.reportedDraws) }
    }
}

/// What is believed of the mean losses of some models.
private struct Beliefs {
    private let statistics: [LossStatistics]
    private let isZeroOne: Bool
    /// Mean and deviation of a model that has not been observed.
    private var unseen = (mean: 0.0, deviation: 1.0)

    init(of models: [String], _ known: ModelTable<LossStatistics>, isZeroOne: Bool) {
        statistics = models.map { known[$0] ?? LossStatistics() }
        self.isZeroOne = isZeroOne
        guard !isZeroOne else { return }
        var seen = 0.0
        var sum = 0.0
        var largest = 0.0
        for model in statistics where model.count > 0 {
            seen += 1
            sum += model.mean
            largest = max(largest, model.mean)
        }
        if seen > 0 { unseen = (sum / seen, largest) }
    }

    /// The place of the model with the smallest loss in a draw.
    func draw(using random: inout SelectionRandom) -> Int {
        var best = 0
        var smallest = Double.infinity
        for (place, model) in statistics.enumerated() {
            let loss = isZeroOne ? beta(of: model, &random) : gaussian(of: model, &random)
            if loss < smallest { (best, smallest) = (place, loss) }
        }
        return best
    }

    private func beta(of model: LossStatistics, _ random: inout SelectionRandom) -> Double {
        // A mean above 1 can only be from before the loss was set to zero-one.
        let wrong = model.count * min(1, model.mean)
        return random.beta(1 + wrong, 1 + model.count - wrong)
    }

    private func gaussian(of model: LossStatistics, _ random: inout SelectionRandom) -> Double {
        guard model.count > 0 else { return unseen.mean + unseen.deviation * random.normal() }
        // One more observation is imagined, as far from the mean as the largest mean loss: two equal losses are no proof.
        let spread = (model.count * model.variance + unseen.deviation * unseen.deviation) / (model.count + 1)
        return model.mean + (spread / model.count).squareRoot() * random.normal()
    }
}
