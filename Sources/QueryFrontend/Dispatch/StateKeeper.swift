import ContainerRPC
import Foundation
import Logging

/// Reads and writes what selection policies have learned, on a thread of its own: a disk may take its time.
///
/// What has come while the disk was busy becomes durable with one commit (group commit), and a state that has changed
/// several times is written once.
final class StateKeeper: Sendable {
    private struct Inbox {
        var requests: [SelectionStoreRequest] = []
        var isStopping = false
    }

    private let store: any SelectionStore
    private let inbox = Locked(Inbox())
    private let wakeup = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let logger: Logger
    /// Takes answers, on the keeper's thread.
    private let deliver: @Sendable ([SelectionStoreAnswer]) -> Void

    init(store: any SelectionStore, logger: Logger, deliver: @escaping @Sendable ([SelectionStoreAnswer]) -> Void) {
        self.store = store
        self.logger = logger
        self.deliver = deliver
    }

    /// Starts the thread.
    func start() {
        let thread = Thread { [self] in
            ThreadName.set("states")
            run()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Hands requests over; they are done in their order.
    func take(_ requests: [SelectionStoreRequest]) {
        let isFirst = inbox.withLock { inbox in
            defer { inbox.requests += requests }
            return inbox.requests.isEmpty
        }
        if isFirst { wakeup.signal() }
    }

    /// Ends the thread once all that it was handed is done, and waits for that; for a disk that hangs a few seconds only.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        wakeup.signal()
        _ = ended.wait(timeout: .now() + 5)
    }

    // MARK: The thread

    private func run() {
        var work = StateWork(store: store)
        // A disk that is full stays so for many commits.
        var log = LogLimit(interval: .seconds(1), burst: 10)
        while true {
            wakeup.wait()
            let (requests, isStopping) = inbox.withLock { inbox in
                defer { inbox.requests = [] }
                return (inbox.requests, inbox.isStopping)
            }
            func handOver(_ answers: [SelectionStoreAnswer]) {
                guard !answers.isEmpty else { return }
                for problem in answers.compactMap(\.problem) {
                    guard let suppressed = log.admit(now: .now()) else { continue }
                    logger.error(
                        "\(problem)", metadata: suppressed == 0 ? [:] : ["not_logged_before": "\(suppressed)"])
                }
                deliver(answers)
            }
            handOver(work.perform(requests, beforeWriting: handOver))
            if isStopping {
                ended.signal()
                return
            }
        }
    }
}

/// What the keeper's thread does with the requests that have come.
package struct StateWork {
    private let store: any SelectionStore
    private let encoder = JSONEncoder()
    /// The epoch whose commits fail, because one of them has: they are based on what was not kept.
    private var failedEpoch: UInt64?
    private var failure = ""

    package init(store: any SelectionStore) {
        self.store = store
    }

    /// Does what is asked, in its order; commits that follow each other become one.
    ///
    /// - Parameter beforeWriting: takes the answers that are there when something is about to be written, which takes a
    ///   disk's time; `nil`: they come with the others.
    package mutating func perform(
        _ requests: [SelectionStoreRequest], beforeWriting: (([SelectionStoreAnswer]) -> Void)? = nil
    ) -> [SelectionStoreAnswer] {
        var answers: [SelectionStoreAnswer] = []
        var commits: [SelectionCommit] = []
        var reads: [SelectionStoreRequest] = []
        func flush() {
            // Only what is about to be written has to be read afterwards: the others need not wait for the disk.
            let written = Set(commits.flatMap { $0.states.map(\.key) })
            let counted = Set(commits.compactMap { commit in commit.feedback.map { [commit.application, $0] } })
            func isLate(_ read: SelectionStoreRequest) -> Bool {
                switch read {
                case .load(let key, _, _): written.contains(key)
                case .check(let feedback, let application): counted.contains([application, feedback])
                case .commit, .remove: false
                }
            }
            for read in reads where !isLate(read) { answers += perform(read) }
            if !commits.isEmpty {
                if let beforeWriting {
                    beforeWriting(answers)
                    answers = []
                }
                answers += commit(commits)
            }
            for read in reads where isLate(read) { answers += perform(read) }
            commits.removeAll()
            reads.removeAll()
        }
        for request in requests {
            switch request {
            case .load, .check:
                reads.append(request)
            case .commit(let commit):
                commits.append(commit)
            case .remove(let key, let reply):
                flush()
                do {
                    try store.removeStates(of: key.application, user: key.user)
                    reply(nil)
                } catch {
                    answers.append(.notRemoved(key))
                    reply("\(error)")
                }
            }
        }
        flush()
        return answers
    }

    private func perform(_ read: SelectionStoreRequest) -> [SelectionStoreAnswer] {
        switch read {
        case .load(let key, let policy, let decode):
            do {
                let kept = try store.state(of: key.application, user: key.user)
                // What another policy has written is of no use to this one.
                guard let kept, kept.policy == policy else { return [.loaded(key, policy: policy, nil)] }
                guard let state = decode(kept.state) else {
                    return [.undecodable(key, policy: policy), .loaded(key, policy: policy, nil)]
                }
                return [.loaded(key, policy: policy, state)]
            } catch {
                return [.unreadable(key, "\(error)")]
            }
        case .check(let feedback, let application):
            do {
                let hasCounted = try store.hasFeedback(feedback, of: application)
                return [.checked(feedback: feedback, application: application, hasCounted: hasCounted)]
            } catch {
                return [.uncheckable(feedback: feedback, application: application, "\(error)")]
            }
        case .commit, .remove:
            return []
        }
    }

    private mutating func commit(_ commits: [SelectionCommit]) -> [SelectionStoreAnswer] {
        var answers: [SelectionStoreAnswer] = []
        let stale = commits.filter { $0.epoch == failedEpoch }
        if let epoch = stale.first?.epoch {
            answers.append(.failed(stale.map(\.number), epoch: epoch, failure))
        }
        var fresh = commits.filter { $0.epoch != failedEpoch }
        // The last value of a state is all that counts: those before are part of it.
        var latest: [StateKey: (policy: String, value: any Encodable & Sendable)] = [:]
        for commit in fresh {
            for state in commit.states { latest[state.key] = (commit.policy, state.value) }
        }
        var writes: [SelectionWrite] = []
        var refused: [StateKey: String] = [:]
        for (key, state) in latest {
            do {
                writes.append(
                    SelectionWrite(
                        application: key.application, user: key.user, policy: state.policy,
                        state: try encoder.encode(state.value)))
            } catch {
                refused[key] = "\(error)"
            }
        }
        if !refused.isEmpty {
            // A policy of somebody's own may have learned what is no JSON, such as NaN: that costs its application alone.
            let applications = Set(refused.keys.map(\.application))
            let rejected = fresh.filter { applications.contains($0.application) }
            fresh.removeAll { applications.contains($0.application) }
            writes.removeAll { applications.contains($0.application) }
            for application in applications {
                let own = rejected.filter { $0.application == application }
                let reason = refused.first { $0.key.application == application }?.value ?? ""
                answers.append(
                    .rejected(
                        own.map(\.number), states: own.flatMap { $0.states.map(\.key) },
                        "the state of application '\(application)' cannot be written as JSON: \(reason)"))
            }
        }
        if let epoch = fresh.first?.epoch { answers.append(write(writes, of: fresh, epoch: epoch)) }
        return answers
    }

    private mutating func write(
        _ writes: [SelectionWrite], of commits: [SelectionCommit], epoch: UInt64
    ) -> SelectionStoreAnswer {
        let numbers = commits.map(\.number)
        let feedback = commits.compactMap { commit in
            commit.feedback.map { CountedFeedback(application: commit.application, id: $0) }
        }
        do {
            if !writes.isEmpty || !feedback.isEmpty { try store.commit(writes, feedback: feedback) }
            return .committed(numbers)
        } catch {
            failedEpoch = epoch
            failure = "\(error)"
            return .failed(numbers, epoch: epoch, failure)
        }
    }
}

extension SelectionStoreAnswer {
    /// What an operator has to know of it.
    fileprivate var problem: String? {
        switch self {
        case .failed(_, _, let reason), .rejected(_, _, let reason):
            "what feedback has taught could not be kept: \(reason)"
        case .undecodable(let key, let policy):
            "what \(key.user == nil ? "" : "a user of ")application '\(key.application)' has learned is not what its "
                + "policy reads (\(policy)), and is begun anew"
        case .unreadable(let key, let reason):
            "what application '\(key.application)' has learned cannot be read: \(reason)"
        case .uncheckable(_, let application, let reason):
            "which feedback of application '\(application)' has counted cannot be read: \(reason)"
        case .loaded, .checked, .committed, .notRemoved:
            nil
        }
    }
}
