/// A response that is not HTTP/1.x, in few words.
package struct MalformedResponse: Error, Equatable {
    package let reason: String

    /// What was sent instead, as far as it tells.
    static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
        "'" + String(decoding: bytes.prefix(60), as: UTF8.self) + (bytes.count > 60 ? "…'" : "'")
    }
}

/// The head of an HTTP/1.x response: as much of it as a client of one request at a time has to know (RFC 9112).
struct ResponseHead: Equatable, Sendable {
    /// Where the body ends.
    enum Framing: Equatable, Sendable {
        /// After this many bytes.
        case length(Int)
        /// After the last chunk.
        case chunked
        /// With the connection.
        case untilClose
    }

    /// The status code.
    var status: Int
    /// The bytes of the head, with the blank line.
    var length: Int
    /// Where the body ends.
    var framing: Framing
    /// Whether the connection takes another request.
    var keepsConnection: Bool

    private static let longestHead = 64 << 10
    private static let contentLength = Array("content-length".utf8)
    private static let transferEncoding = Array("transfer-encoding".utf8)
    private static let connection = Array("connection".utf8)

    /// Reads the head at the start of these bytes; `nil` while it is not complete.
    ///
    /// - Throws: ``MalformedResponse``.
    static func read(_ bytes: ArraySlice<UInt8>) throws(MalformedResponse) -> ResponseHead? {
        guard let statusEnd = try lineEnd(in: bytes, from: bytes.startIndex) else { return nil }
        var head = try statusLine(bytes[..<statusEnd])
        var lineStart = statusEnd + 2
        while let end = try lineEnd(in: bytes, from: lineStart) {
            if end == lineStart {
                head.length = end + 2 - bytes.startIndex
                if head.status < 200 || head.status == 204 || head.status == 304 { head.framing = .length(0) }
                return head
            }
            try head.readField(bytes[lineStart..<end])
            lineStart = end + 2
        }
        return nil
    }

    /// Where the line that starts here ends; `nil` where the bytes end before it does.
    private static func lineEnd(in bytes: ArraySlice<UInt8>, from start: Int) throws(MalformedResponse) -> Int? {
        var index = start
        while index + 1 < bytes.endIndex {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A { return index }
            index += 1
        }
        guard bytes.count < longestHead else { throw MalformedResponse(reason: "its head does not end") }
        return nil
    }

    /// `HTTP/1.1 200 OK`
    private static func statusLine(_ line: ArraySlice<UInt8>) throws(MalformedResponse) -> ResponseHead {
        let codeStart = line.startIndex + 9
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line[codeStart - 1] == 0x20,
            let status = number(in: line[codeStart..<(codeStart + 3)]), status >= 100
        else { throw MalformedResponse(reason: "it does not begin as HTTP/1.1 does") }
        return ResponseHead(
            status: status, length: 0, framing: .untilClose, keepsConnection: line[codeStart - 2] == UInt8(ascii: "1"))
    }

    private mutating func readField(_ line: ArraySlice<UInt8>) throws(MalformedResponse) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw MalformedResponse(reason: "a line of its head is no field")
        }
        let name = line[..<colon]
        func value() -> ArraySlice<UInt8> {
            var value = line[(colon + 1)...]
            while let byte = value.first, byte == 0x20 || byte == 0x09 { value.removeFirst() }
            while let byte = value.last, byte == 0x20 || byte == 0x09 { value.removeLast() }
            return value
        }
        // Three names matter; their lengths tell most others from them.
        switch name.count {
        case Self.contentLength.count where Self.isEqual(name, Self.contentLength):
            let value = value()
            guard let length = Self.number(in: value) else {
                throw MalformedResponse(reason: "its Content-Length is \(MalformedResponse.quoted(value))")
            }
            if framing != .chunked { framing = .length(length) }
        case Self.transferEncoding.count where Self.isEqual(name, Self.transferEncoding):
            guard Self.isEqual(value(), Array("chunked".utf8)) else {
                throw MalformedResponse(reason: "its Transfer-Encoding is not 'chunked'")
            }
            framing = .chunked
        case Self.connection.count where Self.isEqual(name, Self.connection):
            let value = value()
            if Self.isEqual(value, Array("close".utf8)) { keepsConnection = false }
            if Self.isEqual(value, Array("keep-alive".utf8)) { keepsConnection = true }
        default:
            break
        }
    }

    /// Compares without regard to the case of ASCII letters.
    private static func isEqual(_ bytes: ArraySlice<UInt8>, _ lowercase: [UInt8]) -> Bool {
        bytes.count == lowercase.count
            && zip(bytes, lowercase).allSatisfy { ($0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0) == $1 }
    }

    /// A number of decimal digits; `nil` for anything else, and for more than 15 digits.
    private static func number(in bytes: ArraySlice<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 15 else { return nil }
        var number = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        return number
    }
}
