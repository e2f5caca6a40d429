import TestSupport
import Testing

/// An HTTP response.
struct HTTPResponse: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    subscript(header: String) -> String? {
        headers.first { $0.name.lowercased() == header.lowercased() }?.value
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body; it must be JSON.
    var json: JSON {
        get throws { try JSON(body) }
    }
}

extension HTTPResponse: CustomStringConvertible {
    var description: String { "\(status) \(text.prefix(2_000))" }
}

/// The connection ended before the response did.
struct ConnectionClosed: Error {}

/// One HTTP/1.1 connection, written and read piece by piece.
final class HTTPConnection {
    let stream: TCPConnection
    private var received: [UInt8] = []
    private var hasEnded = false

    init(to address: Address) throws {
        stream = try TCPConnection(to: address)
    }

    /// Sends a text, all of it.
    func send(_ text: String) async throws {
        try await stream.write(Array(text.utf8))
    }

    /// Sends a request.
    func send(_ method: String, _ path: String, headers: [String] = [], body: [UInt8]? = nil) async throws {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers
        if let body { lines.append("Content-Length: \(body.count)") }
        try await stream.write(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? []))
    }

    /// Waits for the next response, be it an interim one.
    ///
    /// - Parameter hasBody: false for the answer to a `HEAD`.
    func response(hasBody: Bool = true, within limit: Duration = patience) async throws -> HTTPResponse {
        try await eventually("a response comes", within: limit) { try nextResponse(hasBody: hasBody) }
    }

    /// Sends a request and waits for the response.
    func exchange(
        _ method: String, _ path: String, headers: [String] = [], body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await send(method, path, headers: headers, body: body)
        return try await response(hasBody: method != "HEAD")
    }

    /// The next response if it is there.
    func nextResponse(hasBody: Bool = true) throws -> HTTPResponse? {
        while !hasEnded, let bytes = try stream.readSome() {
            received += bytes
            hasEnded = bytes.isEmpty
        }
        if let response = try takeResponse(hasBody: hasBody) { return response }
        if hasEnded { throw ConnectionClosed() }
        return nil
    }

    private func takeResponse(hasBody: Bool) throws -> HTTPResponse? {
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let status = try #require(
            lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }, "no status in \(lines)")
        let headers = try lines.dropFirst().map { line in
            let colon = try #require(line.firstIndex(of: ":"), "no header: \(line)")
            return (
                name: String(line[..<colon]),
                value: String(line[line.index(after: colon)...].drop { $0 == " " })
            )
        }
        let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        let bodyEnd = end.upperBound + (hasBody ? length : 0)
        guard received.count >= bodyEnd else { return nil }
        let body = Array(received[end.upperBound..<bodyEnd])
        received.removeFirst(bodyEnd)
        return HTTPResponse(status: status, headers: headers, body: body)
    }
}

extension Address {
    /// Sends a request by a connection of its own.
    func exchange(
        _ method: String, _ path: String, headers: [String] = [], body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await HTTPConnection(to: self)
            .exchange(method, path, headers: headers + ["Connection: close"], body: body)
    }

    func get(_ path: String, headers: [String] = []) async throws -> HTTPResponse {
        try await exchange("GET", path, headers: headers)
    }

    func post(_ path: String, _ body: String) async throws -> HTTPResponse {
        try await exchange("POST", path, headers: ["Content-Type: application/json"], body: Array(body.utf8))
    }
}
