import ContainerRPC
package import Foundation

/// A state's owner: an application, or one of its users.
package struct StateKey: Hashable, Sendable {
    package var application: String
    /// `nil`: the application itself.
    package var user: String?
}

/// What the store of learned states is asked to do, in this order.
package enum SelectionStoreRequest: Sendable {
    /// Read a state: its bytes, when this policy has written it.
    case load(StateKey, policy: String, decode: @Sendable (Data) -> (any Sendable)?)
    /// Say whether feedback of this id has counted.
    case check(feedback: String, application: String)
    /// Make states durable, together with the feedback that led to them.
    case commit(SelectionCommit)
    /// Forget a state; that of an application with those of all its users. The reply says why it could not be done.
    case remove(StateKey, reply: @Sendable (String?) -> Void)
}

/// States that are to be made durable at once.
package struct SelectionCommit: Sendable {
    /// One state.
    package struct State: Sendable {
        package var key: StateKey
        package var value: any Encodable & Sendable
    }

    /// The number to name it by when it is done.
    package var number: UInt64
    /// How often the store had failed before it. What was learned on top of a failed commit must not be written.
    package var epoch: UInt64
    package var policy: String
    package var states: [State]
    package var feedback: String?
    package var application: String
}

/// What the store has done.
package enum SelectionStoreAnswer: Sendable {
    /// A state that this policy has written; `nil`: there is none.
    case loaded(StateKey, policy: String, (any Sendable)?)
    /// This policy has written a state, and does not understand it any more: it is as if there were none.
    case undecodable(StateKey, policy: String)
    case checked(feedback: String, application: String, hasCounted: Bool)
    /// These commits are durable.
    case committed([UInt64])
    /// These commits of an epoch are not, and why; what is in memory is ahead of what is kept.
    case failed([UInt64], epoch: UInt64, String)
    /// These commits cannot be kept because of these states, and why; all others are as they should be.
    case rejected([UInt64], states: [StateKey], String)
    /// A state cannot be read, and why.
    case unreadable(StateKey, String)
    /// Whether feedback has counted cannot be read, and why.
    case uncheckable(feedback: String, application: String, String)
    /// A state could not be forgotten, so that what is kept differs from what is in memory.
    case notRemoved(StateKey)
}

extension SelectionStoreAnswer {
    /// Whether it tells what became of commits.
    var isOfCommits: Bool {
        switch self {
        case .committed, .failed, .rejected: true
        case .loaded, .undecodable, .checked, .unreadable, .uncheckable, .notRemoved: false
        }
    }
}

/// What became of feedback.
package enum FeedbackResult: Hashable, Sendable {
    /// It was learned from, and that is durable.
    case counted
    /// It had counted already under its id.
    case duplicate
    /// No query of this id is known, or it is too long ago.
    case unknownQuery
    /// No model answered its input, or none had answered its query.
    case noAnswer
    /// The label cannot be compared with what the models answered.
    case incomparable
    /// A reward cannot judge a default output, which no model has given.
    case noOutput
    /// What was learned could not be kept, and why; it has not counted.
    case notDurable(String)
    /// The application is gone, or chooses no more.
    case notLearning
    /// The frontend is stopping; it has not counted.
    case stopping
}

/// What follows from the selector's events, until the one who drives it has carried it out.
package struct SelectorEffects: Sendable {
    /// What an application is answered.
    package struct Answer: Sendable {
        package var waiter: Waiter
        package var outcome: Outcome
        /// `nil` where the application's policy is Clipper's own, whose answers a shadow does not change.
        package var combined: Combined?
    }

    /// What became of feedback, for the one who sent it.
    package struct Acknowledgement: Sendable {
        package var ticket: Ticket
        package var result: FeedbackResult
    }

    package internal(set) var queries: [Query] = []
    package internal(set) var answers: [Answer] = []
    package internal(set) var acknowledgements: [Acknowledgement] = []
    package internal(set) var storeRequests: [SelectionStoreRequest] = []

    package var isEmpty: Bool {
        queries.isEmpty && answers.isEmpty && acknowledgements.isEmpty && storeRequests.isEmpty
    }

    /// Forgets all but the queries, which are taken by themselves.
    mutating func clear() {
        answers.removeAll(keepingCapacity: true)
        acknowledgements.removeAll(keepingCapacity: true)
        storeRequests.removeAll(keepingCapacity: true)
    }
}

/// What an answer of a policy tells beside the output.
package struct Combined: Hashable, Sendable {
    /// The models whose answers were combined, as "name:version".
    package var models: [String]
    /// The share of the models, by weight, that agree.
    package var confidence: Double
}
