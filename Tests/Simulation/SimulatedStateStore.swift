import ContainerRPC
import Foundation
import QueryFrontend

/// A store of learned states that is as durable as a disk, and fails when it is full.
///
/// It keeps bytes, so that a state that cannot be written or read again shows. It outlives the frontend's processes, and
/// watches that nothing counts twice and that `CountingPolicy` has counted what has counted.
final class SimulatedStateStore: SelectionStore {
    /// Feedback by its application and its id.
    struct FeedbackKey: Hashable, Sendable {
        var application: String
        var id: String
    }

    /// Whose a state is: an application's, or that of one of its users.
    struct Owner: Hashable, Sendable {
        var application: String
        var user: String?
    }

    struct Full: Error, CustomStringConvertible {
        var description: String { "the disk is full" }
    }

    struct Contents: Sendable {
        var states: [Owner: (policy: String, state: Data)] = [:]
        var feedback: Set<FeedbackKey> = []
        /// Whose each feedback is, where it is a user's.
        var users: [FeedbackKey: String] = [:]
        /// Applications whose policy has been changed since the process began. What the next policy learned, if it keeps no
        /// state, may come in one commit with what the last one had counted.
        var changed: Set<String> = []
        /// It writes nothing.
        var isFull = false
        var starts = 0
        /// Commits that failed.
        var failures = 0
        /// Commits with more than one feedback.
        var groupCommits = 0
        /// Reads that found a state.
        var loads = 0
        var removals = 0
        /// What must not be.
        var problem: String?
    }

    private let contents = Locked(Contents())

    func with<Result>(_ body: (inout Contents) -> Result) -> Result {
        contents.withLock { body(&$0) }
    }

    func hasCounted(_ id: String, of application: String) -> Bool {
        with { $0.feedback.contains(FeedbackKey(application: application, id: id)) }
    }

    // MARK: SelectionStore

    func nextStart() -> Int {
        with { contents in
            defer { contents.starts += 1 }
            contents.changed = []
            return contents.starts
        }
    }

    func state(of application: String, user: String?) -> (policy: String, state: Data)? {
        with { contents in
            let state = contents.states[Owner(application: application, user: user)]
            if state != nil { contents.loads += 1 }
            return state
        }
    }

    func hasFeedback(_ id: String, of application: String) -> Bool {
        hasCounted(id, of: application)
    }

    func commit(_ writes: [SelectionWrite], feedback: [CountedFeedback]) throws {
        try contents.withLock { contents throws(Full) in
            guard !contents.isFull else {
                contents.failures += 1
                throw Full()
            }
            if feedback.count > 1 { contents.groupCommits += 1 }
            let fresh = feedback.map { FeedbackKey(application: $0.application, id: $0.id) }
            for key in fresh where !contents.feedback.insert(key).inserted {
                contents.problem = "feedback \(key.id) of \(key.application) counts twice"
            }
            for write in writes where write.policy.hasPrefix("\(CountingPolicy.name) ") {
                contents.check(write, fresh, writes)
            }
            for write in writes {
                contents.states[Owner(application: write.application, user: write.user)] = (write.policy, write.state)
            }
        }
    }

    func removeStates(of application: String, user: String?) {
        with { contents in
            contents.removals += 1
            if user == nil {
                contents.states = contents.states.filter { $0.key.application != application }
            } else {
                contents.states[Owner(application: application, user: user)] = nil
            }
        }
    }
}

extension SimulatedStateStore.Contents {
    /// What a policy that counts has counted on a write is what has counted with it.
    fileprivate mutating func check(
        _ write: SelectionWrite, _ fresh: [SimulatedStateStore.FeedbackKey], _ writes: [SelectionWrite]
    ) {
        let count = Self.count(write.state)
        let kept = states[SimulatedStateStore.Owner(application: write.application, user: write.user)]
        let before = kept.flatMap { $0.policy == write.policy ? Self.count($0.state) : nil }
        let added = fresh.count { key in
            key.application == write.application && (write.user == nil || users[key] == write.user)
        }
        let whose = "\(write.application)\(write.user.map { ", user \($0)" } ?? "")"
        if write.user != nil, before == nil {
            // It begins with what the application had counted, whenever that was.
            let shared = writes.first { $0.application == write.application && $0.user == nil }
            let most = shared.map { Self.count($0.state) } ?? .max
            if count < added || count > most { problem = "\(whose) begins with \(count) of \(most)" }
        } else {
            let most = (before ?? 0) + added
            let least = changed.contains(write.application) ? min((before ?? 0) + 1, most) : most
            if !(least...most).contains(count) {
                problem = "\(whose): \(count) is counted, and \(before ?? 0) and \(added) more have"
            }
        }
    }

    private static func count(_ state: Data) -> Int {
        (try? JSONDecoder().decode(CountingPolicy.State.self, from: state))?.count ?? -1
    }
}
