package import ContainerRPC

/// What the selector asks of the store of states, and what follows from its answers.
extension Selector {
    /// Something that the store knows.
    enum StoreKey: Hashable, Sendable {
        case state(ApplicationHandle, String?)
        case feedback(FeedbackKey)

        var application: ApplicationHandle {
            switch self {
            case .state(let application, _): application
            case .feedback(let key): key.application
            }
        }

        var isFeedback: Bool {
            if case .feedback = self { true } else { false }
        }

        /// Keys in one order, whatever that of a dictionary is: equal events have equal effects.
        static func inOrder(_ left: StoreKey, _ right: StoreKey) -> Bool {
            left.place < right.place
        }

        private var place: (Int, Int, String) {
            switch self {
            // An application itself comes before its users.
            case .state(let application, let user): (application.index, user == nil ? 0 : 1, user ?? "")
            case .feedback(let key): (key.application.index, 2, key.id)
            }
        }
    }

    /// Feedback by its id.
    struct FeedbackKey: Hashable, Sendable {
        var application: ApplicationHandle
        var id: String
    }

    /// What waits for the store.
    enum Waiting: Sendable {
        case query(SelectedQuery, until: MonotonicTime)
        case feedback(SelectedFeedback)
        case learning(SelectedFeedback)
        case judging(SelectedFeedback.Judgement, AnsweredQueries.Answered, SelectedFeedback)
        case report(user: String?, @Sendable (SelectionReport?) -> Void)

        var isQuery: Bool {
            if case .query = self { true } else { false }
        }
    }

    /// Asks the store once for what is not known yet.
    mutating func request(_ key: StoreKey) {
        guard waiting[key] == nil, let member = members[key.application] else { return }
        switch key {
        case .state(_, let user):
            guard !member.states.knows(user) else { return }
            effects.storeRequests.append(
                .load(
                    StateKey(application: member.name, user: user), policy: member.origin,
                    decode: member.states.decode))
        case .feedback(let feedback):
            effects.storeRequests.append(.check(feedback: feedback.id, application: member.name))
        }
        if !key.isFeedback { loads += 1 }
        waiting[key] = []
    }

    /// What has waited for what the store has told by now.
    private mutating func takeWaiting(for key: StoreKey) -> [Waiting] {
        guard let taken = waiting.removeValue(forKey: key) else { return [] }
        if !key.isFeedback { loads -= 1 }
        return taken
    }

    mutating func wait(_ waiter: Waiting, for key: StoreKey) {
        request(key)
        waiting[key, default: []].append(waiter)
        if case .query(_, let until) = waiter { nextPatience = min(nextPatience, until) }
    }

    /// What is not known yet of a user's state, and of the application's that it may begin with; `nil`: all is known.
    func missingState(_ application: ApplicationHandle, _ user: String?) -> StoreKey? {
        guard let member = members[application] else { return nil }
        if !member.states.knows(nil) { return .state(application, nil) }
        return member.states.knows(user) ? nil : .state(application, user)
    }

    /// The store has answered.
    package mutating func receive(_ answer: SelectionStoreAnswer, now: MonotonicTime, serving: ServingOf) {
        switch answer {
        case .loaded(let key, let policy, let state):
            guard !isOutdated(key), let application = handle(of: key.application) else { return }
            guard members[application]?.origin == policy else {
                // The policy has changed since: what waits sees by itself what it needs now.
                resume(.state(application, key.user), now: now, serving: serving)
                return request(.state(application, nil))
            }
            // What is known is newer.
            if members[application]?.states.knows(key.user) == false {
                members[application]?.states.install(state, for: key.user)
            }
            resume(.state(application, key.user), now: now, serving: serving)
        case .checked(let id, let name, let hasCounted):
            guard let application = handle(of: name) else { return }
            let key = FeedbackKey(application: application, id: id)
            if hasCounted {
                refuseCounted(key)
            } else {
                resume(.feedback(key), now: now, serving: serving)
            }
        case .committed(let numbers):
            for number in numbers { finishCommit(number, .counted) }
        case .failed(let numbers, let failedEpoch, let reason):
            if failedEpoch == epoch { startOver() }
            for number in numbers { finishCommit(number, .notDurable(reason)) }
        case .rejected(let numbers, let states, let reason):
            for key in states { forget(key) }
            for number in numbers { finishCommit(number, .notDurable(reason)) }
        case .unreadable(let key, let reason):
            guard !isOutdated(key), let application = handle(of: key.application) else { return }
            giveUp(.state(application, key.user), reason, now: now, serving: serving)
        case .uncheckable(let id, let name, let reason):
            guard let application = handle(of: name) else { return }
            giveUp(.feedback(FeedbackKey(application: application, id: id)), reason, now: now, serving: serving)
        case .undecodable:
            // It comes beside the answer that nothing is kept, for the log.
            break
        case .notRemoved(let key):
            guard let application = handle(of: key.application) else { return }
            members[application]?.states.forgetAll()
            request(.state(application, nil))
        }
    }

    /// Whether an answer to a load tells what is not so any more; it counts as come then.
    private mutating func isOutdated(_ key: StateKey) -> Bool {
        guard let count = outdatedLoads[key] else { return false }
        outdatedLoads[key] = count > 1 ? count - 1 : nil
        return true
    }

    /// What is in memory of a state was not kept, and is read anew.
    private mutating func forget(_ key: StateKey) {
        guard let application = handle(of: key.application) else { return }
        members[application]?.states.forget(key.user)
        if key.user == nil { request(.state(application, nil)) }
    }

    /// The store cannot tell: queries go by what is known, and nothing is learned on top of what is not.
    private mutating func giveUp(_ key: StoreKey, _ reason: String, now: MonotonicTime, serving: ServingOf) {
        for waiter in takeWaiting(for: key) {
            switch waiter {
            case .query(let query, _): choose(for: query, now: now, serving: serving)
            case .feedback(let feedback): acknowledge(feedback, .notDurable(reason))
            case .learning(let feedback), .judging(_, _, let feedback): end(feedback, .notDurable(reason))
            case .report(_, let reply): reply(nil)
            }
        }
    }

    /// What is in memory was not kept: what is kept counts, and is read anew.
    private mutating func startOver() {
        epoch += 1
        // In one order, so that what policies draw afterwards follows from the seed.
        for handle in handlesByName.values.sorted(by: { $0.index < $1.index }) {
            members[handle]?.states.forgetAll()
            request(.state(handle, nil))
        }
    }

    /// What is being read of a user, or of an application and all its users, is not so any more: it is read again.
    mutating func readAgain(_ application: ApplicationHandle, _ user: String?) {
        guard let member = members[application] else { return }
        let owners = waiting.keys.compactMap { key -> String?? in
            guard case .state(application, let owner) = key, user == nil || owner == user else { return nil }
            return .some(owner)
        }
        for owner in owners.sorted(by: { ($0 ?? "") < ($1 ?? "") }) {
            let key = StateKey(application: member.name, user: owner)
            outdatedLoads[key, default: 0] += 1
            effects.storeRequests.append(.load(key, policy: member.origin, decode: member.states.decode))
        }
    }

    /// The application of a name that has a policy.
    func handle(of name: String) -> ApplicationHandle? { handlesByName[name] }

    mutating func resume(_ key: StoreKey, now: MonotonicTime, serving: ServingOf) {
        for waiter in takeWaiting(for: key) {
            switch waiter {
            case .query(let query, _): submit(query, now: now, serving: serving)
            case .feedback(let feedback): attempt(feedback, isChecked: key.isFeedback, now: now, serving: serving)
            case .learning(let feedback): learn(feedback, now: now, serving: serving)
            case .judging(let judgement, let query, let feedback): learn(judgement, of: query, feedback)
            case .report(let user, let reply):
                report(on: key.application, user: user, serving: serving, reply)
            }
        }
    }
}
