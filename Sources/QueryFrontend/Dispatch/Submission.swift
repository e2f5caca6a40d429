package import ContainerRPC

/// The inputs of one request on their way to the dispatch thread.
package struct Submission: Sendable {
    /// Whom the outcomes go to.
    package var sink: Int
    /// The request's number there.
    package var request: UInt64
    package var application: ApplicationHandle
    /// `nil` where the application has no linked model.
    package var model: ModelHandle?
    /// What the inputs were read as.
    package var inputType: InputType
    package var inputs: Inputs
    /// The id of the first input, as the application is told it; the others follow.
    package var firstQueryID: UInt64 = 0
    /// Whether the application's policy chooses the models.
    package var selects = false
    /// Who asks, where the request says so.
    package var user: String?
    /// The key of each input, where the model's outputs may be kept and shared; else none.
    package var keys: [CacheKey] = []
    package var trace: QueryTrace?
    package var arrived: MonotonicTime
    package var deadline: MonotonicTime

    package init(
        sink: Int, request: UInt64, application: ApplicationHandle, model: ModelHandle? = nil, inputType: InputType,
        inputs: Inputs, firstQueryID: UInt64 = 0, selects: Bool = false, user: String? = nil, keys: [CacheKey] = [],
        trace: QueryTrace? = nil, arrived: MonotonicTime, deadline: MonotonicTime
    ) {
        self.sink = sink
        self.request = request
        self.application = application
        self.model = model
        self.inputType = inputType
        self.inputs = inputs
        self.firstQueryID = firstQueryID
        self.selects = selects
        self.user = user
        self.keys = keys
        self.trace = trace
        self.arrived = arrived
        self.deadline = deadline
    }

    /// Who waits for one of its inputs.
    func waiter(_ item: Int) -> Waiter {
        Waiter(
            ticket: Ticket(sink: sink, request: request, item: item), application: application, arrived: arrived,
            deadline: deadline)
    }

    /// The same outcome for each of its inputs.
    package func deliveries(_ outcome: Outcome) -> [Delivery] {
        (0..<inputs.count).map { Delivery(request: request, item: $0, outcome: outcome) }
    }

    /// One input, which is the common case and needs no array, or several.
    package enum Inputs: Sendable {
        case one(Payload)
        case many([Payload])

        package var count: Int {
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
package struct Delivery: Sendable {
    package var request: UInt64
    package var item: Int
    package var outcome: Outcome
    /// What the application's policy tells of it, where it has one that chooses.
    package var combined: Combined?
}

/// Where the dispatch thread takes outcomes: an event loop, or a program that embeds the frontend.
protocol OutcomeSink: Sendable {
    /// Takes the outcomes of one turn. Called on the dispatch thread, or by the one who asks when that has ended; must not
    /// block.
    func deliver(_ deliveries: [Delivery])
    /// Takes what became of feedback, as it takes outcomes.
    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement])
}

extension OutcomeSink {
    /// Whoever sends no feedback gets none of these.
    func acknowledge(_ acknowledgements: [SelectorEffects.Acknowledgement]) {}
}
