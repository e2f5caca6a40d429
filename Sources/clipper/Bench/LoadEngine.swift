import ContainerRPC
import DequeModule
import Foundation
import PlainHTTP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs a load: one thread, one loop around epoll.
///
/// A request that is due is sent on the connection that has been idle longest, so that all are used alike; where none is
/// idle it waits, and its wait counts. Its latency counts from when it was due, whatever kept it from being sent.
struct LoadEngine: ~Copyable {
    /// What needs no exact time (seconds, reopening, stopping) is looked after at least this often: 20 ms.
    static let tick: Int64 = 20_000_000
    /// A connection that could not be opened is tried again after this: 100 ms.
    static let reopenDelay: Int64 = 100_000_000
    /// Connections that are opened at the same time, so that no server's queue of them overflows.
    static let mostConnecting = 64
    static let second: Int64 = 1_000_000_000

    var plan: LoadPlan
    let endpoint: ServerEndpoint
    let stop: StopSignal
    let onSecond: (@Sendable (LoadSecond) -> Void)?

    var readiness: Readiness
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var connections: [LoadConnection]
    var idle = Deque<Int>()
    var openCount = 0
    /// Closed connections, and when they are tried again; the times rise.
    var toReopen = Deque<(time: Int64, index: Int)>()
    /// Why no connection can be opened, while there is none.
    var outage: String?
    /// When the requests were due that wait for a connection.
    var waiting = Deque<Int64>()

    /// Whether the connections are being opened, before the run starts.
    var isOpening = true
    /// When the run started; until then, when the engine was made.
    var start = MonotonicTime.now().nanoseconds
    /// When no more requests are due.
    var end: Int64
    var schedule: ArrivalSchedule?
    var nextDue: Int64 = .max
    var nextTemplate = 0
    var number: UInt64
    var statistics: RunStatistics
    var current: LoadSecond
    var cpuAtStart: Double?
    var cpuAtEnd: Double?

    private init(
        _ plan: LoadPlan, endpoint: ServerEndpoint, stop: StopSignal, onSecond: (@Sendable (LoadSecond) -> Void)?
    ) throws(TransportError) {
        self.plan = plan
        self.endpoint = endpoint
        self.stop = stop
        self.onSecond = onSecond
        readiness = try Readiness()
        connections = [LoadConnection](repeating: LoadConnection(), count: plan.connections)
        end = plan.window.upperBound
        current = LoadSecond(isWarmup: plan.warmup > 0, second: 0)
        number = plan.firstNumber
        statistics = RunStatistics(window: plan.window, slo: plan.slo)
        if case .open(let schedule, _) = plan.pace { self.schedule = schedule }
    }

    deinit {
        for connection in connections where connection.descriptor >= 0 { close(connection.descriptor) }
    }

    /// Runs a load on a thread of its own.
    ///
    /// - Parameter onSecond: called on that thread once a second; must not wait.
    /// - Throws: ``CommandFailure`` where the connections cannot be opened.
    static func run(
        _ plan: LoadPlan, endpoint: ServerEndpoint, stop: StopSignal,
        onSecond: (@Sendable (LoadSecond) -> Void)? = nil
    ) async throws -> BenchRun {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                ThreadName.set("load")
                continuation.resume(
                    with: Result {
                        var engine = try LoadEngine(plan, endpoint: endpoint, stop: stop, onSecond: onSecond)
                        return try engine.run()
                    })
            }
            // Foundation's default is half a megabyte, which a deep stack of a debug build can need.
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    private mutating func run() throws -> BenchRun {
        try openAll()
        isOpening = false
        start = MonotonicTime.now().nanoseconds
        begin()
        var isStopping = false
        while true {
            let now = elapsed()
            if !isStopping, stop.isSet {
                isStopping = true
                end = min(end, now)
                statistics.end(at: now)
            }
            look(at: now)
            admit()
            if now >= end, statistics.outstanding == 0 || now >= end + plan.grace { break }
            let time = min(nextDue < end ? nextDue : now < end ? end : .max, now + Self.tick)
            readiness.wait(until: start + time, isDue: time <= elapsed())
            for token in readiness.ready {
                handle(token)
                admit()
            }
        }
        let cpu = max(0, (cpuAtEnd ?? Self.threadSeconds()) - (cpuAtStart ?? Self.threadSeconds()))
        let inFlight = connections.compactMap { $0.state == .busy ? $0.due : nil }
        return statistics.figures(
            rate: plan.pace.rate, connections: plan.connections, inFlight: inFlight, unsent: Array(waiting),
            at: elapsed(), cpuSeconds: cpu, isInterrupted: isStopping)
    }

    /// Nanoseconds since the run's start.
    func elapsed() -> Int64 { MonotonicTime.now().nanoseconds - start }

    static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Does what needs no exact time.
    private mutating func look(at now: Int64) {
        if cpuAtStart == nil, now >= plan.window.lowerBound { cpuAtStart = Self.threadSeconds() }
        if cpuAtEnd == nil, now >= end { cpuAtEnd = Self.threadSeconds() }
        while let first = toReopen.first, first.time <= now {
            toReopen.removeFirst()
            open(first.index)
        }
        let second = Int(now / Self.second)
        guard second > current.second else { return }
        current.waiting = waiting.count
        current.inFlight = connections.count { $0.state == .busy }
        onSecond?(current)
        current = LoadSecond(isWarmup: Int64(second) * Self.second < plan.window.lowerBound, second: second)
    }
}
