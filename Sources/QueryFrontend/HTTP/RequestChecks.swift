import NIOHTTP1

/// What can be said of a request by its head alone, at whichever port it comes.
extension HTTPRequestHead {
    /// What the client waits for before it sends the body.
    enum Expectation {
        case none
        /// A word that it is welcome.
        case goAhead
        /// Something that this server knows nothing of.
        case unknown
    }

    /// Why the request is not taken; `nil` where it is.
    ///
    /// - Parameter largestBody: in bytes.
    func problem(largestBody: Int) -> QueryReply? {
        // One that no integer holds is no shorter.
        if let length = headers.first(name: "content-length"),
            Int(length) ?? Int(length.trimmingSpace) ?? .max > largestBody
        {
            return .tooLarge(largestBody: largestBody)
        }
        // Looking for a header costs little, and taking its values apart much: hardly any request has these.
        if headers.contains(name: "transfer-encoding"),
            let coding = headers[canonicalForm: "transfer-encoding"].first(where: { $0.lowercased() != "chunked" })
        {
            return .error(
                .notImplemented, "Unknown transfer coding",
                cause: "Bodies come as they are or chunked, not as \(coding.prefix(32))")
        }
        if headers.contains(name: "content-encoding"),
            let coding = headers[canonicalForm: "content-encoding"].first(where: {
                !$0.isEmpty && $0.lowercased() != "identity"
            })
        {
            return .error(
                .unsupportedMediaType, "Unsupported content encoding",
                cause: "Bodies are read as they are, not as \(coding.prefix(32))")
        }
        let hosts = headers["host"]
        if hosts.count > 1 || hosts.first?.utf8.contains(UInt8(ascii: ",")) == true {
            return .error(.badRequest, "HTTP error", cause: "A request has one Host header")
        }
        if expectation == .unknown {
            return .error(.expectationFailed, "Expectation failed", cause: "Only 100-continue is known")
        }
        return nil
    }

    /// HTTP/1.0 has no interim answers.
    var expectation: Expectation {
        guard version.minor > 0, let expected = headers.first(name: "expect") else { return .none }
        return expected.trimmingSpace.lowercased() == "100-continue" ? .goAhead : .unknown
    }

    /// Whether the connection goes on behind the answer.
    var keepsConnection: Bool { isKeepAlive && method != .CONNECT && !mayBeOffer }

    /// Whether nobody can say if the parser takes this for an offer to change the protocol, behind which it reads no
    /// further: it reads lists of words otherwise than everybody where a tab is in them, and `Proxy-Connection`.
    private var mayBeOffer: Bool {
        headers["connection"].contains { $0.utf8.contains(0x09) }
            || (headers.contains(name: "upgrade") && headers.contains(name: "proxy-connection"))
    }
}

extension String {
    /// Without the white space that may stand around a header's value.
    fileprivate var trimmingSpace: Substring {
        let rest = drop { $0 == " " || $0 == "\t" }
        return rest[..<(rest.lastIndex { $0 != " " && $0 != "\t" }.map(rest.index(after:)) ?? rest.startIndex)]
    }
}

extension QueryReply {
    static func tooLarge(largestBody: Int) -> QueryReply {
        .error(.payloadTooLarge, "Body too large", cause: "The body is longer than \(largestBody) bytes")
    }

    static var tooLate: QueryReply {
        .error(.requestTimeout, "Request timeout", cause: "The body did not come in time")
    }

    /// The answer to what is no HTTP, as the parser says.
    static func broken(_ error: HTTPParserError) -> QueryReply {
        let status: HTTPResponseStatus = error == .headerOverflow ? .requestHeaderFieldsTooLarge : .badRequest
        // The parser has no words for what it has no name for, such as two lengths that contradict each other; it pauses at
        // the first line of HTTP/2, which clients send that take every server for one of it.
        let words = "\(error)"
        let cause =
            error == .paused
            ? "Only HTTP/1.1 is spoken here, not HTTP/2"
            : words.hasPrefix("unknown") ? "The request is no valid HTTP/1.1" : words
        return .error(status, "HTTP error", cause: cause)
    }

    static func tooManyConnections(_ limit: Int) -> QueryReply {
        var reply = error(
            .serviceUnavailable, "Too many connections", cause: "\(limit) connections are open, which is the limit")
        reply.retryAfter = .seconds(1)
        return reply
    }
}
