/// How lines of a log are written on standard error.
public enum LogFormat: String, CaseIterable, Hashable, Sendable {
    /// For people: the time, the level, keys with values, and what happened.
    case text
    /// For what collects logs: a JSON object a line, with `time`, `level`, `logger`, `message` and `metadata`.
    case json
}
