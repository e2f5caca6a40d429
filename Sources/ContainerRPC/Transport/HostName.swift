#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a host's name stands for.
package enum HostName {
    /// Whether a name stands for addresses of IPv6 alone, of those that this machine has a way to.
    ///
    /// It asks the system's resolver, which may take half a minute: not for a thread that has something else to do.
    ///
    /// - Returns: `nil` where nobody knows the name.
    package static func isOnlyIPv6(_ name: String) -> Bool? {
        // With nothing but a loopback interface there is no way to anybody else, and still one to this machine.
        let families = families(of: name, AI_ADDRCONFIG) ?? families(of: name, 0)
        return families.map { !$0.contains(AF_INET) }
    }

    /// Whether a text is an address of IPv4, and no name.
    package static func isAddress(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    private static func families(of name: String, _ flags: Int32) -> Set<Int32>? {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        // The list belongs to this call until it is freed, and its end is nil.
        var families: Set<Int32> = []
        var next = list
        while let entry = next {
            families.insert(entry.pointee.ai_family)
            next = entry.pointee.ai_next
        }
        return families.isEmpty ? nil : families
    }
}
