package import Foundation

/// Keeps what selection policies have learned across restarts.
package protocol SelectionStore: Sendable {
    /// How often this store was opened for serving before: 0 the first time. Durable when it returns.
    func nextStart() throws -> Int

    /// A state, and the name of the policy that has written it; `nil` where none is kept.
    ///
    /// - Parameter user: `nil` for the application's own.
    func state(of application: String, user: String?) throws -> (policy: String, state: Data)?

    /// Whether feedback of this id has counted.
    func hasFeedback(_ id: String, of application: String) throws -> Bool

    /// Keeps states, and the ids of the feedback that led to them, in one transaction that is durable when it returns.
    /// What belongs to an application that is gone is left out.
    func commit(_ writes: [SelectionWrite], feedback: [CountedFeedback]) throws

    /// Forgets a user's state; without a user that of the application and of all its users.
    func removeStates(of application: String, user: String?) throws
}

/// A state that is to be kept.
package struct SelectionWrite: Sendable, Hashable {
    package var application: String
    /// `nil`: the application's own.
    package var user: String?
    /// The policy that has written it.
    package var policy: String
    /// JSON.
    package var state: Data
}

/// Feedback that has counted, by its id.
package struct CountedFeedback: Sendable, Hashable {
    package var application: String
    package var id: String
}
