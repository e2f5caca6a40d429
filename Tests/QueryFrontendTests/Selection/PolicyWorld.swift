@testable import QueryFrontend

/// Models that err with given probabilities, independently of one another, and a policy that chooses among them.
struct PolicyWorld<Policy: SelectionPolicy> {
    let policy: Policy
    var state: Policy.State
    /// The models' names, in the order of linking, and how probable an error of each is.
    var models: [(name: String, error: Double)]
    var loss = Loss.zeroOne
    /// What a wrong answer costs.
    var cost = 1.0
    var user: String?
    private var random: SelectionRandom
    private var errors: SelectionRandom

    init(_ policy: Policy, _ errors: [Double], seed: UInt64 = 1) {
        self.policy = policy
        state = policy.initialState()
        models = zip(["a", "b", "c", "d", "e", "f"], errors).map { ($0, $1) }
        random = SelectionRandom(seed: seed)
        self.errors = SelectionRandom(seed: seed &+ 1_000)
    }

    var names: [String] { models.map(\.name) }

    /// The places that are selected for a query.
    mutating func select() -> Selection {
        policy.select(
            SelectionQuery(application: "app", models: names, user: user, loss: loss), state: state, using: &random)
    }

    /// One query with its feedback: whether the output was wrong, and the places that were selected.
    @discardableResult
    mutating func query() -> (isWrong: Bool, selection: Selection) {
        let selection = select()
        let wrong = selection.members.map { errors.unit() < models[$0.model].error }
        // Wrong answers differ, as those of independent models mostly do.
        let outputs = zip(selection.members, wrong).map { ModelOutput($1 ? "wrong \($0.model)" : "right") }
        let members = selection.members.map { models[$0.model].name }
        let combination = policy.combine(
            SelectionAnswers(models: members, outputs: outputs, loss: loss), state: state)
        let observations = selection.members.indices.map { index in
            SelectionFeedback.Observation(
                model: members[index], loss: wrong[index] ? cost : 0,
                probability: selection.members[index].probability)
        }
        policy.observe(SelectionFeedback(observations, models: names, loss: loss), state: &state)
        var isWrong = true
        if case .answer(let place) = combination.output { isWrong = wrong[place] }
        return (isWrong, selection)
    }

    /// The share of wrong outputs of so many queries.
    @discardableResult
    mutating func errorRate(of queries: Int) -> Double {
        var wrong = 0
        for _ in 0..<queries where query().isWrong { wrong += 1 }
        return Double(wrong) / Double(queries)
    }

    /// The same, once the first model errs so often.
    mutating func errorRate(of queries: Int, afterFirstErrs error: Double) -> Double {
        models[0].error = error
        return errorRate(of: queries)
    }

    /// How often each place was selected in so many queries.
    mutating func selections(in queries: Int) -> [Int] {
        var counts = models.map { _ in 0 }
        for _ in 0..<queries { for member in query().selection.members { counts[member.model] += 1 } }
        return counts
    }

    /// The shares that the policy reports.
    var weights: [Double] { policy.weights(of: names, state: state) }
}
