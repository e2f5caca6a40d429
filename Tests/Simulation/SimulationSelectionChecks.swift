import ContainerRPC
import QueryFrontend

/// What must hold of the selector after every turn, and at the end.
extension Simulation {
    /// After a turn.
    mutating func checkSelector() {
        guard !scenario.selecting.isEmpty else { return }
        // A turn has a bounded number of rounds; after it, there may be more to do at once.
        if !frontend.core.selector.effects.isEmpty, !frontend.core.hasMore {
            oracle.violate("effects of the selector are left", at: now)
        }
        let load = frontend.core.selector.load
        if load.states > scenario.selectorBounds.usersInMemory + 1 {
            oracle.violate("\(load.states) states of an application are in memory, more than may", at: now)
        }
        if load.answeredQueries > scenario.selectorBounds.feedbackQueries {
            oracle.violate("\(load.answeredQueries) queries can be named, more than may", at: now)
        }
        if let problem = stateReports.problem { oracle.violate(problem, at: now) }
        // Reports cost, and change with feedback only.
        guard random.chance(0.2) else { return }
        for index in scenario.selecting.indices {
            guard let report = frontend.core.selector.report(on: scenario.handle(ofSelecting: index)) else { continue }
            if let problem = StateReports.problem(of: report) { oracle.violate(problem, at: now) }
        }
    }

    /// When all that was under way has come to its end.
    mutating func checkNothingIsLeftOfSelecting() {
        for (number, query) in oracle.selection.queries.enumerated() where query.answer == nil && !query.isGone {
            return oracle.violate("query S\(number) was never answered", at: now)
        }
        for (number, feedback) in oracle.selection.feedback.enumerated()
        where feedback.result == nil && !feedback.isGone {
            return oracle.violate("feedback \(number) was never acknowledged", at: now)
        }
        if oracle.selection.parts.values.contains(where: { $0.outcome == nil }) {
            oracle.violate("a model that a policy has chosen was never heard of", at: now)
        }
        if !frontend.core.selector.load.isIdle {
            oracle.violate("an idle frontend's selector is not: \(frontend.core.selector.load)", at: now)
        }
        if stateReports.open != 0 { oracle.violate("\(stateReports.open) reports of states never came", at: now) }
        checkWhatHasCounted()
        countWhatPoliciesDid()
    }

    /// What is in the store is what clients were told, and what they could not be told any more.
    private mutating func checkWhatHasCounted() {
        let durable = store.with { $0.feedback }
        var untold = durable.subtracting(oracle.selection.saidToHaveCounted)
        for record in oracle.selection.feedback where record.isGone || record.result == .stopping {
            guard let id = record.plan.id else { continue }
            untold.remove(
                SimulatedStateStore.FeedbackKey(
                    application: scenario.selecting[record.plan.application].name, id: id))
        }
        if let key = untold.first {
            oracle.violate("feedback \(key.id) of \(key.application) has counted, and nobody was told", at: now)
        }
    }

    private mutating func countWhatPoliciesDid() {
        store.with { contents in
            occurrences[.groupCommits] += contents.groupCommits
            occurrences[.failedCommits] += contents.failures
            occurrences[.statesLoaded] += contents.loads
            // Twice at most it is counted, at the end and once more when all was seen to be well.
            contents.groupCommits = 0
            contents.loads = 0
        }
        occurrences[.statesReported] += stateReports.takeCount()
        for index in scenario.selecting.indices {
            guard let report = frontend.core.selector.report(on: scenario.handle(ofSelecting: index)) else { continue }
            for model in report.models {
                occurrences[.shadowsAgreed] += model.counters.shadowAgreed
                occurrences[.shadowsDisagreed] += model.counters.shadowDisagreed
            }
        }
        if frontend.core.selector.load.states == scenario.selectorBounds.usersInMemory + 1,
            scenario.selecting.contains(where: { $0.userShare > 0 && $0.users > scenario.selectorBounds.usersInMemory })
        {
            occurrences[.statesEvicted] += 1
        }
    }
}

/// What was asked of policies' states, and what came of it. Replies come from wherever they are ready.
final class StateReports: Sendable {
    private struct Contents {
        var open = 0
        var count = 0
        var problem: String?
    }

    private let contents = Locked(Contents())

    /// Questions that are not answered.
    var open: Int { contents.withLock { $0.open } }

    /// What was wrong with an answer.
    var problem: String? { contents.withLock { $0.problem } }

    func asked() {
        contents.withLock { $0.open += 1 }
    }

    func answered(_ report: SelectionReport?) {
        let problem = report.flatMap { Self.problem(of: $0) }
        contents.withLock { contents in
            contents.open -= 1
            if report != nil { contents.count += 1 }
            if let problem { contents.problem = problem }
        }
    }

    /// Who was asked has gone.
    func forgetOpen() {
        contents.withLock { $0.open = 0 }
    }

    func takeCount() -> Int {
        contents.withLock { contents in
            defer { contents.count = 0 }
            return contents.count
        }
    }

    /// What is wrong with a report.
    static func problem(of report: SelectionReport) -> String? {
        let weights = zip(report.models, report.weights()).filter { !$0.0.isShadow }.map { $0.1 ?? .nan }
        guard !weights.isEmpty else { return nil }
        let sum = weights.reduce(0, +)
        if weights.allSatisfy({ $0.isFinite && $0 >= 0 }), abs(sum - 1) < 1e-9 { return nil }
        return "the weights of \(report.application) (\(report.settings.policy.name)) are \(weights)"
    }
}
