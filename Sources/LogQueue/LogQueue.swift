package import ContainerRPC
import Dispatch
package import Logging

/// Takes lines of the log to their handlers on a thread of its own, so that whoever logs waits for nobody.
///
/// Handlers write to standard error, and block for as long as nobody reads that: a terminal that was halted, a pipe to a
/// program that hangs. Without this, the thread that decides for every query would wait with them.
package final class LogQueue: Sendable {
    /// For all loggers of the process, so that their lines keep their order.
    package static let standard = LogQueue()

    /// Lines that may wait to be written; what comes beyond is left out, and counted.
    package static let mostWaiting = 10_000

    private let queue = DispatchQueue(label: "log")
    private let counts = Locked((waiting: 0, leftOut: 0))

    package init() {}

    /// Hands a line over; it never waits.
    func submit(_ event: LogEvent, to handler: any LogHandler) {
        let (isTaken, leftOut) = counts.withLock { counts in
            let isTaken = counts.waiting < Self.mostWaiting
            if isTaken { counts.waiting += 1 } else { counts.leftOut += 1 }
            return (isTaken, counts.leftOut)
        }
        guard isTaken else {
            // Behind what waits, where the lines are missing; it counts those that miss by the time it is written.
            if leftOut == 1 { queue.async { [self] in handler.log(event: Self.gap(of: takeLeftOut())) } }
            return
        }
        let submitted = ContinuousClock.now
        queue.async { [self] in
            var event = event
            // Handlers tell when they write it.
            let age = ContinuousClock.now - submitted
            if age > .seconds(1) {
                event.metadata = (event.metadata ?? [:]).merging(["waited_ms": "\(age.wholeNanoseconds / 1_000_000)"]) {
                    given, _ in given
                }
            }
            handler.log(event: event)
            counts.withLock { $0.waiting -= 1 }
        }
    }

    private func takeLeftOut() -> Int {
        counts.withLock { counts in
            defer { counts.leftOut = 0 }
            return counts.leftOut
        }
    }

    private static func gap(of lines: Int) -> LogEvent {
        LogEvent(
            level: .warning, message: "lines are missing here: the log was not read for a while",
            metadata: ["lines": "\(lines)"], source: "LogQueue", file: #fileID, function: #function, line: #line)
    }

    /// Waits until what was handed over is written, and no longer than this: nobody may be reading.
    ///
    /// - Returns: whether it is written.
    @discardableResult
    package func flush(within limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let waiting = Locked<CheckedContinuation<Bool, Never>?>(continuation)
            @Sendable func end(isWritten: Bool) {
                waiting.withLock { waiting in
                    waiting?.resume(returning: isWritten)
                    waiting = nil
                }
            }
            queue.async { end(isWritten: true) }
            let patience = DispatchTimeInterval.nanoseconds(Int(limit.wholeNanoseconds))
            DispatchQueue.global().asyncAfter(deadline: .now() + patience) { end(isWritten: false) }
        }
    }
}

/// A handler whose lines go through a queue.
package struct QueuedLogHandler: LogHandler {
    private var handler: any LogHandler
    private let queue: LogQueue

    package init(_ handler: any LogHandler, queue: LogQueue = .standard) {
        self.handler = handler
        self.queue = queue
    }

    package var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    package var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    package var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    package func log(event: LogEvent) {
        var event = event
        // What a provider tells belongs to the task that logs.
        if let provided = handler.metadataProvider?.get(), !provided.isEmpty {
            event.metadata = (event.metadata ?? [:]).merging(provided) { given, _ in given }
        }
        queue.submit(event, to: handler)
    }
}

extension Logger {
    /// A logger of the process, which writes in this format, through the process's queue.
    package init(label: String, format: LogFormat, level: Logger.Level) {
        switch format {
        // The one that a program has bootstrapped, where it has.
        case .text: self = Logger(label: label).queued
        case .json: self = Logger(label: label) { QueuedLogHandler(JSONLogHandler(label: $0)) }
        }
        logLevel = level
    }

    /// The same logger, whose lines go through the process's queue.
    package var queued: Logger {
        if handler is QueuedLogHandler { return self }
        var queued = self
        queued.handler = QueuedLogHandler(handler)
        return queued
    }
}
