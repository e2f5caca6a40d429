import ContainerRPC

#if os(Linux)
    import CPlatform
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// What only Linux has (epoll, timerfd) stays in this file.

#if os(Linux)
    /// Waits for many descriptors at once, and for a point in time.
    ///
    /// The time is kept by a timerfd: epoll's own time-out counts whole milliseconds.
    struct Readiness: ~Copyable {
        private static let timerToken = UInt64.max
        private static let mostEvents = 64

        private let descriptor: Int32
        private let timer: Int32
        private var events = [epoll_event](repeating: epoll_event(), count: mostEvents)
        private var armed: Int64 = -1
        /// The tokens of the descriptors that are ready, after a wait.
        private(set) var ready: [UInt64] = []

        /// - Throws: `TransportError` where the process has no descriptor left.
        init() throws(TransportError) {
            descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
            timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
            guard descriptor >= 0, timer >= 0 else {
                let code = errno
                if descriptor >= 0 { close(descriptor) }
                throw TransportError("epoll", code: code)
            }
            try control(EPOLL_CTL_ADD, timer, token: Self.timerToken, output: false)
            ready.reserveCapacity(Self.mostEvents)
        }

        deinit {
            close(timer)
            close(descriptor)
        }

        /// Watches a descriptor for input, or for input and output.
        func add(_ watched: Int32, token: UInt64, output: Bool) throws(TransportError) {
            try control(EPOLL_CTL_ADD, watched, token: token, output: output)
        }

        /// Changes what a descriptor is watched for.
        func change(_ watched: Int32, token: UInt64, output: Bool) throws(TransportError) {
            try control(EPOLL_CTL_MOD, watched, token: token, output: output)
        }

        /// Forgets a descriptor that is about to be closed.
        func remove(_ watched: Int32) {
            // Closing does it.
        }

        /// Waits until a descriptor is ready or the time has come, in nanoseconds of the monotonic clock.
        ///
        /// - Parameter isDue: the time has come already: only looks.
        mutating func wait(until time: Int64, isDue: Bool) {
            if !isDue, time != armed {
                var setting = itimerspec()
                setting.it_value = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
                timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
                armed = time
            }
            let count = epoll_wait(descriptor, &events, Int32(Self.mostEvents), isDue ? 0 : -1)
            ready.removeAll(keepingCapacity: true)
            for index in 0..<Int(max(0, count)) {
                let token = events[index].data.u64
                if token == Self.timerToken {
                    // It stays ready until it is set anew.
                    armed = -1
                } else {
                    ready.append(token)
                }
            }
        }

        private func control(
            _ operation: Int32, _ watched: Int32, token: UInt64, output: Bool
        ) throws(TransportError) {
            var event = epoll_event()
            event.events = EPOLLIN.rawValue | (output ? EPOLLOUT.rawValue : 0)
            event.data.u64 = token
            guard epoll_ctl(descriptor, operation, watched, &event) == 0 else {
                throw TransportError("epoll_ctl", code: errno)
            }
        }
    }
#else
    /// Waits for many descriptors at once, and for a point in time, by `poll`; the last millisecond before it is spun.
    struct Readiness: ~Copyable {
        private var entries: [pollfd] = []
        private var tokens: [UInt64] = []
        /// The tokens of the descriptors that are ready, after a wait.
        private(set) var ready: [UInt64] = []

        init() throws(TransportError) {}

        mutating func add(_ watched: Int32, token: UInt64, output: Bool) throws(TransportError) {
            entries.append(pollfd(fd: watched, events: Self.interest(output), revents: 0))
            tokens.append(token)
        }

        mutating func change(_ watched: Int32, token: UInt64, output: Bool) throws(TransportError) {
            guard let index = tokens.firstIndex(of: token) else { return }
            entries[index].events = Self.interest(output)
        }

        mutating func remove(_ watched: Int32) {
            guard let index = entries.firstIndex(where: { $0.fd == watched }) else { return }
            entries.remove(at: index)
            tokens.remove(at: index)
        }

        mutating func wait(until time: Int64, isDue: Bool) {
            let left = isDue ? 0 : max(0, time - MonotonicTime.now().nanoseconds)
            _ = poll(&entries, nfds_t(entries.count), Int32(clamping: left / 1_000_000))
            ready = entries.indices.filter { entries[$0].revents != 0 }.map { tokens[$0] }
        }

        private static func interest(_ output: Bool) -> Int16 { Int16(POLLIN) | (output ? Int16(POLLOUT) : 0) }
    }
#endif
