import ContainerRPC
import Dispatch
import Synchronization

/// Runs a model on the batches of a container, one after the other, away from the socket's thread.
final class BatchWorker: Sendable {
    /// A batch, and the session it was read in.
    struct Job: Sendable {
        var request: PredictRequest
        var session: Int
    }

    private let model: ModelContainer.Model
    /// Jobs of any other session are void: their frontend has given them up.
    private let currentSession = Atomic<Int>(0)
    private static let noSession = -1
    private let queue = DispatchQueue(label: "swift-clipper.model")
    private let jobs: AsyncStream<Job>.Continuation
    private let report: @Sendable (Job, Result<Outputs, any Error>) -> Void

    /// - Parameter report: told of every job that was begun, from any thread.
    init(_ model: ModelContainer.Model, report: @escaping @Sendable (Job, Result<Outputs, any Error>) -> Void) {
        self.model = model
        self.report = report
        let (stream, continuation) = AsyncStream<Job>.makeStream()
        jobs = continuation
        if case .suspending(let predict) = model {
            Task { [weak self] in
                for await job in stream {
                    guard let self else { return }
                    guard self.isCurrent(job) else { continue }
                    let result: Result<Outputs, any Error>
                    do { result = .success(try await predict(job.request.inputs)) } catch { result = .failure(error) }
                    self.finish(job, result)
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
                finish(job, Result { try predict(job.request.inputs) })
            }
        case .suspending:
            jobs.yield(job)
        }
    }

    private func finish(_ job: Job, _ result: Result<Outputs, any Error>) {
        if case .failure = result {
            // The session will end with it: what was read after it is not begun any more.
            _ = currentSession.compareExchange(
                expected: job.session, desired: Self.noSession, ordering: .acquiringAndReleasing)
        }
        report(job, result)
    }

    private func isCurrent(_ job: Job) -> Bool {
        job.session == currentSession.load(ordering: .acquiring)
    }
}
