import ContainerRPC

/// How an application's selection does at one moment, as seen by one of its users or by the application itself.
package struct SelectionReport: Sendable {
    /// One of its models.
    package struct Model: Sendable, Hashable {
        package var name: String
        /// "name:version"
        package var label: String
        package var isShadow: Bool
        package var counters: SelectionCounters
    }

    package var application: String
    package var user: String?
    package var settings: SelectionSettings
    /// Whether the user has a state of their own; if not, the application's is shown, which they begin with.
    package var isOwn: Bool
    package var models: [Model]
    package var feedback: FeedbackCounters
    package var state: (any Encodable & Sendable)?
    /// The names of the models that can be chosen.
    package var candidates: [String]
    /// Finds what these models count. It takes its time, so it is left to whoever wants to know, on their thread.
    var weigh: @Sendable ([String]) -> [Double]

    /// Each model's share of the weight, by the places of `models`: 0 for one that cannot be chosen, `nil` for a shadow.
    package func weights() -> [Double?] {
        let byName = Dictionary(zip(candidates, weigh(candidates))) { first, _ in first }
        return models.map { $0.isShadow ? nil : byName[$0.name] ?? 0 }
    }
}

extension Selector {
    /// Tells how a selection does, once the user's state is known; `nil` where the application has no policy.
    package mutating func report(
        on application: ApplicationHandle, user: String?, serving: ServingOf,
        _ reply: @escaping @Sendable (SelectionReport?) -> Void
    ) {
        if let missing = missingState(application, user) { return wait(.report(user: user, reply), for: missing) }
        reply(report(on: application, user: user, serving: serving))
    }

    /// What is known at once: for metrics.
    ///
    /// - Parameter serving: whether a model can be asked. Where none can, all are weighed as if they could.
    package func report(
        on application: ApplicationHandle, user: String? = nil, serving: ServingOf = { _ in .answering }
    ) -> SelectionReport? {
        guard let member = members[application] else { return nil }
        let able = member.models.filter { !$0.isShadow && serving($0.handle) != .none }
        let answering = able.filter { serving($0.handle) == .answering }
        let served = (answering.isEmpty ? able : answering).map(\.name)
        let isOwn = member.states.hasOwnState(user)
        return SelectionReport(
            application: member.name, user: user, settings: member.settings, isOwn: isOwn,
            models: member.models.map { model in
                SelectionReport.Model(
                    name: model.name, label: model.label, isShadow: model.isShadow,
                    counters: member.counters[model.name] ?? SelectionCounters())
            },
            feedback: member.feedback, state: member.states.snapshot(of: isOwn ? user : nil),
            candidates: served.isEmpty ? member.candidates : served, weigh: member.states.weighing(for: user))
    }

    /// Lets a user, or an application with all its users, begin anew.
    package mutating func reset(
        _ application: ApplicationHandle, named name: String, user: String?,
        _ reply: @escaping @Sendable (String?) -> Void
    ) {
        // Where its policy is one that does not learn, what an earlier one has learned is forgotten.
        members[application]?.states.reset(user)
        // One who is being read is known when that has come, lest it comes over what they have learned until then.
        if let user, waiting[.state(application, user)] != nil { members[application]?.states.forget(user) }
        effects.storeRequests.append(.remove(StateKey(application: name, user: user), reply: reply))
        readAgain(application, user)
    }
}
