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

    enum CodingKeys: String, CodingKey {
        case name
        case inputType = "input_type"
        case defaultOutput = "default_output"
        case latencySLOMicroseconds = "latency_slo_micros"
        case linkedModels = "linked_models"
        case overload
        case hedging
        case policy
        case loss
        case minConfidence = "min_confidence"
        case shadows = "shadow"
    }
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

    enum CodingKeys: String, CodingKey {
        case name = "model_name"
        case version = "model_version"
        case inputType = "input_type"
        case labels
        case containerName = "container_name"
        case modelDataPath = "model_data_path"
        case batchSize = "batch_size"
        case isCurrent = "is_current_version"
        case batching
        case cache
    }
}
