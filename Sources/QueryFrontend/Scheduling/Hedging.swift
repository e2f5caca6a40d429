/// When an application's queries are sent to a second replica because the first is slow ("The Tail at Scale", CACM 2013).
public struct Hedging: Sendable, Hashable {
    /// A batch that is older than this quantile of its replica's latency, between 0 and 1, is hedged.
    public var quantile: Double
    /// Hedged queries as a share of all that are sent, at most, between 0 and 1.
    public var maxExtraWork: Double

    /// Hedging at this quantile, of at most this share.
    public init(quantile: Double = 0.95, maxExtraWork: Double = 0.05) {
        self.quantile = quantile
        self.maxExtraWork = maxExtraWork
    }
}
