package import Logging

extension Logger {
    /// A logger for tests that provoke what would be logged.
    package static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
