#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The model answers whose loss may be the smallest: the mean less a margin of √(2 ln n / nᵢ), which is wide for models that
/// were seldom observed (UCB1: Auer, Cesa-Bianchi and Fischer, Machine Learning 2002). The regret grows with the
/// logarithm of the queries.
///
/// It takes models for unchanging, and never forgets: where they change after long experience, `Exp3Policy` is the better
/// one. Between two feedbacks all queries go to the same model. Losses are scaled to 0 to 1 when they are observed
/// (`LossScale`), by a largest loss that is soon forgotten only where it was an outlier: else the scale would change with
/// every trial of a bad model, and the means with it.
///
/// One thing differs from the paper, where each model is tried before anything else: as long as some have not been
/// observed, they get half of the queries, the others the rest. So a model that never answers in time cannot draw all.
struct UCB1Policy: SelectionPolicy {
    /// What is left of the largest loss after a feedback that is no small part of it.
    private static let decay = 0.9999
    /// How many observations of each model an application's mean counts for, for one of its users.
    ///
    /// With fewer, a user who is as the application loses what it has learned (of the first ten queries to four models 30 %
    /// were wrong with 1, and 17 % with 4), and whoever differs finds their model no sooner: the margins are wide for long.
    private static let countOfUser = 4.0
    /// A largest loss so many times what is seen now may have been an outlier.
    private static let outlierFactor = 10.0

    func initialState() -> LossCounts { LossCounts() }

    func userState(from application: LossCounts) -> LossCounts {
        var state = application
        state.models = state.models.held(as: Self.countOfUser)
        return state
    }

    func select(_ query: SelectionQuery, state: LossCounts, using random: inout SelectionRandom) -> Selection {
        let weights = weights(of: query.models, state: state)
        let place = random.place(of: weights)
        return Selection(place, probability: weights[place])
    }

    func observe(_ feedback: SelectionFeedback, state: inout LossCounts) {
        let outlier = (state.largestLoss ?? 0) / Self.outlierFactor
        let isOutlier = feedback.observations.allSatisfy { $0.loss < outlier }
        LossScale.follow(feedback, largest: &state.largestLoss, decay: isOutlier ? LossScale.decay : Self.decay)
        state.models.forgetOthers(than: feedback.models)
        for observation in feedback.observations {
            let loss = LossScale.scaled(observation.loss, of: feedback.loss, largest: state.largestLoss)
            var statistics = state.models[observation.model] ?? LossStatistics()
            statistics.recordMean(loss)
            state.models[observation.model] = statistics
        }
    }

    func weights(of models: [String], state: LossCounts) -> [Double] {
        let seen = models.map { model in state.models[model].flatMap { $0.count > 0 ? $0 : nil } }
        let logarithm = log(max(1, seen.reduce(0) { $0 + ($1?.count ?? 0) }))
        var best: Int?
        var smallest = Double.infinity
        for (place, statistics) in seen.enumerated() {
            guard let statistics else { continue }
            let bound = statistics.mean - (2 * logarithm / statistics.count).squareRoot()
            if bound < smallest { (best, smallest) = (place, bound) }
        }
        let unseen = seen.count { $0 == nil }
        let forUnseen = unseen == 0 ? 0 : (best == nil ? 1 : 0.5) / Double(unseen)
        let forBest = unseen == 0 ? 1 : 0.5
        return seen.indices.map { seen[$0] == nil ? forUnseen : ($0 == best ? forBest : 0) }
    }
}
