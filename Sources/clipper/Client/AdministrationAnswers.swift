import QueryFrontend

/// An application as the administration API describes it.
struct RegisteredApplication: Decodable, Equatable {
    var name: String
    var inputType: String
    var defaultOutput: String
    var latencySLOMicroseconds: Int64
    var linkedModels: [String]
    /// Clipper's management frontend does not tell.
    var overload: String?
    /// Clipper's management frontend does not tell.
    var hedging: HedgingSetting?
    /// Told, as what follows, only where the application does not select as Clipper's do.
    var policy: PolicyDescription?
    var loss: String?
    var minConfidence: Double?
    var shadows: [String]?

    /// The latency objective.
    var latencySLO: Duration { .microseconds(latencySLOMicroseconds) }

    typealias CodingKeys = ApplicationDescription.CodingKeys
}

/// A version of a model as the administration API describes it.
struct RegisteredModel: Decodable, Equatable {
    var name: String
    var version: String
    var inputType: String
    var labels: [String]
    var containerName: String
    var modelDataPath: String
    /// −1 for adaptive; Clipper's management frontend does not tell.
    var batchSize: Int?
    var isCurrent: Bool
    /// Clipper's management frontend does not tell.
    var batching: BatchingDescription?
    /// Whether its outputs are kept for equal inputs; Clipper's management frontend does not tell.
    var cache: Bool?

    typealias CodingKeys = ModelDescription.CodingKeys
}
