/// The model with the smallest mean loss answers, but for a share of the queries, which go to any model (Sutton and Barto,
/// Reinforcement Learning, second edition 2018, section 2.2).
///
/// The mean of a model forgets: about its last 50 observations count (the constant step size of section 2.5), so that a
/// model that changes is noticed, and a user whose state began as the application's finds the right model with tens of
/// feedbacks. A model that answers few queries is only noticed to have become better after long. Losses need no scale.
/// A model that has not been observed yet is tried by the explored share only, so that one that never answers cannot draw
/// all queries. Before the very first observation all are drawn alike.
struct EpsilonGreedyPolicy: SelectionPolicy {
    /// How many observations of a model count.
    static let memory = 50.0
    /// What a user holds an application's means as: from how many observations, and what is left of a mean's distance to the
    /// smallest one.
    ///
    /// The order of the models stays, so the best of all is asked first; but where it fails this user, each of the others
    /// seems worth a query (optimistic values: section 2.6). By the explored share alone, a user of four models would not
    /// find one that is bad for all others: of the users that `ThompsonPolicy` was simulated with, their model came first
    /// after 50 feedbacks for 95 %, and for 36 % with whole distances.
    static let ofUser = (count: 1.0, distances: 0.25)

    /// The share of the queries that explore: 0 to 1.
    let epsilon: Double

    /// A policy that explores with this share of the queries, 0 to 1.
    ///
    /// The default of a tenth is the customary one; it costs a tenth of the difference to the average model.
    init(epsilon: Double = 0.1) {
        self.epsilon = min(1, max(0, epsilon))
    }

    func initialState() -> LossCounts { LossCounts() }

    func userState(from application: LossCounts) -> LossCounts {
        var state = application
        state.models = state.models.held(as: Self.ofUser.count, distances: Self.ofUser.distances)
        return state
    }

    func select(_ query: SelectionQuery, state: LossCounts, using random: inout SelectionRandom) -> Selection {
        let count = query.models.count
        guard let best = best(of: query.models, state) else {
            return Selection(random.place(below: count), probability: 1 / Double(count))
        }
        let explored = epsilon / Double(count)
        let place = random.unit() < epsilon ? random.place(below: count) : best
        return Selection(place, probability: place == best ? 1 - epsilon + explored : explored)
    }

    func observe(_ feedback: SelectionFeedback, state: inout LossCounts) {
        state.models.forgetOthers(than: feedback.models)
        for observation in feedback.observations {
            var statistics = state.models[observation.model] ?? LossStatistics()
            statistics.recordMean(observation.loss, memory: Self.memory)
            state.models[observation.model] = statistics
        }
    }

    func weights(of models: [String], state: LossCounts) -> [Double] {
        let explored = 1 / Double(models.count)
        guard let best = best(of: models, state) else { return models.map { _ in explored } }
        return models.indices.map { $0 == best ? 1 - epsilon + epsilon * explored : epsilon * explored }
    }

    /// The place of the model with the smallest mean loss, the earlier one of equals; `nil` where none was observed.
    private func best(of models: [String], _ state: LossCounts) -> Int? {
        var best: Int?
        var smallest = Double.infinity
        for (place, model) in models.enumerated() {
            if let mean = state.models[model]?.mean, mean < smallest { (best, smallest) = (place, mean) }
        }
        return best
    }
}
