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
    /// Nothing came for too long.
    case silent
    /// Anything else, in the system's words.
    case other(String)
}

/// What carries requests to a frontend.
protocol FrontendTransport: Sendable {
    /// Sends one request and waits for its answer.
    ///
    /// - Parameter patience: How long nothing may come before the frontend counts as gone.
    /// - Throws: ``NoAnswerError``.
    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply
}
