import ContainerRPC
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where an HTTP server listens.
public struct HTTPAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String { "http://\(authority)" }

    /// Host and port as in a URL and in a `Host` header: an IPv6 address in brackets.
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// A request that cannot be made or whose answer cannot be read.
struct HTTPFailure: Error, CustomStringConvertible {
    let description: String
}

/// One HTTP/1.1 request on a connection of its own, and its answer, which may be awaited later: so one thread can ask a
/// query and play the container that answers it.
final class HTTPExchange {
    /// An answer.
    struct Reply {
        let status: Int
        let body: String
    }

    /// The longest answer that is read: those of a frontend have some kilobytes.
    private static let mostBytes = 4 << 20

    private let descriptor: Int32
    private var received: [UInt8] = []
    private let what: String

    /// Connects and sends a `POST` with a JSON body.
    ///
    /// - Parameter fields: header fields besides those that such a request always has.
    init(post path: String, _ body: String, fields: [(String, String)] = [], to address: HTTPAddress) throws {
        what = "POST \(path) at \(address)"
        descriptor = try Self.connect(to: address)
        let head =
            "POST \(path) HTTP/1.1\r\nHost: \(address.authority)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n"
            + fields.map { "\($0.0): \($0.1)\r\n" }.joined() + "\r\n"
        var rest = Array((head + body).utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, noSignal) }
            guard count > 0 else { throw HTTPFailure(description: "\(what): the request could not be sent") }
            rest = rest.dropFirst(count)
        }
    }

    deinit {
        close(descriptor)
    }

    /// The answer, if it is there already or comes until the deadline.
    func reply(until deadline: MonotonicTime) throws -> Reply? {
        while true {
            if let reply = try parsed(atEnd: false) { return reply }
            let left = deadline - .now()
            guard try waitForInput([descriptor], timeout: max(left, .zero))[0] else {
                if left <= .zero { return nil }
                continue
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                received += buffer.prefix(count)
                guard received.count <= Self.mostBytes else {
                    throw HTTPFailure(description: "\(what): the answer is longer than \(Self.mostBytes) bytes")
                }
            } else {
                guard let reply = try parsed(atEnd: true) else {
                    throw HTTPFailure(description: "\(what): the connection was closed without an answer")
                }
                return reply
            }
        }
    }

    private func parsed(atEnd: Bool) throws -> Reply? {
        do {
            return try Self.reply(in: received, atEnd: atEnd)
        } catch {
            throw HTTPFailure(description: "\(what): \(error)")
        }
    }

    /// The answer, if all of it is there.
    ///
    /// - Parameter atEnd: nothing follows what is there.
    static func reply(in received: [UInt8], atEnd: Bool) throws(HTTPFailure) -> Reply? {
        guard let head = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: received[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else {
            throw HTTPFailure(description: "the answer is no HTTP: \(lines[0].shortened(to: 60))")
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        let body = received[head.upperBound...]
        if fields["transfer-encoding"]?.lowercased() == "chunked" {
            guard let text = try unchunked(body) else { return nil }
            return Reply(status: status, body: String(decoding: text, as: UTF8.self))
        }
        if let text = fields["content-length"] {
            guard let length = Int(text), length >= 0 else {
                throw HTTPFailure(description: "the answer's Content-Length is '\(text.shortened(to: 60))'")
            }
            guard body.count >= length else { return nil }
            return Reply(status: status, body: String(decoding: body.prefix(length), as: UTF8.self))
        }
        return atEnd ? Reply(status: status, body: String(decoding: body, as: UTF8.self)) : nil
    }

    /// The chunks together, once the last is there.
    private static func unchunked(_ bytes: ArraySlice<UInt8>) throws(HTTPFailure) -> [UInt8]? {
        var rest = bytes
        var whole: [UInt8] = []
        while let end = rest.firstRange(of: [13, 10]) {
            let size = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            guard let count = Int(size.prefix { $0.isHexDigit }, radix: 16), count <= mostBytes else {
                throw HTTPFailure(description: "the answer has a chunk of the size '\(size.shortened(to: 60))'")
            }
            guard rest[end.upperBound...].count >= count + 2 else { return nil }
            if count == 0 { return whole }
            whole += rest[end.upperBound..<end.upperBound + count]
            rest = rest[(end.upperBound + count + 2)...]
        }
        return nil
    }

    private static func connect(to address: HTTPAddress) throws -> Int32 {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &list) == 0, let first = list else {
            throw HTTPFailure(description: "there is no host '\(address.host)'")
        }
        defer { freeaddrinfo(first) }
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let entry = next?.pointee {
            let descriptor = socket(entry.ai_family, entry.ai_socktype, entry.ai_protocol)
            if descriptor >= 0 {
                if systemConnect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 { return descriptor }
                close(descriptor)
            }
            next = entry.ai_next
        }
        throw HTTPFailure(description: "nobody answers at \(address)")
    }
}

#if canImport(Darwin)
    private let noSignal: Int32 = 0
#else
    /// A connection that the frontend has closed is an error, and no signal.
    private let noSignal = Int32(MSG_NOSIGNAL)
#endif

private func systemConnect(_ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: socklen_t)
    -> Int32
{
    #if canImport(Glibc)
        Glibc.connect(descriptor, address, length)
    #elseif canImport(Musl)
        Musl.connect(descriptor, address, length)
    #else
        Darwin.connect(descriptor, address, length)
    #endif
}
