import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A port of this machine.
struct Address: Hashable, Sendable, CustomStringConvertible {
    let port: UInt16

    /// Reads `http://127.0.0.1:1337` and the like.
    init(_ text: some StringProtocol) throws {
        port = try #require(text.split(separator: ":").last.flatMap { UInt16($0) }, "no port in '\(text)'")
    }

    var description: String { "127.0.0.1:\(port)" }
}

/// The system's reason for a call that failed.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let code: Int32

    init(_ call: String) {
        self.call = call
        code = errno
    }

    var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// A plain TCP connection to a port of this machine, which sends any bytes whenever the test likes.
///
/// It never blocks a thread: a test waits for it with `eventually`.
final class TCPConnection {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 16_384)

    init(to address: Address) throws {
        #if canImport(Darwin)
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // `sockaddr_in` is a `sockaddr` of the family that it states; the pointer does not leave the call.
        let result = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw SystemError("connect to \(address)") }
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
    }

    deinit {
        close(descriptor)
    }

    /// Writes what the system takes at the moment.
    ///
    /// - Returns: how many bytes those are.
    /// - Throws: `SystemError` where the other side has closed the connection.
    func writeSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else { throw SystemError("send") }
        return 0
    }

    /// Writes it all, as fast as the other side reads.
    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        try await eventually("the other side reads \(bytes.count) bytes") {
            while !rest.isEmpty {
                let count = try writeSome(rest)
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// Reads what has come: `nil` if nothing has, no bytes at the end of the stream.
    func readSome() throws -> [UInt8]? {
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count >= 0 { return Array(buffer.prefix(count)) }
        guard errno == EAGAIN || errno == EINTR else { throw SystemError("recv") }
        return nil
    }

    /// Whether the other side has closed the connection. What has come before is dropped.
    func isEnded() -> Bool {
        do {
            while let bytes = try readSome() {
                if bytes.isEmpty { return true }
            }
            return false
        } catch {
            return true
        }
    }

    /// Says that no more will be sent; the other side can still answer.
    func closeWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Its end is to be a reset: the other side gets an error, and no end of what it reads.
    func resetAtEnd() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Waits until the other side has closed the connection; what it sends before does not matter.
    func waitForEnd() async throws {
        try await eventually("the connection is closed") {
            do {
                while let bytes = try readSome() { if bytes.isEmpty { return true } }
                return false
            } catch let error as SystemError where error.code == ECONNRESET {
                return true
            }
        }
    }
}
