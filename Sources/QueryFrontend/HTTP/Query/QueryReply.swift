import NIOCore
import NIOHTTP1

/// An answer of the query API before it becomes HTTP.
struct QueryReply {
    var status: HTTPResponseStatus
    var contentType: String = "application/json"
    var body: ByteBuffer
    var allowedMethod: String?

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

    /// The whole response, as HTTP/1.1 has it on the wire.
    ///
    /// - Parameter connection: what becomes of the connection, where that has to be said.
    func response(connection: String?, withBody: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(192 + (withBody ? body.readableBytes : 0))
        buffer.writeStaticString("HTTP/1.1 ")
        if status == .ok {
            buffer.writeStaticString("200 OK")
        } else {
            buffer.writeString("\(status.code) \(status.reasonPhrase)")
        }
        buffer.writeStaticString("\r\nContent-Type: ")
        buffer.writeString(contentType)
        buffer.writeStaticString("\r\nContent-Length: ")
        buffer.writeString(String(body.readableBytes))
        if let allowedMethod { buffer.writeString("\r\nAllow: \(allowedMethod)") }
        if let connection { buffer.writeString("\r\nConnection: \(connection)") }
        buffer.writeStaticString("\r\n\r\n")
        if withBody { buffer.writeImmutableBuffer(body) }
        return buffer
    }

    static func text(_ status: HTTPResponseStatus, _ text: String) -> QueryReply {
        QueryReply(status: status, contentType: "text/plain; charset=utf-8", body: ByteBuffer(string: text))
    }
}

extension ByteBuffer {
    /// Writes the answer to one input: Clipper's keys in Clipper's order.
    mutating func writePrediction(id: UInt64, _ outcome: Outcome, route: Route, parser: PredictBodyParser) {
        writeStaticString("{\"query_id\":")
        writeString(String(id))
        writeStaticString(",\"output\":")
        switch outcome {
        case .output(let text):
            writeOutput(text, parser: parser)
            writeStaticString(",\"default\":false}")
        case .defaultOutput(let reason):
            writeOutput(ArraySlice(route.defaultOutput.utf8), parser: parser)
            writeStaticString(",\"default\":true,\"default_explanation\":")
            writeJSONString(reason.explanation.utf8)
            writeStaticString("}")
        }
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
