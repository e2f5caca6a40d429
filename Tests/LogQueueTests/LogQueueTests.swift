import ContainerRPC
import Logging
import TestSupport
import Testing

@testable import LogQueue

/// Keeps lines once it is let; until then it blocks, as a pipe does that nobody reads.
private final class Lines: Sendable {
    private let gate = Gate()
    private let kept = Locked<[String]>([])

    var all: [String] { kept.withLock { $0 } }

    func open() { gate.open() }

    func keep(_ line: String) {
        gate.wait()
        kept.withLock { $0.append(line) }
    }
}

private struct KeepingHandler: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let about = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        lines.keep("\(event.level) \(event.message)\(about)")
    }
}

@Suite("Lines of the log, on their way to whoever reads them")
struct LogQueueTests {
    private let lines = Lines()
    private let queue = LogQueue()

    private func logger(_ provider: Logger.MetadataProvider? = nil) -> Logger {
        Logger(label: "test") { _ in
            QueuedLogHandler(KeepingHandler(lines: lines, metadataProvider: provider), queue: queue)
        }
    }

    @Test("They keep their order, and all are written by the end of a flush")
    func order() async {
        let logger = logger()
        lines.open()
        for number in 0..<100 { logger.info("\(number)", metadata: ["of": "100"]) }
        logger.debug("below the level")
        await queue.flush(within: .seconds(60))
        #expect(lines.all == (0..<100).map { "info \($0) of=100" })
    }

    @Test("While nobody reads, whoever logs goes on, and a flush ends; what was too much is counted")
    func blocked() async {
        let logger = logger()
        for number in 0..<(LogQueue.mostWaiting + 5) { logger.warning("\(number)") }
        var isWritten = await queue.flush(within: .milliseconds(1))
        #expect(!isWritten)
        #expect(lines.all.isEmpty)
        lines.open()
        isWritten = await queue.flush(within: .seconds(60))
        #expect(isWritten)
        // Where they are missing it is said, without another line.
        let gap = "warning lines are missing here: the log was not read for a while lines=5"
        #expect(lines.all.last == gap)
        #expect(lines.all.count == LogQueue.mostWaiting + 1)
        #expect(lines.all.dropLast().allSatisfy { $0.hasPrefix("warning ") })
        logger.info("next")
        await queue.flush(within: .seconds(60))
        #expect(lines.all.suffix(2) == [gap, "info next"])
    }

    @Test("What the task that logs provides goes with its line")
    func provided() async {
        lines.open()
        logger(Logger.MetadataProvider { ["task": "mine"] }).error("failed", metadata: ["code": "7"])
        await queue.flush(within: .seconds(60))
        #expect(lines.all == ["error failed code=7 task=mine"])
    }

    @Test("A logger that is queued already stays as it is")
    func once() {
        let logger = Logger(label: "test") { _ in KeepingHandler(lines: lines) }
        let queued = logger.queued
        #expect(queued.handler is QueuedLogHandler)
        #expect(queued.queued.handler is QueuedLogHandler)
        #expect(queued.label == "test")
        #expect(queued.logLevel == .info)
    }
}
