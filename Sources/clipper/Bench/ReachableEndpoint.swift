import ContainerRPC
import PlainHTTP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ServerEndpoint {
    /// Whether a connection can be made, within two seconds.
    func isReachable() throws(TransportError) -> Bool {
        guard let (descriptor, isOpen) = try? TCP.connect(to: self) else { return false }
        defer { close(descriptor) }
        guard !isOpen else { return true }
        var readiness = try Readiness()
        try readiness.add(descriptor, token: 0, output: true)
        let limit = MonotonicTime.now() + .seconds(2)
        while readiness.ready.isEmpty, MonotonicTime.now() < limit {
            readiness.wait(until: limit.nanoseconds, isDue: false)
        }
        return !readiness.ready.isEmpty && TCP.connectError(of: descriptor) == 0
    }
}
