import Foundation

#if os(Linux)
    import Glibc
#endif

/// What the system says of this process.
struct ProcessFigures: Hashable, Sendable {
    /// User and system time.
    var processorTime: Duration
    var residentBytes: Int
    var openDescriptors: Int
    /// How many it may have open.
    var mostDescriptors: Int

    /// As of now; `nil` where the system has no `/proc`.
    static func current() -> ProcessFigures? {
        #if os(Linux)
            var usage = rusage()
            var limit = rlimit()
            // The second of the numbers is the resident pages (proc(5)).
            guard let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " "),
                pages.count > 1, let resident = Int(pages[1]),
                getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0,
                getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
                let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            else { return nil }
            return ProcessFigures(
                processorTime: duration(usage.ru_utime) + duration(usage.ru_stime),
                residentBytes: resident * sysconf(Int32(_SC_PAGESIZE)), openDescriptors: open,
                mostDescriptors: Int(clamping: limit.rlim_cur))
        #else
            return nil
        #endif
    }

    #if os(Linux)
        private static func duration(_ time: timeval) -> Duration {
            .seconds(time.tv_sec) + .microseconds(time.tv_usec)
        }
    #endif
}
