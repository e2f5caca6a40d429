import CTimerSlack

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Sleeping until a point in time on the monotonic clock, in nanoseconds since its origin.
enum PreciseSleep {
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static func sleep(until end: Int64) {
        #if os(Linux)
            // A thread's timers may be 50 µs late unless it says otherwise. Batches may run on any thread, so each
            // says so: it costs 0.1 µs.
            ctimerslack_set(1)
            var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
            // An absolute time: a signal in between, or work before it, does not make the sleep longer.
            while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
        #else
            var left = end - now()
            while left > 0 {
                var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
                nanosleep(&time, nil)
                left = end - now()
            }
        #endif
    }
}
