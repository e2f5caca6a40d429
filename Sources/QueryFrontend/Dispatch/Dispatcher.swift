import ContainerRPC
import Foundation
import Logging
import Synchronization

/// The way to the dispatch thread, from any other: queries and commands go into its inbox.
///
/// The inbox's lock is, beside the cache's, the only one on the query path. It is held for an append, or for a swap by the
/// dispatch thread, which is woken only when it sleeps.
final class Dispatcher: Sendable {
    /// What the dispatch thread can be asked besides queries. It answers each.
    enum Command: Sendable {
        case addSink(any OutcomeSink, CheckedContinuation<Int, Never>)
        /// The reply names the versions that are gone.
        case publish(Catalog, CheckedContinuation<[ModelHandle], Never>)
        /// The weights of all policies take time to tell: they are in it where they are asked for.
        case report(withSelections: Bool, CheckedContinuation<DispatchReport, Never>)
        /// Replicas of a version, or the one of this number, get nothing new, or are taken back.
        case drain(ModelVersion, replica: Int?, Draining, CheckedContinuation<DispatchReport?, Never>)
        /// What an application's policy has learned, for one user or by itself.
        case selection(application: String, user: String?, CheckedContinuation<SelectionReport?, Never>)
        /// A user, or an application with all its users, begins anew; the reply says why not.
        case resetSelection(application: String, user: String?, CheckedContinuation<String?, Never>)
        case stop(CheckedContinuation<Void, Never>)
    }

    struct Inbox {
        var submissions: [Submission] = []
        /// Queries that event loops have answered from the cache, to be counted.
        var hits: [CacheHit] = []
        var commands: [Command] = []
        var feedback: [SelectedFeedback] = []
        /// What the store of learned states has answered.
        var storeAnswers: [SelectionStoreAnswer] = []
        /// What may wait while the thread sleeps.
        var gathering: ArrivalGathering?
        /// No more is taken: the thread has ended.
        var isClosed = false
    }

    /// What has become of queries that were handed over.
    enum Receipt {
        /// The thread has ended: no outcome will come.
        case refused
        /// They are taken soon enough, without anybody being woken.
        case gathers
        /// The thread has to be woken for them, should it sleep.
        case awaitsWake
    }

    struct Configuration: Sendable {
        /// Where containers connect: one or more of `tcp://host:port` and `inproc://name`.
        var endpoints: [String]
        var core = DispatchCore.Configuration()
    }

    /// Hits that may wait to be counted, so that they wake nobody.
    private static let mostUncountedHits = 1024

    let handles = Handles()
    let cache: SharedPredictionCache
    let wakeup: Wakeup
    private let inbox = Locked(Inbox())
    private let isAsleep = Atomic(false)

    /// - Parameter cacheBytes: what the prediction cache may hold; 0 turns it off.
    init(cacheBytes: Int = 0) throws(TransportError) {
        cache = SharedPredictionCache(capacityBytes: cacheBytes)
        wakeup = try Wakeup()
    }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - store: keeps what policies learn.
    ///   - policies: those that applications can have.
    /// - Returns: the endpoints with their ports.
    /// - Throws: `TransportError` where one cannot be bound.
    func start(
        _ configuration: Configuration, store: any SelectionStore, policies: SelectionPolicies, context: Context,
        logger: Logger
    ) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            @Sendable func work() -> [CheckedContinuation<Void, Never>] {
                let loop: DispatchLoop
                do {
                    loop = try DispatchLoop(
                        configuration, store: store, policies: policies, dispatcher: self, context: context,
                        logger: logger)
                } catch {
                    continuation.resume(throwing: error)
                    return []
                }
                continuation.resume(returning: loop.endpoints)
                return loop.run()
            }
            let thread = Thread {
                ThreadName.set("dispatch")
                ThreadPolicy.gatherWork()
                // The loop goes with this call, and closes its socket, before those who wait for the end hear of it.
                for request in work() { request.resume() }
            }
            // Foundation's default is half a megabyte, which a deep stack of a debug build can need.
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Hands queries over and wakes the thread for them. Their outcomes come to the sink.
    ///
    /// - Returns: false when the thread has ended: no outcome will come.
    func submit(_ submission: Submission) -> Bool {
        let receipt = hand(over: submission)
        if receipt == .awaitsWake { wake() }
        return receipt != .refused
    }

    /// Hands queries over. Their outcomes come to the sink. The caller wakes the thread if that is needed, after others.
    func hand(over submission: Submission) -> Receipt {
        inbox.withLock { inbox in
            if inbox.isClosed { return .refused }
            inbox.submissions.append(submission)
            return inbox.gathering?.mayHold(submission) ?? false ? .gathers : .awaitsWake
        }
    }

    /// Notes a query that was answered from the cache. It is counted with the next turn.
    func note(_ hit: CacheHit) {
        let count = inbox.withLock { inbox in
            if !inbox.isClosed { inbox.hits.append(hit) }
            return inbox.hits.count
        }
        if count >= Self.mostUncountedHits { wake() }
    }

    /// Hands feedback over. What becomes of it comes to the sink that its ticket names.
    ///
    /// - Returns: false when the thread has ended: no answer will come.
    func submit(_ feedback: [SelectedFeedback]) -> Bool {
        let isClosed = inbox.withLock { inbox in
            if !inbox.isClosed { inbox.feedback += feedback }
            return inbox.isClosed
        }
        if !isClosed { wake() }
        return !isClosed
    }

    /// Takes what the store of learned states has answered.
    func receive(_ answers: [SelectionStoreAnswer]) {
        inbox.withLock { inbox in
            if !inbox.isClosed { inbox.storeAnswers += answers }
        }
        wake()
    }

    /// What an application's policy has learned; `nil` where it has neither one, nor shadows, nor several links.
    func selection(of application: String, user: String?) async -> SelectionReport? {
        await withCheckedContinuation { post(.selection(application: application, user: user, $0)) }
    }

    /// Lets a user, or an application with all its users, begin anew.
    ///
    /// - Returns: why it could not be done.
    func resetSelection(of application: String, user: String?) async -> String? {
        await withCheckedContinuation { post(.resetSelection(application: application, user: user, $0)) }
    }

    /// Registers a sink, and returns the number to name it by in submissions.
    func addSink(_ sink: any OutcomeSink) async -> Int {
        await withCheckedContinuation { post(.addSink(sink, $0)) }
    }

    /// Takes over a new catalog.
    ///
    /// - Returns: the model versions that are gone, whose outputs the cache still has.
    @discardableResult
    func publish(_ catalog: Catalog) async -> [ModelHandle] {
        await withCheckedContinuation { post(.publish(catalog, $0)) }
    }

    /// What the dispatch thread knows at this moment.
    ///
    /// - Parameter withSelections: also how the applications do whose policies choose, which takes some time.
    func report(withSelections: Bool = false) async -> DispatchReport {
        await withCheckedContinuation { post(.report(withSelections: withSelections, $0)) }
    }

    /// Gives replicas of a version nothing new any more, or takes them back.
    ///
    /// - Returns: what the thread then knows; `nil` where there is no such replica.
    func drainReplicas(of model: ModelVersion, replica: Int?, _ draining: Draining) async -> DispatchReport? {
        await withCheckedContinuation { post(.drain(model, replica: replica, draining, $0)) }
    }

    /// Ends the thread. What is still waiting gets the default.
    func stop() async {
        await withCheckedContinuation { post(.stop($0)) }
    }

    private func post(_ command: Command) {
        let isClosed = inbox.withLock { inbox in
            if !inbox.isClosed { inbox.commands.append(command) }
            return inbox.isClosed
        }
        isClosed ? command.answerAfterEnd() : wake()
    }

    /// Has the thread look into its inbox, should it sleep.
    func wake() {
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { wakeup.signal() }
    }

    // MARK: For the dispatch thread

    /// Takes all that has come.
    func takeInbox(into taken: inout Inbox) {
        taken.submissions.removeAll(keepingCapacity: true)
        taken.commands.removeAll(keepingCapacity: true)
        taken.hits.removeAll(keepingCapacity: true)
        taken.feedback.removeAll(keepingCapacity: true)
        taken.storeAnswers.removeAll(keepingCapacity: true)
        inbox.withLock { swap(&$0, &taken) }
        // It shares the scheduler's array, which is written to without a copy when nobody else has it.
        taken.gathering = nil
    }

    /// Announces that the thread is going to sleep. False when something has come meanwhile.
    ///
    /// - Parameter gathering: what needs not wake it; it ends its sleep when that ends.
    func prepareToSleep(_ gathering: ArrivalGathering?) -> Bool {
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        let isEmpty = inbox.withLock { inbox in
            inbox.gathering = gathering
            return inbox.submissions.isEmpty && inbox.commands.isEmpty && inbox.feedback.isEmpty
                && inbox.storeAnswers.isEmpty
        }
        if !isEmpty { isAsleep.store(false, ordering: .sequentiallyConsistent) }
        return isEmpty
    }

    func wokeUp() {
        isAsleep.store(false, ordering: .sequentiallyConsistent)
        wakeup.clear()
    }

    /// Takes nothing any more, and answers the commands that came too late.
    ///
    /// - Returns: the queries and the feedback that came too late, and what the store has answered last.
    func close() -> (
        queries: [Submission], feedback: [SelectedFeedback], storeAnswers: [SelectionStoreAnswer]
    ) {
        let late = inbox.withLock { inbox in
            let late = inbox
            inbox = Inbox(isClosed: true)
            return late
        }
        for command in late.commands { command.answerAfterEnd() }
        return (late.submissions, late.feedback, late.storeAnswers)
    }
}

extension Dispatcher.Command {
    /// Nobody is left to do it: whoever waits is let go.
    fileprivate func answerAfterEnd() {
        switch self {
        case .addSink(_, let continuation): continuation.resume(returning: 0)
        case .publish(_, let continuation): continuation.resume(returning: [])
        case .stop(let continuation): continuation.resume()
        case .report(_, let continuation): continuation.resume(returning: DispatchReport(now: .now()))
        case .drain(_, _, _, let continuation): continuation.resume(returning: nil)
        case .selection(_, _, let continuation): continuation.resume(returning: nil)
        case .resetSelection(_, _, let continuation): continuation.resume(returning: "the query frontend is stopping")
        }
    }
}

/// A query that an event loop has answered from the cache.
struct CacheHit: Sendable {
    var application: ApplicationHandle
    var model: ModelHandle
    var latency: Duration
}
