import ContainerRPC
import Foundation

/// What a policy has learned for one application and for its users, without the policy's type.
///
/// The application's own state is that of the user `nil`.
protocol LearnedStates: Sendable {
    /// Whether there is anything to learn and to keep.
    var learns: Bool { get }
    /// Whether it is known what this user's state is: one of their own, or that they have none.
    func knows(_ user: String?) -> Bool
    /// Whether the user has a state of their own.
    func hasOwnState(_ user: String?) -> Bool
    /// Chooses by the user's state, or by the application's where the user has none.
    mutating func select(_ query: SelectionQuery, using random: inout SelectionRandom) -> Selection
    /// Combines by the same state.
    func combine(_ answers: SelectionAnswers, for user: String?) -> Combination
    /// Learns for one user, who gets a state of their own where they had none.
    mutating func observe(_ feedback: SelectionFeedback, for user: String?)
    /// Finds what models count in the user's state as it is now; without models, nothing. It holds that state alone.
    func weighing(for user: String?) -> @Sendable ([String]) -> [Double]
    /// The user's own state, to be kept; `nil` where there is none.
    func snapshot(of user: String?) -> (any Encodable & Sendable)?
    /// Takes over a state that was kept; `nil`: nothing is kept of the user.
    mutating func install(_ state: (any Sendable)?, for user: String?)
    /// Reads a state that was kept, on whatever thread. `nil` for what this policy cannot read.
    var decode: @Sendable (Data) -> (any Sendable)? { get }
    /// States in memory.
    var count: Int { get }
    /// The user begins anew.
    mutating func reset(_ user: String?)
    /// It is not known any more what this user's state is.
    mutating func forget(_ user: String?)
    /// Nothing is known any more; what is kept has to be read again. The application's state serves meanwhile.
    mutating func forgetAll()
}

/// The states of one policy.
struct PolicyStates<Policy: SelectionPolicy>: LearnedStates {
    /// What is known of a user.
    private enum UserState: Sendable {
        /// No state of their own: the application's is theirs.
        case none
        case own(Policy.State)
    }

    private let policy: Policy
    private var application: Policy.State
    private var knowsApplication = false
    private var users: RecentTable<String, UserState>

    /// - Parameter usersInMemory: the users whose states are kept here; the others' are in the store.
    init(_ policy: Policy, usersInMemory: Int) {
        self.policy = policy
        application = policy.initialState()
        users = RecentTable(capacity: usersInMemory)
    }

    var count: Int { users.count + 1 }

    var learns: Bool { Policy.State.self != NoState.self }

    func knows(_ user: String?) -> Bool {
        guard learns else { return true }
        guard knowsApplication else { return false }
        return user.map { users.peek($0) != nil } ?? true
    }

    func hasOwnState(_ user: String?) -> Bool {
        guard let user else { return true }
        guard learns else { return false }
        if case .own = users.peek(user) { return true }
        return false
    }

    private func state(of user: String?) -> Policy.State {
        if let user, case .own(let state) = users.peek(user) { return state }
        return application
    }

    mutating func select(_ query: SelectionQuery, using random: inout SelectionRandom) -> Selection {
        if let user = query.user, case .own(let state) = users.value(of: user) {
            return policy.select(query, state: state, using: &random)
        }
        return policy.select(query, state: application, using: &random)
    }

    func combine(_ answers: SelectionAnswers, for user: String?) -> Combination {
        policy.combine(answers, state: state(of: user))
    }

    mutating func observe(_ feedback: SelectionFeedback, for user: String?) {
        guard learns else { return }
        guard let user else { return policy.observe(feedback, state: &application) }
        let policy = policy
        let hadOwn = users.update(user) { state in
            guard case .own(var own) = state else { return false }
            // Taken out while it changes, so that it is not copied.
            state = .none
            policy.observe(feedback, state: &own)
            state = .own(own)
            return true
        }
        guard hadOwn != true else { return }
        var own = policy.userState(from: application)
        policy.observe(feedback, state: &own)
        users.insert(.own(own), for: user)
    }

    func weighing(for user: String?) -> @Sendable ([String]) -> [Double] {
        // Not the states of all users: whoever held those would have them copied with the next change.
        let (policy, state) = (policy, state(of: user))
        return { models in models.isEmpty ? [] : policy.weights(of: models, state: state) }
    }

    func snapshot(of user: String?) -> (any Encodable & Sendable)? {
        guard learns else { return nil }
        guard let user else { return application }
        if case .own(let state) = users.peek(user) { return state }
        return nil
    }

    mutating func install(_ state: (any Sendable)?, for user: String?) {
        let known = state as? Policy.State
        guard let user else {
            // Where nothing is kept, what is here has not been kept either.
            application = known ?? policy.initialState()
            knowsApplication = true
            return
        }
        users.insert(known.map(UserState.own) ?? .none, for: user)
    }

    var decode: @Sendable (Data) -> (any Sendable)? {
        { data in try? ForeignJSON.decode(Policy.State.self, from: data) }
    }

    mutating func reset(_ user: String?) {
        if let user {
            users.insert(.none, for: user)
        } else {
            application = policy.initialState()
            users.removeAll()
        }
    }

    mutating func forget(_ user: String?) {
        if let user { users.remove(user) } else { knowsApplication = false }
    }

    mutating func forgetAll() {
        knowsApplication = false
        users.removeAll()
    }
}

extension SelectionPolicy {
    /// Empty states of this policy, without its type.
    func states(usersInMemory: Int) -> any LearnedStates {
        PolicyStates(self, usersInMemory: usersInMemory)
    }
}
