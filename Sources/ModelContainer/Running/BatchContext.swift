public import ContainerRPC

/// What a closure may want to know of the batch that it answers: `BatchContext.current`.
public struct BatchContext: Sendable {
    /// The batch that is being answered; `nil` outside of a container's work.
    @TaskLocal public static var current: BatchContext?

    private let expires: MonotonicTime?
    /// The trace that the batch belongs to, if the application's request named one (RPC 4).
    public let trace: TraceContext?

    /// A context of one's own, for the test of a closure that reads it.
    ///
    /// - Parameters:
    ///   - remaining: the time that is left from now on; `nil` where it is not known.
    ///   - trace: the trace that the batch belongs to.
    public init(remaining: Duration? = nil, trace: TraceContext? = nil) {
        expires = remaining.map { .now() + $0 }
        self.trace = trace
    }

    init(of job: BatchJob) {
        expires = job.expires
        trace = job.request.trace
    }

    /// The time until no answer of the batch is of use any more, below zero once it is spent; `nil` where the frontend has
    /// not told it.
    public var remaining: Duration? { expires.map { $0 - .now() } }
}
