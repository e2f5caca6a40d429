import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// What only Linux has (eventfd, timerfd, ppoll with nanoseconds) stays in this file; its policy for threads is beside it.

/// Wakes a thread that waits in `waitForInput` from any other thread.
public final class Wakeup: Sendable {
    /// The descriptor to poll.
    public let descriptor: Int32
    private let writeDescriptor: Int32

    /// - Throws: `TransportError` where the process has no descriptor left.
    public init() throws(TransportError) {
        #if os(Linux)
            descriptor = cplatform_eventfd()
            guard descriptor >= 0 else { throw TransportError("eventfd", code: errno) }
            writeDescriptor = descriptor
        #else
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw TransportError("pipe", code: errno) }
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
            descriptor = ends[0]
            writeDescriptor = ends[1]
        #endif
    }

    deinit {
        close(descriptor)
        if writeDescriptor != descriptor { close(writeDescriptor) }
    }

    /// Makes the waiting thread return, now or when it next waits.
    public func signal() {
        var one: UInt64 = 1
        // It fails only where the counter or the pipe is full, and then the thread is awake anyway.
        _ = write(writeDescriptor, &one, 8)
    }

    /// Takes back what `signal` left, so that the next wait waits.
    public func clear() {
        var buffer: UInt64 = 0
        #if os(Linux)
            _ = read(descriptor, &buffer, 8)
        #else
            while read(descriptor, &buffer, 8) > 0 {}
        #endif
    }
}

/// Wakes a thread that waits in `waitForInput` when a time is up, unless it is told otherwise before.
package final class Alarm: Sendable {
    #if os(Linux)
        /// The descriptor to poll.
        package let descriptor: Int32

        /// - Throws: `TransportError` where the process has no descriptor left.
        package init() throws(TransportError) {
            descriptor = cplatform_timerfd()
            guard descriptor >= 0 else { throw TransportError("timerfd_create", code: errno) }
        }

        deinit {
            close(descriptor)
        }

        /// Wakes the thread after so long, and not before, whatever was set.
        package func set(after duration: Duration) {
            cplatform_timerfd_set(descriptor, max(1, duration.wholeNanoseconds))
        }

        /// Wakes nobody until it is set again.
        package func clear() {
            cplatform_timerfd_set(descriptor, 0)
        }
    #else
        // Rings at once: whoever is woken early finds less to do.
        private let wakeup: Wakeup
        package var descriptor: Int32 { wakeup.descriptor }

        package init() throws(TransportError) {
            wakeup = try Wakeup()
        }

        package func set(after duration: Duration) {
            wakeup.signal()
        }

        package func clear() {
            wakeup.clear()
        }
    #endif
}

/// Waits until one of the descriptors has input or the time is up; a signal may end it early.
///
/// - Parameter timeout: how long at most; `nil` waits without a bound.
/// - Returns: for each descriptor, whether it has input.
public func waitForInput(
    _ descriptors: [Int32], timeout: Duration?
) throws(TransportError) -> [Bool] {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    #if os(Linux)
        let nanoseconds = timeout.map { max(0, $0.wholeNanoseconds) } ?? -1
        let result = cplatform_ppoll(&entries, UInt32(entries.count), nanoseconds)
    #else
        // poll counts whole milliseconds; rounding up is late by less than one, and never spins.
        let milliseconds = timeout.map { Int32(clamping: (max(0, $0.wholeNanoseconds) + 999_999) / 1_000_000) } ?? -1
        let result = poll(&entries, nfds_t(entries.count), milliseconds)
    #endif
    guard result >= 0 || errno == EINTR else { throw TransportError("poll", code: errno) }
    return entries.map { $0.revents != 0 }
}

extension MonotonicTime {
    /// The time on the system's monotonic clock.
    public static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: cplatform_monotonic_nanoseconds())
    }
}
