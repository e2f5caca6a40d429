import ContainerRPC
import Dispatch
import Synchronization

/// Runs a model on the batches of a container, one after the other, away from the socket's thread.
final class BatchWorker: Sendable {
    /// A batch, and the session it was read in.
    struct Job: Sendable {
        var request: PredictRequest
        var session: Int
        /// Whether a failure can be told, and does not end the session (RPC 4).
        var canFail: Bool
        /// When no answer is of use any more; as far as is known.
        var expires: MonotonicTime?
    }

    /// What became of a batch, and what the model took for it.
    struct Done: Sendable {
        var result: Result<Outputs, any Error>
        var computeTime: Duration
    }

    private let model: ModelContainer.Model
    /// Jobs of any other session are void: their frontend has given them up.
    private let currentSession = Atomic<Int>(0)
    private static let noSession = -1
    private let queue = DispatchQueue(label: "swift-clipper.model")
    private let jobs: AsyncStream<Job>.Continuation
    private let report: @Sendable (Job, Done) -> Void

    /// - Parameter report: told of every job that was begun, from any thread.
    init(_ model: ModelContainer.Model, report: @escaping @Sendable (Job, Done) -> Void) {
        self.model = model
        self.report = report
        let (stream, continuation) = AsyncStream<Job>.makeStream()
        jobs = continuation
        if case .suspending(let predict) = model {
            Task { [weak self] in
                for await job in stream {
                    guard let self else { return }
                    guard self.isCurrent(job) else { continue }
                    let began = MonotonicTime.now()
                    let result: Result<Outputs, any Error>
                    do {
                        try job.checkTime(now: began)
                        result = .success(
                            try await BatchContext.$current.withValue(BatchContext(of: job)) {
                                try await Isolation(of: job).suspendingOutputs(predict)
                            })
                    } catch {
                        result = .failure(error)
                    }
                    self.finish(job, result, began)
                }
            }
        }
    }

    deinit {
        jobs.finish()
    }

    /// Jobs of earlier sessions that have not begun are void from now on.
    func beginSession(_ number: Int) {
        currentSession.store(number, ordering: .releasing)
    }

    func run(_ job: Job) {
        switch model {
        case .blocking(let predict):
            queue.async { [self] in
                guard isCurrent(job) else { return }
                let began = MonotonicTime.now()
                let result = Result {
                    try job.checkTime(now: began)
                    return try BatchContext.$current.withValue(BatchContext(of: job)) {
                        try Isolation(of: job).blockingOutputs(predict)
                    }
                }
                finish(job, result, began)
            }
        case .suspending:
            jobs.yield(job)
        }
    }

    private func finish(_ job: Job, _ result: Result<Outputs, any Error>, _ began: MonotonicTime) {
        if !job.canFail, (try? result.get())?.errors.isEmpty != true {
            // The session will end with it: what was read after it is not begun any more.
            _ = currentSession.compareExchange(
                expected: job.session, desired: Self.noSession, ordering: .acquiringAndReleasing)
        }
        report(job, Done(result: result, computeTime: .now() - began))
    }

    private func isCurrent(_ job: Job) -> Bool {
        job.session == currentSession.load(ordering: .acquiring)
    }
}

extension BatchWorker.Job {
    /// - Throws: `ContainerError.tooLate` for a batch that no answer of is of use any more.
    func checkTime(now: MonotonicTime) throws {
        if let expires, now > expires { throw ContainerError.tooLate(by: now - expires) }
    }
}
