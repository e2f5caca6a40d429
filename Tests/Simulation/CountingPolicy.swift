import QueryFrontend

/// Draws one model and counts what it learns from, so that nothing can count twice or get lost unseen.
struct CountingPolicy: SelectionPolicy {
    static let name = "counting"

    struct State: Codable, Sendable {
        var count = 0
    }

    func initialState() -> State { State() }

    func select(_ query: SelectionQuery, state: State, using random: inout SelectionRandom) -> Selection {
        let place = Int(random.next() % UInt64(query.models.count))
        return Selection(place, probability: 1 / Double(query.models.count))
    }

    func observe(_ feedback: SelectionFeedback, state: inout State) {
        state.count += 1
    }
}

extension SelectionPolicies {
    /// Those that the frontend comes with, and the one that counts.
    static let simulated: SelectionPolicies = {
        var policies = SelectionPolicies.standard
        policies.add(CountingPolicy.name) { _ throws(SelectionPolicies.Problem) in CountingPolicy() }
        return policies
    }()
}
