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
    var inputs: Inputs
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
    }
}

/// The outcome of one input of a request.
struct Delivery: Sendable {
    var request: UInt64
    var item: Int
    var outcome: Outcome
}

/// Where the dispatch thread takes outcomes: an event loop, or a program that embeds the frontend.
protocol OutcomeSink: Sendable {
    /// Takes the outcomes of one turn. Called on the dispatch thread; must not block.
    func deliver(_ deliveries: [Delivery])
}
