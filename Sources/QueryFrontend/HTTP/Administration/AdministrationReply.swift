import Foundation

/// The answer to one administration request, before it becomes HTTP.
package struct AdministrationReply: Sendable, Equatable {
    /// What kind of text the body is.
    package enum Format: Sendable, Equatable {
        /// Plain text for people.
        case text
        /// JSON.
        case json
    }

    /// The HTTP status code.
    var status: Int
    /// What kind of text the body is.
    var format: Format
    /// The body.
    package var body: String
    /// The method that the path takes, where the request came with another.
    var allowedMethod: String?

    /// A reply from its parts.
    init(status: Int, format: Format, body: String, allowedMethod: String? = nil) {
        self.status = status
        self.format = format
        self.body = body
        self.allowedMethod = allowedMethod
    }

    /// A 200 with plain text.
    static func text(_ body: String) -> Self {
        AdministrationReply(status: 200, format: .text, body: body)
    }

    /// A 200 with `value` as JSON.
    package static func json(_ value: some Encodable) throws -> Self {
        AdministrationReply(status: 200, format: .json, body: try encode(value))
    }

    /// A plain text for a request that was not carried out.
    static func failure(_ status: Int, _ message: String) -> Self {
        AdministrationReply(status: status, format: .text, body: message)
    }

    static func notFound(path: String) -> Self {
        refusal(404, error: "Path not found", cause: "No path \(path.prefix(256)) exists here")
    }

    static func foreign(origin: String) -> Self {
        refusal(
            403, error: "Foreign origin",
            cause: "A page of \(origin.prefix(256)) asks, and administration is for pages of this address alone")
    }

    static func methodNotAllowed(path: String, method: String, allowed: String) -> Self {
        var reply = refusal(
            405, error: "Method not allowed", cause: "\(path.prefix(256)) takes \(allowed), not \(method.prefix(32))")
        reply.allowedMethod = allowed
        return reply
    }

    private static func refusal(_ status: Int, error: String, cause: String) -> Self {
        // Strings always have a JSON form.
        let body = (try? encode(["error": error, "cause": cause])) ?? "{}"
        return AdministrationReply(status: status, format: .json, body: body)
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON has no NaN: an observer that gives one should not cost the operator the rest of the status.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
