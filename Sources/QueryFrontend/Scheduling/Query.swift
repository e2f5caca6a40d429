package import ContainerRPC

/// Whom to give the outcome of a query: a sink, one of its requests, and the input's place in that.
package struct Ticket: Hashable, Sendable {
    package var sink: Int
    package var request: UInt64
    package var item: Int

    package init(sink: Int, request: UInt64, item: Int) {
        self.sink = sink
        self.request = request
        self.item = item
    }
}

/// Who waits for an outcome, and until when.
package struct Waiter: Sendable {
    package var ticket: Ticket
    package var application: ApplicationHandle
    /// When the request arrived.
    package var arrived: MonotonicTime
    /// When the outcome is due, whatever it then is.
    package var deadline: MonotonicTime

    package init(ticket: Ticket, application: ApplicationHandle, arrived: MonotonicTime, deadline: MonotonicTime) {
        self.ticket = ticket
        self.application = application
        self.arrived = arrived
        self.deadline = deadline
    }
}

/// One input on its way to one model.
package struct Query: Sendable {
    package var waiter: Waiter
    package var model: ModelHandle
    package var input: Payload
    /// The trace that its request belongs to.
    package var trace: QueryTrace?
    /// The hash of the input's key, where equal queries may share one computation and its output may be kept; `nil` where not.
    private(set) var keyHash: Int?

    package init(
        waiter: Waiter, model: ModelHandle, input: Payload, key: CacheKey? = nil, trace: QueryTrace? = nil
    ) {
        self.waiter = waiter
        self.model = model
        self.input = input
        keyHash = key?.hash
        self.trace = trace
    }

    /// The input's key, if it has one.
    package var key: CacheKey? { keyHash.map { CacheKey(model: model, input: input, hash: $0) } }
}

/// A trace that queries belong to, shared: most have none, and need no room for one.
package final class QueryTrace: Sendable {
    package let context: TraceContext

    package init(_ context: TraceContext) {
        self.context = context
    }
}

/// What became of a query. Every query has exactly one outcome.
package enum Outcome: Sendable {
    /// The model's output, UTF-8.
    case output(ArraySlice<UInt8>)
    /// The application's default output, and why.
    case defaultOutput(DefaultReason)
    /// The application's default output, because the model failed, and what it said.
    case failed(DefaultReason, String)
}

extension Outcome {
    /// Why it is the default output; `nil` where it is the model's.
    package var defaultReason: DefaultReason? {
        switch self {
        case .output: nil
        case .defaultOutput(let reason), .failed(let reason, _): reason
        }
    }

    /// The text for the application that says why; `nil` where the output is the model's.
    package var explanation: String? {
        switch self {
        case .output: nil
        case .defaultOutput(let reason): reason.explanation
        case .failed(let reason, let message): "\(reason.explanation): \(message)"
        }
    }
}

/// Why a query got the default output.
package enum DefaultReason: String, Hashable, Sendable, CaseIterable {
    /// The model has no live replica.
    case noReplica = "no_replica"
    /// The deadline passed.
    case deadline = "deadline"
    /// The query was in flight on two replicas that failed or were lost.
    case lostTwice = "lost_twice"
    /// The model's queue was full.
    case queueFull = "queue_full"
    /// The input alone takes more than what may wait for a model.
    case inputTooLarge = "input_too_large"
    /// No replica could have answered in time.
    case predictedLate = "predicted_late"
    /// The model failed for the query, and said why.
    case modelError = "model_error"
    /// The model cannot take the input, and said why.
    case invalidInput = "invalid_input"
    /// The models agree less than the application demands.
    case lowConfidence = "low_confidence"
    /// The model's version was deleted while the query waited.
    case modelDeleted = "model_deleted"
    /// The frontend is stopping.
    case stopping = "stopping"

    /// The text for the application; the first two are Clipper's.
    package var explanation: String {
        switch self {
        case .noReplica: "No connected models found for query"
        case .deadline: "Failed to retrieve a prediction response within the specified latency SLO"
        case .lostTwice: "The replicas that the query was sent to failed or were lost, twice"
        case .queueFull: "The model's queue is full"
        case .inputTooLarge:
            "The input is larger than all that may wait for a model (--max-queue-bytes), or than 256 MiB"
        case .predictedLate: "The query could not have been answered within its latency SLO"
        case .modelError: "The model failed"
        case .invalidInput: "The model cannot take the input"
        case .lowConfidence: "The models agree less than the application demands"
        case .modelDeleted: "The model was deleted while the query waited for it"
        case .stopping: "The query frontend is stopping"
        }
    }

    /// Whether there were too many queries: an application may have such a one refused instead.
    package var isOverload: Bool { self == .queueFull || self == .predictedLate }

    /// Whether the model was too slow, or seen to be.
    package var isLateness: Bool { isOverload || self == .deadline }

    /// Whether another model might have answered: it was too slow, or has failed.
    package var isModels: Bool { isLateness || self == .lostTwice || self == .modelError }
}
