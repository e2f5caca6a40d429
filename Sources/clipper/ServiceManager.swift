#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// systemd, or whoever else starts services and waits for what they say of themselves, as `sd_notify(3)` has it:
/// datagrams to a socket that the environment names.
struct ServiceManager: Equatable, Sendable, CustomStringConvertible {
    /// The socket's path; the name of one without a file begins with `@`.
    let description: String

    /// `nil` where nobody waits to be told.
    init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], !path.isEmpty else { return nil }
        description = path
    }

    /// Says how the service is, such as `READY=1`.
    ///
    /// - Returns: false where it cannot be said.
    func tell(_ state: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(description.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        // The system tells names without a file by the zero that they begin with.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        #if canImport(Darwin)
            let (type, flags) = (SOCK_DGRAM, Int32(0))
        #else
            let (type, flags) = (Int32(SOCK_DGRAM.rawValue), Int32(MSG_NOSIGNAL))
        #endif
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // A name without a file ends where the address does.
        let length = socklen_t(
            MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path) + path.count)
        let count = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(descriptor, state, state.utf8.count, flags, address, length)
            }
        }
        return count == state.utf8.count
    }
}
