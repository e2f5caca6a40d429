package import Logging
import Synchronization

/// A log whose lines a test reads: level, message, and metadata in the order of its keys.
package final class RecordedLog: Sendable {
    private let kept = Mutex<[String]>([])

    package init() {}

    /// What has been logged.
    package var lines: [String] { kept.withLock { $0 } }

    /// Writes into this log, whatever the level.
    package var logger: Logger {
        var logger = Logger(label: "test") { [self] _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    fileprivate func keep(_ line: String) { kept.withLock { $0.append(line) } }
}

private struct Handler: LogHandler {
    let log: RecordedLog
    var logLevel = Logger.Level.trace
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let about = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        log.keep("\(event.level) \(event.message)\(about)")
    }
}
