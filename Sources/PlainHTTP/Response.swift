/// A whole response of HTTP/1.x.
package struct Response: Equatable, Sendable {
    /// The status code.
    package var status: Int
    /// The body, without the marks of chunks.
    package var body: ArraySlice<UInt8>
    /// Whether the connection takes another request.
    package var keepsConnection: Bool

    /// No server has more to say before its answer.
    private static let mostInterim = 100

    /// Reads the response at the start of these bytes, which came in answer to one request.
    ///
    /// - Parameters:
    ///   - isAtEnd: whether the connection has ended, so that no more bytes will come.
    ///   - mostBytes: the longest chunk that is taken.
    /// - Returns: `nil` while the response is not complete.
    /// - Throws: ``MalformedResponse``.
    package static func read(
        _ bytes: ArraySlice<UInt8>, isAtEnd: Bool = false, mostBytes: Int = Int(UInt32.max)
    ) throws(MalformedResponse) -> Response? {
        var rest = bytes
        // Interim responses come before the one that counts.
        for _ in 0...mostInterim {
            guard let head = try ResponseHead.read(rest) else { return nil }
            rest = rest[(rest.startIndex + head.length)...]
            if head.status >= 200 { return try response(head, rest, isAtEnd, mostBytes) }
        }
        throw MalformedResponse(reason: "it has more than \(mostInterim) interim responses")
    }

    /// The response with this head; `nil` while its body, the rest, is not complete.
    private static func response(
        _ head: ResponseHead, _ rest: ArraySlice<UInt8>, _ isAtEnd: Bool, _ mostBytes: Int
    ) throws(MalformedResponse) -> Response? {
        switch head.framing {
        case .length(let length):
            guard rest.count >= length else { return nil }
            return Response(
                status: head.status, body: rest.prefix(length),
                // Bytes that nobody asked for would be taken for the next answer.
                keepsConnection: head.keepsConnection && rest.count == length)
        case .chunked:
            guard let (body, length) = try unchunk(rest, mostBytes) else { return nil }
            return Response(
                status: head.status, body: body[...], keepsConnection: head.keepsConnection && rest.count == length)
        case .untilClose:
            return isAtEnd ? Response(status: head.status, body: rest, keepsConnection: false) : nil
        }
    }

    /// Puts chunks together; `nil` while the last one is missing. Trailers are skipped.
    private static func unchunk(
        _ bytes: ArraySlice<UInt8>, _ mostBytes: Int
    ) throws(MalformedResponse) -> (body: [UInt8], length: Int)? {
        var body: [UInt8] = []
        var rest = bytes
        while let line = line(of: rest) {
            let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), (0...mostBytes).contains(size)
            else { throw MalformedResponse(reason: "it has a chunk of the size \(MalformedResponse.quoted(digits))") }
            rest = rest[(line.endIndex + 2)...]
            guard size > 0 else {
                while let trailer = Self.line(of: rest) {
                    rest = rest[(trailer.endIndex + 2)...]
                    if trailer.isEmpty { return (body, rest.startIndex - bytes.startIndex) }
                }
                return nil
            }
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest[(rest.startIndex + size + 2)...]
        }
        return nil
    }

    /// The bytes before the first CR LF.
    private static func line(of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = bytes.indices.dropLast().first(where: { bytes[$0] == 0x0D && bytes[$0 + 1] == 0x0A }) else {
            return nil
        }
        return bytes[..<end]
    }
}
