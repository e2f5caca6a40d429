import ContainerRPC

/// A REST endpoint: what it takes, what it answers when no model does in time, and the models that it asks.
public struct Application: Sendable, Equatable {
    /// The endpoint's name; the first segment of its path, percent-encoded there.
    public let name: String
    /// The type of its inputs; that of every linked model's current version too.
    public let inputType: InputType
    /// The output for queries that no model answers within the SLO.
    public let defaultOutput: String
    /// The latency objective of a query, in whole microseconds; more than zero, at most a day.
    public let latencySLO: Duration
    /// The names of the linked models, in the order of linking.
    public internal(set) var linkedModels: [String]

    /// An application as described by its parameters; the catalog checks them when it is registered.
    public init(
        name: String, inputType: InputType, defaultOutput: String, latencySLO: Duration, linkedModels: [String] = []
    ) {
        self.name = name
        self.inputType = inputType
        self.defaultOutput = defaultOutput
        self.latencySLO = latencySLO
        self.linkedModels = linkedModels
    }
}

extension Duration {
    /// Whole microseconds, the unit of a latency objective in the administration API and in the store.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
