import QueryFrontend

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How many descriptors, sockets among them, the system lets the process open.
enum DescriptorLimit {
    /// Raises it as far as the system allows.
    ///
    /// - Returns: what it is then; `nil` where the system does not tell.
    @discardableResult
    static func raise() -> Int? {
        var limit = rlimit()
        #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return nil }
        let former = limit.rlim_cur
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            if setrlimit(resource, &limit) != 0 { limit.rlim_cur = former }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// What is left to containers and files.
    private static func rest(descriptors: Int) -> Int { max(128, descriptors / 4) }

    /// How many connections of containers leave enough descriptors of that rest for files, and for those that come before
    /// others have been told to go: no more than were asked for.
    static func containers(wanted: Int, descriptors: Int) -> Int {
        let rest = min(rest(descriptors: descriptors), descriptors)
        return min(wanted, max(1, rest - max(64, rest / 4)))
    }

    /// How many connections of clients leave enough descriptors for administration, containers and files: no more than
    /// were asked for.
    static func connections(wanted: Int, descriptors: Int) -> Int {
        min(wanted, max(1, descriptors - rest(descriptors: descriptors) - administration(descriptors: descriptors)))
    }

    /// How many connections the administration port may have.
    static func administration(descriptors: Int) -> Int {
        min(HTTPLimits().administrationConnections, max(16, descriptors / 16))
    }
}
