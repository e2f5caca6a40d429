public import ContainerRPC

/// For programs that embed the frontend: what clients ask over REST.
extension QueryFrontend {
    /// Asks an application, from within this process.
    ///
    /// - Parameter user: who asks, for policies that learn for each user.
    /// - Returns: one prediction for each input, in order, each within the application's SLO.
    /// - Throws: `QueryError`.
    public func predict(_ application: String, _ inputs: InputValues, user: String? = nil) async throws -> [Prediction]
    {
        let arrived = MonotonicTime.now()
        if let problem = inputs.problem { throw QueryError.malformedInputs(problem) }
        let route = try route(to: application, inputs.type)
        let payloads = inputs.payloads
        let firstID = queryServer.takeQueryIDs(payloads.count)
        let deliveries = await direct.sink.outcomes(of: payloads.count) { number in
            let submission = Submission(
                sink: direct.number, request: number, application: route.handle, model: route.current?.handle,
                inputType: route.inputType, inputs: .many(payloads), firstQueryID: firstID, selects: route.selects,
                user: user, keys: keys(of: payloads, route), arrived: arrived, deadline: arrived + route.slo)
            if !dispatcher.submit(submission) {
                direct.sink.deliver(submission.deliveries(.defaultOutput(.stopping)))
            }
        }
        return deliveries.enumerated().map { index, delivery in
            let output: String =
                if case .output(let text) = delivery.outcome {
                    String(decoding: text, as: UTF8.self)
                } else {
                    route.defaultOutput
                }
            return Prediction(
                output: output, defaultExplanation: delivery.outcome.explanation, queryID: firstID + UInt64(index),
                models: delivery.combined?.models ?? [], confidence: delivery.combined?.confidence)
        }
    }

    /// Tells an application what an answer should have been, or was worth, from within this process.
    ///
    /// - Returns: true once what it taught is durable; false where feedback of its id had counted already.
    /// - Throws: `QueryError`, and `FeedbackError` where nothing was learned.
    @discardableResult
    public func update(_ application: String, _ feedback: Feedback) async throws -> Bool {
        let arrived = MonotonicTime.now()
        let subject: SelectedFeedback.Subject
        var inputType: InputType?
        switch feedback.subject {
        case .input(let input, let label):
            if let problem = input.problem { throw QueryError.malformedInputs(problem) }
            guard let payload = input.payloads.first, input.count == 1 else { throw FeedbackError.oneInputExpected }
            inputType = input.type
            subject = .input(payload, label)
        case .query(let id, let label):
            subject = .query(id, .label(label))
        case .reward(let id, let reward):
            guard (0...1).contains(reward) else { throw FeedbackError.rewardOutOfRange(reward) }
            subject = .query(id, .reward(reward))
        }
        let route = try route(to: application, inputType)
        let result = await direct.sink.result { number in
            let selected = SelectedFeedback(
                waiter: Waiter(
                    ticket: Ticket(sink: direct.number, request: number, item: 0), application: route.handle,
                    arrived: arrived, deadline: arrived + max(route.slo, QueryLoop.leastFeedbackTime)),
                subject: subject, inputType: inputType, user: feedback.user, id: feedback.id)
            if !dispatcher.submit([selected]) {
                direct.sink.acknowledge([
                    SelectorEffects.Acknowledgement(ticket: selected.waiter.ticket, result: .stopping)
                ])
            }
        }
        switch result {
        case .counted: return true
        case .duplicate: return false
        case .unknownQuery: throw FeedbackError.unknownQuery
        case .noAnswer: throw FeedbackError.noAnswer
        case .incomparable: throw FeedbackError.incomparable(route.loss)
        case .noOutput: throw FeedbackError.noOutput
        case .notDurable(let reason): throw FeedbackError.notDurable(reason)
        case .notLearning: throw FeedbackError.notLearning
        case .stopping: throw FeedbackError.stopping
        }
    }

    /// Waits until each model that an application is linked to has a replica. Containers register by themselves, a moment
    /// after their start.
    ///
    /// - Returns: whether they have, within the time; false, too, where the task is cancelled.
    public func waitUntilServed(_ application: String, within limit: Duration) async -> Bool {
        let end = ContinuousClock.now + limit
        while await !isServed(application) {
            guard ContinuousClock.now < end, !Task.isCancelled else { return false }
            // Nothing tells of a registration, and a look costs the dispatch thread microseconds. Only a cancelled task
            // does not sleep, which is seen above.
            try? await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    private func isServed(_ application: String) async -> Bool {
        let catalog = published.catalog
        guard let models = catalog.applications[application]?.linkedModels, !models.isEmpty else { return false }
        let replicas = await status().replicas.filter { $0.state == ReplicaLoad.State.active.rawValue }
        return models.allSatisfy { name in
            guard let version = catalog.currentModel(named: name)?.id.version else { return false }
            return replicas.contains { $0.modelName == name && $0.modelVersion == version }
        }
    }

    private func route(to application: String, _ inputType: InputType?) throws -> Route {
        guard let route = published.routes[application: application] else {
            throw QueryError.unknownApplication(application)
        }
        if let inputType, route.inputType != inputType {
            throw QueryError.wrongInputType(expected: route.inputType.name, found: inputType.name)
        }
        return route
    }

    private func keys(of inputs: [Payload], _ route: Route) -> [CacheKey] {
        guard let model = route.current, !route.selects, model.caches, dispatcher.cache.isOn else { return [] }
        return inputs.map { CacheKey(model: model.handle, input: $0) }
    }
}

/// What the right answer would have been, or what the answer that was given is worth.
public struct Feedback: Sendable {
    /// What is judged.
    public enum Subject: Sendable {
        /// One input with its label: the models are asked, or the cache.
        case input(InputValues, Label)
        /// A prediction, by its `queryID`, with its label.
        case query(UInt64, Label)
        /// A prediction, by its `queryID`, with what it is worth: 0 to 1.
        case reward(UInt64, Double)
    }

    /// What is judged.
    public var subject: Subject
    /// Whose feedback it is; a query's is its user's.
    public var user: String?
    /// Feedback that is sent twice under one id counts once.
    public var id: String?

    /// Feedback of these parts.
    public init(_ subject: Subject, user: String? = nil, id: String? = nil) {
        self.subject = subject
        self.user = user
        self.id = id
    }
}

/// Why nothing was learned from feedback.
public enum FeedbackError: Error, Hashable, Sendable {
    /// An input is judged by itself.
    case oneInputExpected
    /// A reward is 0 to 1.
    case rewardOutOfRange(Double)
    /// No query of this id is known, or it is too long ago.
    case unknownQuery
    /// No model has answered the input, or had answered the query.
    case noAnswer
    /// The label cannot be compared with what the models answered, by the application's loss.
    case incomparable(Loss)
    /// The query got the default output, which a reward cannot judge.
    case noOutput
    /// What was learned could not be kept, for this reason; it has not counted.
    case notDurable(String)
    /// The application has no policy that learns, or was deleted while the feedback was under way.
    case notLearning
    /// The frontend is stopping.
    case stopping
}

extension FeedbackError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .oneInputExpected: "feedback judges one input at a time"
        case .rewardOutOfRange(let reward): "a reward is a number from 0 to 1; \(reward) was given"
        case .unknownQuery: "no query of this id is known, or it is too long ago for feedback"
        case .noAnswer: "no model has answered, so that nothing could be learned"
        case .incomparable(let loss):
            "the label cannot be compared with what the models answered by the loss '\(loss.rawValue)'"
        case .noOutput: "the query got the default output, which a reward cannot judge; a label can"
        case .notDurable(let reason): "nothing was learned, because it could not be kept: \(reason)"
        case .notLearning: "the application has no policy that learns, or was deleted meanwhile"
        case .stopping: "nothing was learned: the query frontend is stopping"
        }
    }
}
