import ContainerRPC
import Foundation
import Logging
import Synchronization

/// The way to the dispatch thread, from any other: queries and commands go into its inbox.
///
/// The inbox's lock is the only one on the query path. It is held for an append, or for a swap by the dispatch thread,
/// which is woken only when it sleeps.
final class Dispatcher: Sendable {
    /// What the dispatch thread can be asked besides queries. It answers each.
    enum Command: Sendable {
        case addSink(any OutcomeSink, CheckedContinuation<Int, Never>)
        case publish(Catalog, CheckedContinuation<Void, Never>)
        case report(CheckedContinuation<DispatchReport, Never>)
        case stop(CheckedContinuation<Void, Never>)
    }

    struct Inbox {
        var submissions: [Submission] = []
        var commands: [Command] = []
        /// No more is taken: the thread has ended.
        var isClosed = false
    }

    struct Configuration: Sendable {
        /// Where containers connect: one or more of `tcp://host:port` and `inproc://name`.
        var endpoints: [String]
        var timing = SessionTiming.standard
        var slotsPerReplica = 2
    }

    let handles = Handles()
    let wakeup: Wakeup
    private let inbox = Locked(Inbox())
    private let isAsleep = Atomic(false)

    init() throws(TransportError) {
        wakeup = try Wakeup()
    }

    /// Starts the thread.
    ///
    /// - Returns: the endpoints with their ports.
    /// - Throws: `TransportError` where one cannot be bound.
    func start(_ configuration: Configuration, context: Context, logger: Logger) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { [self] in
                let loop: DispatchLoop
                do {
                    loop = try DispatchLoop(configuration, dispatcher: self, context: context, logger: logger)
                } catch {
                    return continuation.resume(throwing: error)
                }
                continuation.resume(returning: loop.endpoints)
                loop.run()
            }
            thread.name = "dispatch"
            // Foundation's default is half a megabyte, which a deep stack of a debug build can need.
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Hands queries over. Their outcomes come to the sink.
    ///
    /// - Returns: false when the thread has ended: no outcome will come.
    func submit(_ submission: Submission) -> Bool {
        let isClosed = inbox.withLock { inbox in
            if !inbox.isClosed { inbox.submissions.append(submission) }
            return inbox.isClosed
        }
        if !isClosed { wake() }
        return !isClosed
    }

    /// Registers a sink, and returns the number to name it by in submissions.
    func addSink(_ sink: any OutcomeSink) async -> Int {
        await withCheckedContinuation { post(.addSink(sink, $0)) }
    }

    /// Takes over a new catalog.
    func publish(_ catalog: Catalog) async {
        await withCheckedContinuation { post(.publish(catalog, $0)) }
    }

    /// What the dispatch thread knows at this moment.
    func report() async -> DispatchReport {
        await withCheckedContinuation { post(.report($0)) }
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

    private func wake() {
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { wakeup.signal() }
    }

    // MARK: For the dispatch thread

    /// Takes all that has come.
    func takeInbox(into taken: inout Inbox) {
        taken.submissions.removeAll(keepingCapacity: true)
        taken.commands.removeAll(keepingCapacity: true)
        inbox.withLock { swap(&$0, &taken) }
    }

    /// Announces that the thread is going to sleep. False when something has come meanwhile.
    func prepareToSleep() -> Bool {
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        let isEmpty = inbox.withLock { $0.submissions.isEmpty && $0.commands.isEmpty }
        if !isEmpty { isAsleep.store(false, ordering: .sequentiallyConsistent) }
        return isEmpty
    }

    func wokeUp() {
        isAsleep.store(false, ordering: .sequentiallyConsistent)
        wakeup.clear()
    }

    /// Takes nothing any more, and answers the commands that came too late.
    ///
    /// - Returns: the queries that came too late.
    func close() -> [Submission] {
        let late = inbox.withLock { inbox in
            inbox.isClosed = true
            defer { (inbox.commands, inbox.submissions) = ([], []) }
            return inbox
        }
        for command in late.commands { command.answerAfterEnd() }
        return late.submissions
    }
}

extension Dispatcher.Command {
    /// Nobody is left to do it: whoever waits is let go.
    fileprivate func answerAfterEnd() {
        switch self {
        case .addSink(_, let continuation): continuation.resume(returning: 0)
        case .publish(_, let continuation), .stop(let continuation): continuation.resume()
        case .report(let continuation): continuation.resume(returning: DispatchReport(now: .now()))
        }
    }
}

/// What the dispatch thread knows at one moment.
struct DispatchReport: Sendable {
    var now: MonotonicTime
    var metrics: FrontendMetrics
    var catalog = Catalog()
    var replicas: [ContainerSessions.Listing] = []
    /// Queries in flight on each replica.
    var inFlight: [ReplicaID: Int] = [:]
    /// Answered batches and queries of each replica.
    var completed: [ReplicaID: (batches: Int, queries: Int)] = [:]
    /// Queries that wait for each model version.
    var queued: [ModelVersion: Int] = [:]

    init(now: MonotonicTime) {
        self.now = now
        metrics = FrontendMetrics(now: now)
    }
}
