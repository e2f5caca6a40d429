import ContainerRPC
import Foundation
import PlainHTTP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where an HTTP server listens.
public struct HTTPAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address; one of IPv6 without brackets.
    public var host: String
    /// The TCP port.
    public var port: Int

    /// The address of that host and port.
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
        do {
            return try Response.read(received[...], isAtEnd: atEnd, mostBytes: mostBytes).map { response in
                Reply(status: response.status, body: String(decoding: response.body, as: UTF8.self))
            }
        } catch {
            throw HTTPFailure(description: "the answer is not HTTP: \(error.reason)")
        }
    }

    private static func connect(to address: HTTPAddress) throws -> Int32 {
        guard let endpoints = try? ServerEndpoint.resolve(host: address.host, port: address.port) else {
            throw HTTPFailure(description: "there is no host '\(address.host)'")
        }
        for endpoint in endpoints {
            if let descriptor = try? TCP.connect(to: endpoint, waits: true).descriptor { return descriptor }
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
