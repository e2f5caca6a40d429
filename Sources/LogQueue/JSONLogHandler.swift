import ContainerRPC
import Foundation
package import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes each line of the log as a JSON object, for what collects logs.
///
/// Its keys are `time` (RFC 3339, UTC, in microseconds), `level`, `logger`, `message`, and `metadata`, an object, where there is any.
package struct JSONLogHandler: LogHandler {
    package var logLevel = Logger.Level.info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String

    package init(label: String) {
        self.label = label
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        // Where standard error is gone there is nobody to tell.
        try? FileHandle.standardError.write(
            contentsOf: line(event, seconds: Int(now.tv_sec), nanoseconds: Int(now.tv_nsec)))
    }

    /// The line of an event, with its end.
    ///
    /// - Parameters:
    ///   - seconds: since 1970.
    ///   - nanoseconds: of that second.
    func line(_ event: LogEvent, seconds: Int, nanoseconds: Int) -> Data {
        // What a provider tells has been added by the queue, on the thread that logged.
        let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
        var entry: [String: JSONValue] = [
            "time": .string(Self.time(seconds: seconds, nanoseconds: nanoseconds)),
            "level": .string(event.level.rawValue), "logger": .string(label), "message": .string("\(event.message)"),
        ]
        if !metadata.isEmpty { entry["metadata"] = .object(metadata.mapValues(JSONValue.init)) }
        return Data((JSONValue.object(entry).json + "\n").utf8)
    }

    /// Such as `1994-11-06T08:49:37.000250Z`.
    private static func time(seconds: Int, nanoseconds: Int) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ places: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, places - digits.count)) + digits
        }
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec]
        return date.map { padded($0, 2) }.joined(separator: "-") + "T"
            + time.map { padded(Int($0), 2) }.joined(separator: ":") + "." + padded(nanoseconds / 1000, 6) + "Z"
    }
}

extension JSONValue {
    /// A value of the log's metadata: a text, or an object or list of them.
    fileprivate init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .stringConvertible(let said): self = .string("\(said)")
        case .dictionary(let values): self = .object(values.mapValues(JSONValue.init))
        case .array(let values): self = .array(values.map(JSONValue.init))
        }
    }
}
