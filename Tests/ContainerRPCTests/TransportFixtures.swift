import ContainerRPC
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Nothing came although it had to.
struct TimedOut: Error {}

/// Asks again whenever a descriptor has input, until there is an answer.
func waiting<Value>(on descriptor: Int32, _ next: () throws -> Value?) throws -> Value {
    let end = MonotonicTime.now() + patience
    while true {
        if let value = try next() { return value }
        let left = end - .now()
        guard left > .zero else { throw TimedOut() }
        _ = try waitForInput([descriptor], timeout: left)
    }
}

extension Socket {
    /// Waits for the next message.
    func receiveNext(into message: inout ReceivedMessage) throws {
        _ = try waiting(on: try descriptor()) {
            // The descriptor tells of changes only: it is waited for when nothing is left to be read.
            try receive(into: &message) ? true : try hasInput() ? try receive(into: &message) : nil
        }
    }

    /// Waits for the next message and decodes it.
    func receiveContent(_ direction: MessageContent.Direction) throws -> MessageContent {
        var message = makeMessage()
        try receiveNext(into: &message)
        return try MessageContent(message, direction)
    }

    /// Waits for a container's next message, which must be well-formed, and returns who sent it.
    @discardableResult
    func receivePeer(_ expected: MessageContent = .containerHeartbeat) throws -> RoutingID {
        var message = makeMessage()
        try receiveNext(into: &message)
        #expect(try MessageContent(message, .containerToFrontend) == expected)
        return message.routingID
    }
}

extension ConnectionMonitor {
    /// Waits for the next event of a kind.
    func wait<Value>(for match: (ConnectionEvent) -> Value?) throws -> Value {
        try waiting(on: try descriptor()) {
            while let event = try next() {
                if let value = match(event) { return value }
            }
            return nil
        }
    }

    /// Waits for the next disconnect and returns its descriptor.
    func waitForDisconnect() throws -> Int32 {
        try wait { if case .disconnected(let descriptor) = $0 { descriptor } else { nil } }
    }

    /// Waits until messages can flow.
    func waitUntilReady() throws {
        _ = try wait { if case .ready = $0 { true } else { nil } }
    }
}

/// A frontend's socket, and a container's that is connected to it and has sent a heartbeat.
struct ConnectedPair: ~Copyable {
    let router: Socket
    let dealer: Socket
    /// The container, as the frontend knows it.
    let peer: RoutingID

    init(_ endpoint: String = "tcp://127.0.0.1:0", in context: Context) throws {
        let router = try Socket(.router, in: context)
        let dealer = try context.dealer(connectedTo: try router.bind(endpoint))
        _ = try dealer.send(.heartbeat)
        peer = try router.receivePeer()
        self.router = router
        self.dealer = dealer
    }
}

extension Context {
    /// Opens a container's socket and waits until its connection stands.
    func dealer(connectedTo endpoint: String) throws -> Socket {
        let dealer = try Socket(.dealer, in: self)
        let monitor = try dealer.monitor()
        try dealer.connect(endpoint)
        // There is no handshake within a process.
        if !endpoint.hasPrefix("inproc:") { try monitor.waitUntilReady() }
        return dealer
    }
}

/// Whether this machine has an IPv6 address of its own.
let speaksIPv6: Bool = {
    #if canImport(Glibc)
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    #else
        let descriptor = socket(AF_INET6, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_addr = in6addr_loopback
    let size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    // `sockaddr_in6` is a `sockaddr` of the family that it states; the pointer does not leave the call.
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
    }
}()

/// A plain TCP connection to a port of this machine, for what no ZeroMQ peer would send.
final class PlainConnection {
    private let descriptor: Int32

    /// - Parameter endpoint: as `Socket.bind` returned it.
    init(to endpoint: String) throws {
        let port = try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
        #if canImport(Glibc)
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // `sockaddr_in` is a `sockaddr` of the family that it states; the pointer does not leave the call.
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        try #require(result == 0)
    }

    deinit {
        close(descriptor)
    }

    /// Writes the bytes; the peer may have closed the connection, and what then becomes of them does not matter.
    func write(_ bytes: [UInt8]) {
        #if os(Linux)
            let flags = Int32(MSG_NOSIGNAL)
        #else
            let flags: Int32 = 0
        #endif
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes messages in ZMTP 1.0, which needs no handshake: an empty identity, then the frames.
    func write(messages: [FrameList]) {
        write([1, 0] + messages.flatMap(\.zmtp1))
    }
}

extension FrameList {
    /// The frames as ZMTP 1.0 puts them: length, a flag for more to come, bytes.
    var zmtp1: [UInt8] {
        frames.enumerated().flatMap { index, frame in
            let length = frame.count + 1
            let prefix =
                length < 255
                ? [UInt8(length)] : [255] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
            return prefix + [index + 1 < frames.count ? 1 : 0] + frame
        }
    }
}
