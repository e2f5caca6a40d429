/// A request to a frontend.
struct FrontendRequest: Equatable, Sendable {
    /// The HTTP method.
    var method: String
    /// The segments of the path, not encoded.
    var path: [String]
    /// The body; `nil` for none.
    var body: RawJSON?
}

/// A frontend's answer.
struct FrontendReply: Equatable, Sendable {
    /// The HTTP status code.
    var status: Int
    /// The body.
    var body: String
}

/// Why no answer came.
enum NoAnswerError: Error, Equatable {
    /// Nobody listens there.
    case refused
    /// The host's name has no address.
    case unknownHost
    /// The answer was not there in time.
    case silent
    /// The connection was closed before the answer, or within it.
    case lost
    /// Something answered, but not as a frontend does: what was wrong with the answer.
    case noFrontend(String)
    /// Anything else, in the system's words.
    case other(String)
}

/// What carries requests to a frontend.
protocol FrontendTransport: Sendable {
    /// Sends one request and waits for its answer.
    ///
    /// - Parameter patience: How long it may take, to the last byte of the answer.
    /// - Throws: ``NoAnswerError``.
    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply
}
