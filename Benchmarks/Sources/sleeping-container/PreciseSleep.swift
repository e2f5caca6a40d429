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
    #if os(Linux)
        /// The last nanoseconds of a sleep that are spent awake.
        private static let awake: Int64 = 80_000
    #endif

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
            // A processor that has been idle takes some 50 µs to wake up: the last bit is waited for awake.
            let wake = end - awake
            var time = timespec(tv_sec: Int(wake / 1_000_000_000), tv_nsec: Int(wake % 1_000_000_000))
            // An absolute time: a signal in between, or work before it, does not make the sleep longer.
            while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
            while now() < end {}
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
