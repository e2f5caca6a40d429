/// A frontend's query API.
struct QueryClient: Sendable {
    private let client: FrontendClient

    /// - Parameter patience: how long an answer may take.
    init(
        address: FrontendAddress, patience: Duration,
        transport: any FrontendTransport = PatientTransport(base: HTTPTransport())
    ) {
        client = FrontendClient(face: .query, address: address, patience: patience, transport: transport)
    }

    /// Asks an application for predictions.
    ///
    /// - Parameter options: What goes along with the inputs.
    /// - Returns: The answer and its text.
    /// - Throws: ``CommandFailure``.
    func predict(
        _ inputs: [PredictInput], application: String, _ options: PredictOptions = PredictOptions()
    ) async throws -> (answer: PredictAnswer, json: String) {
        let request = Self.request(inputs, application: application, options)
        let body: String
        do {
            body = try await client.body(of: request)
        } catch var failure as CommandFailure {
            if case .refused = failure.cause { failure.advice = PredictBody.advice(for: inputs) ?? failure.advice }
            throw failure
        }
        guard let answer = PredictAnswer(body), answer.outputs.count == inputs.count else {
            throw client.unreadable("its answer has another form")
        }
        return (answer, body)
    }

    /// The request for predictions.
    static func request(
        _ inputs: [PredictInput], application: String, _ options: PredictOptions = PredictOptions()
    ) -> FrontendRequest {
        FrontendRequest(method: "POST", path: [application, "predict"], body: PredictBody.make(inputs, options))
    }

    /// Tells an application what an answer should have been, or was worth.
    ///
    /// - Returns: What the frontend says, JSON or Clipper's words.
    /// - Throws: ``CommandFailure``.
    func update(_ feedback: FeedbackPiece, application: String) async throws -> String {
        do {
            return try await client.body(
                of: FrontendRequest(method: "POST", path: [application, "update"], body: feedback.body))
        } catch var failure as CommandFailure {
            // The application is known then, and what the address names is a query port.
            if failure.message.hasPrefix("Unknown query:") { failure.advice = nil }
            if case .input(let input, _) = feedback.subject, case .refused = failure.cause {
                failure.advice = PredictBody.advice(for: [input]) ?? failure.advice
            }
            throw failure
        }
    }
}
