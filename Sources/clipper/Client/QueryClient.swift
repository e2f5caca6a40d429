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
    /// - Parameter version: The version to ask; `nil` for the current one.
    /// - Returns: The answer and its text.
    /// - Throws: ``CommandFailure``.
    func predict(
        _ inputs: [PredictInput], application: String, version: String?
    ) async throws -> (answer: PredictAnswer, json: String) {
        let request = Self.request(inputs, application: application, version: version)
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
    static func request(_ inputs: [PredictInput], application: String, version: String?) -> FrontendRequest {
        FrontendRequest(
            method: "POST", path: [application, "predict"], body: PredictBody.make(inputs, version: version))
    }
}
