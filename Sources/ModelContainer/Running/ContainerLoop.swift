import ContainerRPC
import Foundation
import Logging

/// The threads of a container: they attend to its session, and run its model.
///
/// A model that blocks has two threads, each of which can do both. The one that reads a batch which the model is free for
/// runs the model on it, and sends the answer: that batch does not change threads. While it is at the model nobody attends
/// to the session, which is no loss for as long as a short model takes. When it takes longer, the other thread steps in,
/// so that heartbeats go out, more batches are read (the first thread runs them) and a stop is heard; and goes on attending
/// until it reads a batch that the model is free for. (Leader and followers: Schmidt et al., Pattern-Oriented Software
/// Architecture 2, 2000.)
///
/// A model that suspends runs in tasks, one batch after the other, and one thread attends. The end cancels the task that it
/// does not wait for.
final class ContainerLoop: Sendable {
    private enum Event: Sendable {
        case finished(BatchJob, BatchJob.Done)
        case stop(reason: String)
        /// The resolver has answered what the frontend's name stands for.
        case resolved(isOnlyIPv6: Bool?)
    }

    /// What the threads share.
    private struct Shared: ~Copyable {
        var served: ServedSession
        /// The thread that attends to the session.
        var attendant: Int?
        /// What that thread waits for.
        var wait: ServedSession.Wait?
        /// Whether the model is at work: it gets one batch at a time.
        var isComputing = false
        /// The task that runs, or ran last, a model that suspends.
        var task: Task<Void, Never>?
        var whenEnded: CheckedContinuation<Void, any Error>?
    }

    /// What a thread does next.
    private enum Step {
        case compute(BatchJob)
        case wait(ServedSession.Wait)
        /// Another turn follows.
        case goOn
        /// Another thread attends, or will be back soon.
        case standBy
        case end
    }

    /// How long nobody attends to the session while the model is at work. A batch that comes meanwhile is read so much later
    /// at most, and its budget counts from then.
    private static let mostInattention = Duration.milliseconds(5)

    private let model: ModelContainer.Model
    private let logger: Logger
    private let shared: Locked<Shared>
    private let inbox = Locked<[Event]>([])
    private let wakeup: Wakeup
    private let alarm: Alarm

    init(
        _ configuration: ContainerConfiguration, model: ModelContainer.Model, context: Context, logger: Logger
    ) throws(TransportError) {
        self.model = model
        self.logger = logger
        wakeup = try Wakeup()
        alarm = try Alarm()
        shared = Locked(Shared(served: ServedSession(configuration, context: context, logger: logger)))
    }

    /// Ends the container after the batches that it has read; a second time ends it at once, whatever its model does.
    ///
    /// - Parameter reason: why, for whoever reads the frontend's log.
    func stop(_ reason: String) {
        post(.stop(reason: reason))
    }

    private func post(_ event: Event) {
        inbox.withLock { $0.append(event) }
        wakeup.signal()
    }

    private func takeEvents() -> [Event] {
        inbox.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// Whether it was a frontend's replica at the end: else there is nothing that anybody could wait for.
    var hasRegistered: Bool { shared.withLock { $0.served.hasRegistered } }

    /// Serves until stopped, on threads of its own. A model that blocks and does not come back keeps its thread.
    func serve() async throws {
        try await withCheckedThrowingContinuation { continuation in
            shared.withLock { $0.whenEnded = continuation }
            let threads =
                switch model {
                case .blocking: 2
                case .suspending: 1
                }
            for number in 0..<threads {
                let thread = Thread { [self] in
                    ThreadName.set("container \(number)")
                    ThreadPolicy.gatherWork()
                    run(number)
                }
                // As much as a main thread has: Foundation's half a megabyte is little for somebody's model.
                thread.stackSize = 8 << 20
                thread.start()
            }
        }
    }

    // MARK: A thread

    private func run(_ thread: Int) {
        var finished: (job: BatchJob, done: BatchJob.Done)?
        while true {
            let step = next(thread, finished)
            finished = nil
            switch step {
            case .compute(let job):
                switch model {
                case .blocking(let predict):
                    #if canImport(Darwin)
                        // A thread's own pool is drained at its end, which is the container's.
                        finished = (job, autoreleasepool { job.run(predict) })
                    #else
                        finished = (job, job.run(predict))
                    #endif
                case .suspending(let predict):
                    let task = Task { post(.finished(job, await job.runSuspending(predict))) }
                    // Only this thread ends the loop: it cannot have ended meanwhile.
                    shared.withLock { $0.task = task }
                }
            case .wait(let wait):
                waitForInput([wakeup.descriptor] + wait.descriptors, until: wait.deadline)
            case .standBy:
                waitForInput([alarm.descriptor], until: nil)
            case .goOn:
                // The lock goes to whoever is there first: that should be one with an answer, should there be one.
                sched_yield()
            case .end:
                return
            }
        }
    }

    private func waitForInput(_ descriptors: [Int32], until deadline: MonotonicTime?) {
        do {
            let ready = try ContainerRPC.waitForInput(descriptors, timeout: deadline.map { $0 - .now() })
            if descriptors[0] == wakeup.descriptor, ready[0] { wakeup.clear() }
        } catch {
            shared.withLock { end(&$0, error) }
        }
    }

    /// Takes up what has happened, and says what the thread does next.
    ///
    /// - Parameter finished: the batch that the thread has run the model on.
    private func next(_ thread: Int, _ finished: (job: BatchJob, done: BatchJob.Done)?) -> Step {
        shared.withLock { shared in
            do {
                return try next(thread, finished, &shared)
            } catch {
                end(&shared, error)
                return .end
            }
        }
    }

    private func next(
        _ thread: Int, _ finished: (job: BatchJob, done: BatchJob.Done)?, _ shared: inout Shared
    ) throws -> Step {
        if shared.served.hasEnded { return .end }
        if let finished {
            shared.isComputing = false
            try shared.served.finish(finished.job, finished.done)
        } else if let attendant = shared.attendant, attendant != thread {
            return .standBy
        }
        if shared.attendant == nil {
            alarm.clear()
            shared.attendant = thread
        }
        for event in takeEvents() {
            switch event {
            case .stop(let reason):
                try shared.served.stop(reason: reason)
            case .finished(let job, let done):
                shared.isComputing = false
                try shared.served.finish(job, done)
            case .resolved(let isOnlyIPv6):
                try shared.served.resolved(isOnlyIPv6: isOnlyIPv6)
            }
        }
        let mayHaveMore = try shared.served.turn()
        if let name = shared.served.takeNameToResolve() { resolve(name) }
        if shared.served.hasEnded {
            end(&shared, nil)
            return .end
        }
        if shared.attendant != thread { try showChange(mayHaveMore, &shared) }
        if !shared.isComputing, let job = shared.served.nextJob() {
            shared.isComputing = true
            if case .blocking = model, shared.attendant == thread {
                shared.attendant = nil
                alarm.set(after: Self.mostInattention)
            }
            return .compute(job)
        }
        guard shared.attendant == thread else { return .standBy }
        if mayHaveMore { return .goOn }
        let wait = try shared.served.wait()
        shared.wait = wait
        return .wait(wait)
    }

    /// The resolver may take half a minute, and no thread of the container's waits for it.
    private func resolve(_ name: String) {
        let thread = Thread { [self] in
            ThreadName.set("resolver")
            post(.resolved(isOnlyIPv6: HostName.isOnlyIPv6(name)))
        }
        thread.start()
    }

    /// The thread that attends may wait for something else than it should by now.
    private func showChange(_ mayHaveMore: Bool, _ shared: inout Shared) throws {
        let wait = try shared.served.wait()
        if mayHaveMore || shared.wait?.covers(wait) != true { wakeup.signal() }
    }

    private func end(_ shared: inout Shared, _ error: (any Error)?) {
        shared.served.abandon()
        // Where batches are to be answered first, they have been: what still runs is for nobody.
        shared.task?.cancel()
        shared.task = nil
        guard let continuation = shared.whenEnded else { return }
        shared.whenEnded = nil
        alarm.set(after: .zero)
        wakeup.signal()
        if let error {
            continuation.resume(throwing: error)
        } else {
            logger.info("stopped")
            continuation.resume()
        }
    }
}
