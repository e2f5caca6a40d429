#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension Socket {
    /// Ends one of the socket's TCP connections: both sides see it closed, and libzmq gives its descriptor free.
    ///
    /// - Parameters:
    ///   - descriptor: as a `ConnectionEvent` names it. By now it may be something else's: nothing happens unless it is a
    ///     connection to one of the endpoints.
    ///   - endpoints: as `bind` returned them; those that are not `tcp://` have no such connections.
    /// - Returns: whether it was one.
    @discardableResult
    package func cutConnection(_ descriptor: Int32, to endpoints: [String]) -> Bool {
        // libzmq has no call for it. It takes the end that it reads for its peer's.
        guard let port = Self.localPort(of: descriptor), endpoints.contains(where: { Self.port(of: $0) == port })
        else { return false }
        return shutdown(descriptor, Int32(SHUT_RDWR)) == 0
    }

    private static func port(of endpoint: String) -> UInt16? {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        return UInt16(endpoint[endpoint.index(after: colon)...])
    }

    /// The port of this side of a TCP connection.
    private static func localPort(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // The system writes at most `length` bytes, which is what is there.
        let result = withUnsafeMutableBytes(of: &address) { bytes in
            getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return nil }
        // Both kinds lie within the storage.
        let bigEndian: in_port_t? = withUnsafeBytes(of: address) { bytes in
            switch Int32(address.ss_family) {
            case AF_INET: bytes.load(as: sockaddr_in.self).sin_port
            case AF_INET6: bytes.load(as: sockaddr_in6.self).sin6_port
            default: nil
            }
        }
        return bigEndian.map { UInt16(bigEndian: $0) }
    }
}
