import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

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

/// HTTP by Foundation.
struct URLSessionTransport: FrontendTransport {
    private let session = URLSession(configuration: .ephemeral)

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        guard let url = address.url(path: request.path) else {
            throw NoAnswerError.other("\(address) makes no URL")
        }
        var urlRequest = URLRequest(url: url)
        urlRequest.httpMethod = request.method
        urlRequest.timeoutInterval = TimeInterval(patience.components.seconds)
        if let body = request.body {
            urlRequest.setValue("application/json", forHTTPHeaderField: "Content-Type")
            urlRequest.httpBody = Data(body.text.utf8)
        }
        do {
            let (data, response) = try await session.data(for: urlRequest)
            guard let http = response as? HTTPURLResponse else {
                throw NoAnswerError.other("the answer is not HTTP")
            }
            return FrontendReply(status: http.statusCode, body: String(decoding: data, as: UTF8.self))
        } catch let error as URLError {
            throw switch error.code {
            case .cannotConnectToHost: NoAnswerError.refused
            case .cannotFindHost, .dnsLookupFailed: NoAnswerError.unknownHost
            case .timedOut: NoAnswerError.silent
            default: NoAnswerError.other(error.localizedDescription)
            }
        }
    }
}
