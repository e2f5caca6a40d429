public import ContainerRPC

/// A REST endpoint: what it takes, what it answers when no model does in time, and the models that it asks.
public struct Application: Sendable, Equatable {
    /// The endpoint's name; the first segment of its path, percent-encoded there.
    public let name: String
    /// The type of its inputs; that of every linked model's current version too.
    public let inputType: InputType
    /// The output for queries that no model answers within the SLO.
    public internal(set) var defaultOutput: String
    /// The latency objective of a query, in whole microseconds; more than zero, at most a day.
    public internal(set) var latencySLO: Duration
    /// The names of the linked models, in the order of linking.
    public internal(set) var linkedModels: [String]
    /// What a client is told when a query is turned away because there are too many.
    public internal(set) var overload: OverloadAnswer
    /// When queries are sent to a second replica because the first is slow; `nil`: never.
    public internal(set) var hedging: Hedging?
    /// How it chooses among its models, and learns from feedback.
    public internal(set) var selection: SelectionSettings

    /// An application as described by its parameters; the catalog checks them when it is registered.
    public init(
        name: String, inputType: InputType, defaultOutput: String, latencySLO: Duration, linkedModels: [String] = [],
        overload: OverloadAnswer = .defaultOutput, hedging: Hedging? = nil,
        selection: SelectionSettings = SelectionSettings()
    ) {
        self.name = name
        self.inputType = inputType
        self.defaultOutput = defaultOutput
        self.latencySLO = latencySLO
        self.linkedModels = linkedModels
        self.overload = overload
        self.hedging = hedging
        self.selection = selection
    }

    /// Whether the models that answer are chosen for each query: by a policy, or the first of several that has a replica.
    var selects: Bool { !selection.isStandard || linkedModels.count > 1 }

    /// The linked models that answer: those that do not only watch.
    var answeringModels: [String] { linkedModels.filter { !selection.shadows.contains($0) } }

    /// Takes over those options that are given.
    mutating func take(_ options: ApplicationOptions) {
        if let latencySLO = options.latencySLO { self.latencySLO = latencySLO }
        if let defaultOutput = options.defaultOutput { self.defaultOutput = defaultOutput }
        if let overload = options.overload { self.overload = overload }
        if let hedging = options.hedging { self.hedging = hedging.hedging }
        if let policy = options.policy { selection.policy = policy }
        if let loss = options.loss { selection.loss = loss }
        if let minConfidence = options.minConfidence { selection.minConfidence = minConfidence }
        if let shadows = options.shadows { selection.shadows = shadows }
    }
}
