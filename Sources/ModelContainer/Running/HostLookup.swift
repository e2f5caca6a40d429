import Dispatch
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether the name of a frontend's host is known: libzmq looks for one that is not for ever, without a word.
enum HostLookup {
    /// Logs where the host of an endpoint is not known, as with a mistyped name. Returns at once: a server of names may
    /// take seconds to answer.
    static func warn(of endpoint: String, _ logger: Logger) {
        guard let host = host(of: endpoint) else { return }
        DispatchQueue.global().async {
            guard !isKnown(host) else { return }
            logger.warning(
                "the frontend's host cannot be resolved: is its name wrong? It is tried on",
                metadata: ["host": "\(host)", "frontend": "\(endpoint)"])
        }
    }

    /// The host of a `tcp` endpoint, without the brackets of an address.
    static func host(of endpoint: String) -> String? {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        let host = endpoint[..<colon].dropFirst("tcp://".count)
        return host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
    }

    /// Whether a host has an address.
    static func isKnown(_ host: String) -> Bool {
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, nil, &list)
        // What the call has allocated, and nobody reads.
        if let list { freeaddrinfo(list) }
        return code == 0
    }
}
