import NIOCore
import NIOHTTP1

/// An answer of the query API before it becomes HTTP.
struct QueryReply {
    var status: HTTPResponseStatus
    var contentType: String = "application/json"
    var body: ByteBuffer
    var allowedMethod: String?
    /// When it is worth trying again.
    var retryAfter: Duration?
    /// Bytes that count as those of a body under way, until it is written.
    var heldBytes = 0

    /// An error as Clipper words it: what kind, and what was wrong.
    static func error(
        _ status: HTTPResponseStatus, _ error: String, cause: String, allowedMethod: String? = nil
    ) -> QueryReply {
        var body = ByteBuffer()
        body.writeStaticString("{\"error\":")
        body.writeJSONString(error.utf8)
        body.writeStaticString(",\"cause\":")
        body.writeJSONString(cause.utf8)
        body.writeStaticString("}")
        return QueryReply(status: status, body: body, allowedMethod: allowedMethod)
    }

    /// The answer to a query that is turned away because there are too many.
    static func overloaded(because explanation: String) -> QueryReply {
        var reply = error(.serviceUnavailable, "Overload", cause: explanation)
        // The least that the header can say: what has to be waited for is mostly over in less.
        reply.retryAfter = .seconds(1)
        return reply
    }

    /// From this size on, in bytes, a body is written by itself: to copy it takes longer than a second write.
    private static let longBody = 64 << 10

    /// The whole response, as HTTP/1.1 has it on the wire: in one piece, or, where its body is long, in two.
    ///
    /// - Parameters:
    ///   - date: the time, as its header tells it.
    ///   - connection: what becomes of the connection, where that has to be said.
    func response(date: String, connection: String?, withBody: Bool) -> (ByteBuffer, rest: ByteBuffer?) {
        let isLong = body.readableBytes >= Self.longBody
        var buffer = ByteBuffer()
        buffer.reserveCapacity(256 + (withBody && !isLong ? body.readableBytes : 0))
        buffer.writeStaticString("HTTP/1.1 ")
        if status == .ok {
            buffer.writeStaticString("200 OK")
        } else {
            buffer.writeString("\(status.code) \(status.reasonPhrase)")
        }
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(date)
        buffer.writeStaticString("\r\nContent-Type: ")
        buffer.writeString(contentType)
        buffer.writeStaticString("\r\nContent-Length: ")
        buffer.writeString(String(body.readableBytes))
        if let retryAfter { buffer.writeString("\r\nRetry-After: \(retryAfter.components.seconds)") }
        if let allowedMethod { buffer.writeString("\r\nAllow: \(allowedMethod)") }
        if let connection { buffer.writeString("\r\nConnection: \(connection)") }
        buffer.writeStaticString("\r\n\r\n")
        guard withBody else { return (buffer, nil) }
        guard !isLong else { return (buffer, body) }
        buffer.writeImmutableBuffer(body)
        return (buffer, nil)
    }

    /// The process serves.
    static var live: QueryReply { .text(.ok, "live\n") }

    /// Whether queries are taken.
    static func ready(isStopping: Bool) -> QueryReply {
        isStopping ? .text(.serviceUnavailable, "stopping\n") : .text(.ok, "ready\n")
    }

    static func text(_ status: HTTPResponseStatus, _ text: String) -> QueryReply {
        QueryReply(status: status, contentType: "text/plain; charset=utf-8", body: ByteBuffer(string: text))
    }
}

extension ByteBuffer {
    /// Writes the answer to one input: Clipper's keys in Clipper's order.
    ///
    /// - Parameter combined: what the application's policy tells beside it, where it has one that chooses.
    mutating func writePrediction(
        id: UInt64, _ outcome: Outcome, combined: Combined? = nil, route: Route, parser: PredictBodyParser
    ) {
        writeStaticString("{\"query_id\":")
        writeString(String(id))
        writeStaticString(",\"output\":")
        if case .output(let text) = outcome {
            writeOutput(text, parser: parser)
            writeStaticString(",\"default\":false")
        } else {
            writeOutput(ArraySlice(route.defaultOutput.utf8), parser: parser)
            writeStaticString(",\"default\":true,\"default_explanation\":")
            writeJSONString((outcome.explanation ?? "").utf8)
        }
        if let combined { write(combined) }
        writeStaticString("}")
    }

    private mutating func write(_ combined: Combined) {
        writeStaticString(",\"models\":[")
        for (index, model) in combined.models.enumerated() {
            if index > 0 { writeStaticString(",") }
            writeJSONString(model.utf8)
        }
        writeStaticString("],\"confidence\":")
        // Most have one model, or all agree.
        writeString(combined.confidence == 1 ? "1" : combined.confidence == 0 ? "0" : "\(combined.confidence)")
    }

    /// Writes an output: as it is where it is JSON, which keeps every digit, else as a string.
    private mutating func writeOutput(_ text: ArraySlice<UInt8>, parser: PredictBodyParser) {
        if parser.isJSON(text) {
            writeBytes(text)
        } else {
            writeJSONString(text)
        }
    }
}
