/// What is under way in a selector, and what it keeps in memory.
package struct SelectorLoad: Sendable, Hashable {
    /// Inputs whose models have not all answered.
    package var ensembles = 0
    /// What the store is asked, and what waits for that.
    package var waiting = 0
    /// Queries that wait for the store.
    package var waitingQueries = 0
    /// Feedback ids that are being learned from.
    package var running = 0
    /// Feedback that is being made durable.
    package var committing = 0
    /// Queries that feedback can name.
    package var answeredQueries = 0
    /// States in memory of the application that has the most of them, its own among them.
    package var states = 0

    /// Feedback whose input the models are asked for, or that waits for its turn.
    package var feedbackInputs = 0

    /// Whether nothing is under way.
    package var isIdle: Bool {
        ensembles == 0 && feedbackInputs == 0 && waiting == 0 && running == 0 && committing == 0
    }
}

extension Selector {
    /// What is under way, and what is kept.
    package var load: SelectorLoad {
        SelectorLoad(
            ensembles: ensembles.count, waiting: waiting.count,
            waitingQueries: waiting.values.reduce(0) { $0 + $1.count { $0.isQuery } }, running: running.count,
            committing: committing.count,
            answeredQueries: answered.count, states: members.values.map(\.states.count).max() ?? 0,
            feedbackInputs: members.values.reduce(0) { $0 + $1.inputsUnderWay + $1.inputs.count })
    }
}
