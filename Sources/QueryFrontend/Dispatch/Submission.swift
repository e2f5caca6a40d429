import ContainerRPC

/// The inputs of one request on their way to the dispatch thread.
struct Submission: Sendable {
    /// Whom the outcomes go to.
    var sink: Int
    /// The request's number there.
    var request: UInt64
    var application: ApplicationHandle
    /// `nil` where the application has no linked model.
    var model: ModelHandle?
    /// What the inputs were read as.
    var inputType: InputType
    var inputs: Inputs
    /// The id of the first input, as the application is told it; the others follow.
    var firstQueryID: UInt64 = 0
    /// Whether the application's policy chooses the models.
    var selects = false
    /// Who asks, where the request says so.
    var user: String?
    /// The key of each input, where the model's outputs may be kept and shared; else none.
    var keys: [CacheKey] = []
    var trace: QueryTrace?
    var arrived: MonotonicTime
    var deadline: MonotonicTime

    /// The same outcome for each of its inputs.
    func deliveries(_ outcome: Outcome) -> [Delivery] {
        (0..<inputs.count).map { Delivery(request: request, item: $0, outcome: outcome) }
    }

    /// One input, which is the common case and needs no array, or several.
    enum Inputs: Sendable {
        case one(Payload)
        case many([Payload])

        var count: Int {
            switch self {
            case .one: 1
            case .many(let payloads): payloads.count
            }
        }

        /// The input at a place.
        subscript(item: Int) -> Payload {
            switch self {
            case .one(let payload): payload
            case .many(let payloads): payloads[item]
            }
        }
    }
}

/// The outcome of one input of a request.
struct Delivery: Sendable {
    var request: UInt64
    var item: Int
    var outcome: Outcome
    /// What the application's policy tells of it, where it has one that chooses.
    var combined: Combined?
}

/// Where the dispatch thread takes outcomes: an event loop, or a program that embeds the frontend.
protocol OutcomeSink: Sendable {
    /// Takes the outcomes of one turn. Called on the dispatch thread; must not block.
    func deliver(_ deliveries: [Delivery])
    /// Takes what became of feedback. Called on the dispatch thread; must not block.
    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement])
}

extension OutcomeSink {
    /// Whoever sends no feedback gets none of these.
    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement]) {}
}
