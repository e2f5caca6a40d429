import ContainerRPC

/// A model version by its number in the frontend, so that no name is hashed on the query path.
struct ModelHandle: Hashable, Sendable {
    var index: Int
}

/// An application by its number in the frontend.
struct ApplicationHandle: Hashable, Sendable {
    var index: Int
}

/// Whom to give the outcome of a query: a sink, one of its requests, and the input's place in that.
struct Ticket: Hashable, Sendable {
    var sink: Int
    var request: UInt64
    var item: Int
}

/// One input on its way to one model.
struct Query: Sendable {
    var ticket: Ticket
    var application: ApplicationHandle
    var model: ModelHandle
    var input: Payload
    /// When the request arrived.
    var arrived: MonotonicTime
    /// When the outcome is due, whatever it then is.
    var deadline: MonotonicTime
    /// How often it was in flight on a replica that was lost.
    var losses = 0
}

/// What became of a query. Every query has exactly one outcome.
enum Outcome: Sendable {
    /// The model's output, UTF-8.
    case output(ArraySlice<UInt8>)
    /// The application's default output, and why.
    case defaultOutput(DefaultReason)
}

/// Why a query got the default output.
enum DefaultReason: String, Hashable, Sendable, CaseIterable {
    /// The model has no live replica.
    case noReplica = "no_replica"
    /// The deadline passed.
    case deadline = "deadline"
    /// The replica failed or was lost twice.
    case lostTwice = "lost_twice"
    /// The model's version was deleted while the query waited.
    case modelDeleted = "model_deleted"
    /// The frontend is stopping.
    case stopping = "stopping"

    /// The text for the application; the first two are Clipper's.
    var explanation: String {
        switch self {
        case .noReplica: "No connected models found for query"
        case .deadline: "Failed to retrieve a prediction response within the specified latency SLO"
        case .lostTwice: "The replicas that the query was sent to failed or were lost, twice"
        case .modelDeleted: "The model was deleted while the query waited for it"
        case .stopping: "The query frontend is stopping"
        }
    }
}
