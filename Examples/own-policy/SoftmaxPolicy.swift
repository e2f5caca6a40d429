import Foundation
import QueryFrontend

/// One model answers, drawn the more often the less its answers have cost lately (Boltzmann exploration: Sutton and Barto,
/// "Reinforcement Learning", section 2.8).
///
/// All that a policy needs: a state that is `Codable`, a way to choose by it, and a way to learn.
struct SoftmaxPolicy: SelectionPolicy {
    /// What is learned: the mean loss of each model, by its name.
    struct State: Codable, Sendable {
        var losses: [String: Double] = [:]
    }

    /// How much chance there is: near 0 the best model answers nearly always.
    let temperature: Double

    func initialState() -> State { State() }

    func select(_ query: SelectionQuery, state: State, using random: inout SelectionRandom) -> Selection {
        let shares = weights(of: query.models, state: state)
        var place = Double.random(in: 0..<1, using: &random)
        for (model, share) in shares.enumerated() {
            place -= share
            if place < 0 { return Selection(model, probability: share) }
        }
        return Selection(shares.count - 1, probability: shares.last ?? 1)
    }

    func observe(_ feedback: SelectionFeedback, state: inout State) {
        for observation in feedback.observations {
            // A mean of about the last 20, so that it follows a model that changes.
            let known = state.losses[observation.model] ?? 0
            state.losses[observation.model] = known + (observation.loss - known) / 20
        }
    }

    /// Shown by `clipper app state` and in the metrics. A model without feedback counts as one without losses.
    func weights(of models: [String], state: State) -> [Double] {
        let losses = models.map { state.losses[$0] ?? 0 }
        let least = losses.min() ?? 0
        // Relative to the best, so that no exponent is large.
        let shares = losses.map { exp((least - $0) / temperature) }
        let sum = shares.reduce(0, +)
        return shares.map { $0 / sum }
    }
}
