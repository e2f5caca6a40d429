/// What an application's client is told when a query is turned away because there are too many.
public enum OverloadAnswer: String, Sendable, Hashable, CaseIterable {
    /// 200 with the default output and the reason.
    case defaultOutput = "default"
    /// 503 with `Retry-After`.
    case reject
}
