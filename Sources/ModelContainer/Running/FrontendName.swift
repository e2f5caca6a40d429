import ContainerRPC

/// The name of the frontend's host, whether it is known, and whether it has addresses of IPv6 alone.
///
/// libzmq looks for a name that nobody knows for ever, without a word.
/// libzmq has to be told which kind it is to ask for: told IPv6, it takes no other where there is one, and `localhost` would be
/// `::1` alone. So each session begins with what is known of the name, and meanwhile the name is resolved once more by a
/// thread of its own: a resolver that does not answer keeps no heartbeats waiting.
struct FrontendName {
    /// `nil` where the endpoint names none.
    private let name: String?
    /// What was found out last.
    private(set) var isOnlyIPv6 = false
    private var isKnown = true
    private var isSought = false
    private var isBeingResolved = false

    /// - Parameter endpoint: as libzmq takes it; it has been checked.
    init(in endpoint: String) {
        let address = endpoint.dropFirst("tcp://".count)
        guard endpoint.hasPrefix("tcp://"), let colon = address.lastIndex(of: ":") else {
            name = nil
            return
        }
        let host = address[..<colon]
        name = HostName.isAddress(String(host)) || host.contains(":") ? nil : String(host)
    }

    /// The name, where the resolver has said last that it does not know it.
    var unknown: String? { isKnown ? nil : name }

    /// The frontend is to be connected to.
    mutating func isNeeded() {
        isSought = name != nil
    }

    /// The name, where it is to be resolved now. One is resolved at a time.
    mutating func takeToResolve() -> String? {
        guard isSought, !isBeingResolved else { return nil }
        isSought = false
        isBeingResolved = true
        return name
    }

    /// What the resolver says; `nil` where it does not know the name, which may be so for a while.
    ///
    /// - Returns: whether that is news.
    mutating func resolved(isOnlyIPv6 found: Bool?) -> Bool {
        isBeingResolved = false
        isKnown = found != nil
        guard let found, found != isOnlyIPv6 else { return false }
        isOnlyIPv6 = found
        return true
    }
}
