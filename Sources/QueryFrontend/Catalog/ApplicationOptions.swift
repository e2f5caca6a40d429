/// What can be changed of an application after its registration; what is `nil` stays as it is.
public struct ApplicationOptions: Sendable, Equatable {
    /// The latency objective of the queries that come from then on.
    public var latencySLO: Duration?
    /// The output for queries that no model answers within the SLO.
    public var defaultOutput: String?
    /// What a client is told when a query is turned away because there are too many.
    public var overload: OverloadAnswer?
    /// Whether and when queries are sent to a second replica.
    public var hedging: HedgingSetting?
    /// How models are chosen and their answers combined. What another policy has learned is of no use to a new one.
    public var policy: PolicyDescription?
    /// How errors are measured when feedback comes.
    public var loss: Loss?
    /// Below this confidence the default output is given: 0 (never) to 1.
    public var minConfidence: Double?
    /// The models that get each query and only watch, all of them; an empty list takes them away.
    public var shadows: [String]?

    /// Options of these parts.
    public init(
        latencySLO: Duration? = nil, defaultOutput: String? = nil, overload: OverloadAnswer? = nil,
        hedging: HedgingSetting? = nil, policy: PolicyDescription? = nil, loss: Loss? = nil,
        minConfidence: Double? = nil, shadows: [String]? = nil
    ) {
        self.latencySLO = latencySLO
        self.defaultOutput = defaultOutput
        self.overload = overload
        self.hedging = hedging
        self.policy = policy
        self.loss = loss
        self.minConfidence = minConfidence
        self.shadows = shadows
    }
}

/// Whether an application's queries are hedged.
public enum HedgingSetting: Sendable, Equatable {
    /// They are sent once.
    case off
    /// They may be sent a second time.
    case on(Hedging)

    /// The setting of an application.
    public init(_ hedging: Hedging?) {
        self = hedging.map(HedgingSetting.on) ?? .off
    }

    /// The same, `nil` for off, as an application has it.
    public var hedging: Hedging? {
        if case .on(let hedging) = self { hedging } else { nil }
    }
}

/// As the administration API tells it: `false`, or an object with both settings.
extension HedgingSetting: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable {
        case quantile
        case maxExtraWork = "max_extra_work"
    }

    public init(from decoder: any Decoder) throws {
        let standard = Hedging()
        if let isOn = try? decoder.singleValueContainer().decode(Bool.self) {
            self = isOn ? .on(standard) : .off
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self = .on(
            Hedging(
                quantile: try container.decodeIfPresent(Double.self, forKey: .quantile) ?? standard.quantile,
                maxExtraWork: try container.decodeIfPresent(Double.self, forKey: .maxExtraWork)
                    ?? standard.maxExtraWork))
    }

    public func encode(to encoder: any Encoder) throws {
        guard let hedging else {
            var container = encoder.singleValueContainer()
            return try container.encode(false)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(hedging.quantile, forKey: .quantile)
        try container.encode(hedging.maxExtraWork, forKey: .maxExtraWork)
    }
}
