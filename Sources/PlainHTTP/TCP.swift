package import ContainerRPC
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An address to connect to.
package struct ServerEndpoint: Sendable {
    fileprivate var storage = sockaddr_storage()
    fileprivate var length: socklen_t = 0

    /// The addresses of a host, in the order to try them.
    ///
    /// - Throws: `TransportError` for an unknown host.
    package static func resolve(host: String, port: Int) throws(TransportError) -> [ServerEndpoint] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = TCP.streamType
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            throw TransportError("the host \(host)", code: ENOENT)
        }
        defer { freeaddrinfo(first) }
        var endpoints: [ServerEndpoint] = []
        // The list and what it points to live until freeaddrinfo.
        for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
            guard let address = entry.pointee.ai_addr,
                Int(entry.pointee.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
            else { continue }
            var endpoint = ServerEndpoint()
            endpoint.length = entry.pointee.ai_addrlen
            withUnsafeMutableBytes(of: &endpoint.storage) { storage in
                storage.copyMemory(
                    from: UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen)))
            }
            endpoints.append(endpoint)
        }
        return endpoints
    }
}

/// TCP by the system's calls, without waiting.
package enum TCP {
    /// What became of a call.
    package enum Result {
        /// This many bytes went or came.
        case bytes(Int)
        /// It would have had to wait.
        case wouldWait
        /// The peer has closed its side.
        case ended
        /// The system's error number.
        case failed(Int32)
    }

    #if os(Linux)
        fileprivate static let streamType = Int32(SOCK_STREAM.rawValue)
        private static let sendFlags = Int32(MSG_NOSIGNAL)
    #else
        fileprivate static let streamType = SOCK_STREAM
        private static let sendFlags: Int32 = 0
    #endif

    /// Begins to connect, and waits until it is done, where it is told to.
    ///
    /// - Parameter waits: The calls for the socket wait, this one first.
    /// - Returns: the socket, and whether it is connected already.
    package static func connect(
        to endpoint: ServerEndpoint, waits: Bool = false
    ) throws(TransportError) -> (descriptor: Int32, isOpen: Bool) {
        let descriptor = socket(Int32(endpoint.storage.ss_family), streamType, 0)
        guard descriptor >= 0 else { throw TransportError("socket", code: errno) }
        if !waits { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        #if canImport(Darwin)
            set(descriptor, SOL_SOCKET, SO_NOSIGPIPE)
        #endif
        let result = withUnsafePointer(to: endpoint.storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                systemConnect(descriptor, address, endpoint.length)
            }
        }
        if result == 0 { return (descriptor, true) }
        let code = errno
        guard code == EINPROGRESS else {
            close(descriptor)
            throw TransportError("connect", code: code)
        }
        return (descriptor, false)
    }

    /// The error of a connection that could not be made; 0 when it was.
    package static func connectError(of descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    /// Sends what fits.
    package static func send(_ bytes: [UInt8], from start: Int, on descriptor: Int32) -> Result {
        let count = bytes.withUnsafeBytes { buffer in
            systemSend(descriptor, UnsafeRawBufferPointer(rebasing: buffer[start...]), sendFlags)
        }
        return count >= 0 ? .bytes(count) : failure(errno)
    }

    /// Receives what is there, as far as it fits.
    package static func receive(into bytes: inout [UInt8], on descriptor: Int32) -> Result {
        let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count > 0 ? .bytes(count) : count == 0 ? .ended : failure(errno)
    }

    /// The system's words for an error number.
    package static func text(of code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }

    private static func failure(_ code: Int32) -> Result {
        code == EAGAIN || code == EWOULDBLOCK || code == EINTR ? .wouldWait : .failed(code)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) {
        var one: Int32 = 1
        _ = setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}

// The members above would hide the system's functions of the same names.

private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}

private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> Int {
    send(descriptor, bytes.baseAddress, bytes.count, flags)
}
