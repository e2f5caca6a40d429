import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

@Suite("What the store of states is asked")
struct StateWorkTests {
    /// A store in memory that counts its transactions and can fail.
    private final class Store: SelectionStore {
        struct Contents {
            var states: [StateKey: (policy: String, state: Data)] = [:]
            var feedback: Set<CountedFeedback> = []
            var commits = 0
            var failure: String?
        }

        struct Failure: Error, CustomStringConvertible {
            var description: String
        }

        let contents = Locked(Contents())

        func fail(_ reason: String?) {
            contents.withLock { $0.failure = reason }
        }

        private func access<Value>(_ body: (inout Contents) -> Value) throws -> Value {
            try contents.withLock { contents in
                if let failure = contents.failure { throw Failure(description: failure) }
                return body(&contents)
            }
        }

        func nextStart() throws -> Int { 0 }

        func state(of application: String, user: String?) throws -> (policy: String, state: Data)? {
            try access { $0.states[StateKey(application: application, user: user)] }
        }

        func hasFeedback(_ id: String, of application: String) throws -> Bool {
            try access { $0.feedback.contains(CountedFeedback(application: application, id: id)) }
        }

        func commit(_ writes: [SelectionWrite], feedback: [CountedFeedback]) throws {
            try access { contents in
                contents.commits += 1
                for write in writes {
                    contents.states[StateKey(application: write.application, user: write.user)] = (
                        write.policy, write.state
                    )
                }
                contents.feedback.formUnion(feedback)
            }
        }

        func removeStates(of application: String, user: String?) throws {
            try access { contents in
                contents.states = contents.states.filter { key, _ in
                    key.application != application || (user != nil && key.user != user)
                }
            }
        }
    }

    private let store = Store()

    private func commit(
        _ number: UInt64, _ value: Double, epoch: UInt64 = 0, application: String = "app", feedback: String? = nil
    ) -> SelectionStoreRequest {
        .commit(
            SelectionCommit(
                number: number, epoch: epoch, policy: "p",
                states: [SelectionCommit.State(key: StateKey(application: application, user: nil), value: [value])],
                feedback: feedback, application: application))
    }

    private func load(_ application: String = "app", policy: String = "p") -> SelectionStoreRequest {
        .load(StateKey(application: application, user: nil), policy: policy) { data in
            try? JSONDecoder().decode([Double].self, from: data)
        }
    }

    /// Answers as texts, for comparison.
    private func texts(_ answers: [SelectionStoreAnswer]) -> [String] {
        answers.map { answer in
            switch answer {
            case .loaded(let key, _, let state): "loaded \(key.application): \(state as? [Double] ?? [])"
            case .undecodable(let key, let policy): "undecodable \(key.application) of \(policy)"
            case .checked(let feedback, _, let hasCounted): "\(feedback) has counted: \(hasCounted)"
            case .committed(let numbers): "committed \(numbers)"
            case .failed(let numbers, let epoch, let reason): "failed \(numbers) of \(epoch): \(reason)"
            case .rejected(let numbers, let states, _): "rejected \(numbers): \(states.map(\.application))"
            case .unreadable(let key, let reason): "unreadable \(key.application): \(reason)"
            case .uncheckable(let feedback, _, let reason): "uncheckable \(feedback): \(reason)"
            case .notRemoved(let key): "not removed \(key.application)"
            }
        }
    }

    @Test("Commits that have come together are one transaction, of the last value of each state")
    func groups() {
        var work = StateWork(store: store)
        let answers = work.perform([
            commit(0, 1, feedback: "f"), commit(1, 2), commit(2, 3, application: "other"), load(),
        ])
        #expect(texts(answers) == ["committed [0, 1, 2]", "loaded app: [2.0]"])
        #expect(store.contents.withLock { $0.commits } == 1)
        #expect(texts(work.perform([.check(feedback: "f", application: "app")])) == ["f has counted: true"])
        #expect(texts(work.perform([.check(feedback: "f", application: "other")])) == ["f has counted: false"])
    }

    @Test("A state that its policy does not understand any more is as if it were not kept, and is told")
    func tellsUndecodable() {
        var work = StateWork(store: store)
        _ = work.perform([commit(0, 1)])
        let load = SelectionStoreRequest.load(StateKey(application: "app", user: nil), policy: "p") { _ in nil }
        #expect(texts(work.perform([load])) == ["undecodable app of p", "loaded app: []"])
        #expect(texts(work.perform([self.load(policy: "q")])) == ["loaded app: []"])
    }

    @Test("What is read and is not about to be written need not wait for the disk")
    func readsFirst() {
        var work = StateWork(store: store)
        #expect(
            texts(work.perform([commit(0, 1), load("other"), load("app")])) == [
                "loaded other: []", "committed [0]", "loaded app: [1.0]",
            ])
    }

    @Test("What can be read before is told before anything is written: it does not wait for the disk")
    func tellsBeforeWriting() {
        var work = StateWork(store: store)
        var told: [String] = []
        let rest = work.perform([commit(0, 1), load("other"), load("app")]) { answers in
            #expect(store.contents.withLock { $0.commits } == 0)
            told += texts(answers)
        }
        #expect(told == ["loaded other: []"])
        #expect(texts(rest) == ["committed [0]", "loaded app: [1.0]"])
    }

    @Test("What another policy has written is as if it were not there")
    func otherPolicy() {
        var work = StateWork(store: store)
        #expect(texts(work.perform([commit(0, 1), load(policy: "q")])) == ["committed [0]", "loaded app: []"])
    }

    @Test("After a commit that fails, what was learned on top of it fails too, and what comes after does not")
    func epochs() {
        var work = StateWork(store: store)
        store.fail("disk full")
        #expect(texts(work.perform([commit(0, 1)])) == ["failed [0] of 0: disk full"])
        store.fail(nil)
        #expect(
            texts(work.perform([commit(1, 2), commit(2, 3, epoch: 1)])) == [
                "failed [1] of 0: disk full", "committed [2]",
            ])
        #expect(texts(work.perform([load()])) == ["loaded app: [3.0]"])
    }

    @Test("A state that is no JSON costs its own application's commits alone")
    func notJSON() {
        var work = StateWork(store: store)
        let answers = work.perform([commit(0, .nan), commit(1, 5, application: "other"), commit(2, .nan)])
        #expect(texts(answers) == ["rejected [0, 2]: [\"app\", \"app\"]", "committed [1]"])
        #expect(texts(work.perform([load("other"), load()])) == ["loaded other: [5.0]", "loaded app: []"])
    }

    @Test("What cannot be read or forgotten is told, and not taken for nothing")
    func unreadable() {
        var work = StateWork(store: store)
        store.fail("broken")
        let replied = Locked<[String?]>([])
        let answers = work.perform([
            load(), .check(feedback: "f", application: "app"),
            .remove(StateKey(application: "app", user: nil)) { problem in replied.withLock { $0.append(problem) } },
        ])
        #expect(texts(answers) == ["unreadable app: broken", "uncheckable f: broken", "not removed app"])
        #expect(replied.withLock { $0 } == ["broken"])
    }

    @Test("A state is forgotten after what was committed before, and before what is read after")
    func removes() {
        var work = StateWork(store: store)
        let replied = Locked<[String?]>([])
        let answers = work.perform([
            commit(0, 1),
            .remove(StateKey(application: "app", user: nil)) { problem in replied.withLock { $0.append(problem) } },
            load(),
        ])
        #expect(texts(answers) == ["committed [0]", "loaded app: []"])
        #expect(replied.withLock { $0 } == [nil])
    }
}
