/// How many queries of each application may still be sent a second time.
///
/// A token bucket each: a query that is sent earns a share of a hedge, a hedge costs one. What was earned in quiet times is
/// kept up to a bound, so that a whole batch of a frozen replica can be hedged at once, but not traffic for minutes.
struct HedgeBudgets: Sendable {
    /// Hedges that can be saved up, in queries.
    static let mostSaved = 1000.0

    private struct Budget: Sendable {
        var hedging: Hedging
        var saved = 0.0
    }

    private var budgets: [Budget?] = []

    mutating func set(_ hedging: Hedging?, of application: ApplicationHandle) {
        while budgets.count <= application.index { budgets.append(nil) }
        budgets[application.index] = hedging.map {
            Budget(hedging: $0, saved: budgets[application.index]?.saved ?? 0)
        }
    }

    /// The quantile of latency after which an application's queries are hedged; `nil` where they are not.
    func quantile(of application: ApplicationHandle) -> Double? {
        budgets.indices.contains(application.index) ? budgets[application.index]?.hedging.quantile : nil
    }

    /// A query was sent for the first time.
    mutating func earn(_ application: ApplicationHandle) {
        guard budgets.indices.contains(application.index), let budget = budgets[application.index] else { return }
        budgets[application.index]?.saved = min(Self.mostSaved, budget.saved + budget.hedging.maxExtraWork)
    }

    /// Takes a hedge. False when there is none left.
    mutating func take(_ application: ApplicationHandle) -> Bool {
        guard budgets.indices.contains(application.index), let budget = budgets[application.index], budget.saved >= 1
        else { return false }
        budgets[application.index]?.saved -= 1
        return true
    }

    /// A hedge that was taken was not needed.
    mutating func giveBack(_ application: ApplicationHandle) {
        guard budgets.indices.contains(application.index), let budget = budgets[application.index] else { return }
        budgets[application.index]?.saved = min(Self.mostSaved, budget.saved + 1)
    }
}
