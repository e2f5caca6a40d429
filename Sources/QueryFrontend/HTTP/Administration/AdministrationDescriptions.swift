import ContainerRPC

/// An application as the administration API shows it.
package struct ApplicationDescription: Encodable {
    let name: String
    let inputType: String
    let defaultOutput: String
    let latencySLOMicroseconds: Int64
    let linkedModels: [String]
    let overload: String
    let hedging: HedgingSetting
    /// What Clipper's clients do not know is told of applications that differ from Clipper's.
    let selection: SelectionSettings?

    init(_ application: Application) {
        name = application.name
        inputType = application.inputType.name
        defaultOutput = application.defaultOutput
        latencySLOMicroseconds = application.latencySLO.wholeMicroseconds
        linkedModels = application.linkedModels
        overload = application.overload.rawValue
        hedging = HedgingSetting(application.hedging)
        selection = application.selection == SelectionSettings() ? nil : application.selection
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(inputType, forKey: .inputType)
        try container.encode(defaultOutput, forKey: .defaultOutput)
        try container.encode(latencySLOMicroseconds, forKey: .latencySLOMicroseconds)
        try container.encode(linkedModels, forKey: .linkedModels)
        try container.encode(overload, forKey: .overload)
        try container.encode(hedging, forKey: .hedging)
        try container.encodeIfPresent(selection?.policy, forKey: .policy)
        try container.encodeIfPresent(selection?.loss, forKey: .loss)
        try container.encodeIfPresent(selection?.minConfidence, forKey: .minConfidence)
        try container.encodeIfPresent(selection?.shadows, forKey: .shadows)
    }

    /// What it is called there, which the command line reads too.
    package enum CodingKeys: String, CodingKey {
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

/// A version of a model as the administration API shows it.
package struct ModelDescription: Encodable {
    let name: String
    let version: String
    let inputType: String
    let labels: [String]
    let containerName: String
    let modelDataPath: String
    let batchSize: Int
    let isCurrent: Bool
    let batching: BatchingDescription
    let cache: Bool

    init(_ model: Model, isCurrent: Bool) {
        name = model.id.name
        version = model.id.version
        inputType = model.inputType.name
        labels = model.labels
        containerName = model.containerName
        modelDataPath = model.modelDataPath
        batchSize = model.batchSize.wireValue
        self.isCurrent = isCurrent
        batching = BatchingDescription(model.batching)
        cache = model.cachesPredictions
    }

    /// What it is called there, which the command line reads too.
    package enum CodingKeys: String, CodingKey {
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

/// A container as the administration API shows it.
struct ContainerDescription: Encodable {
    let id: String
    let name: String
    let version: String
    let replica: Int
    let inputType: String

    init(_ replica: ReplicaStatus) {
        id = "\(replica.modelName):\(replica.modelVersion)"
        name = replica.modelName
        version = replica.modelVersion
        self.replica = replica.replica
        inputType = replica.inputType
    }

    enum CodingKeys: String, CodingKey {
        case id = "model_id"
        case name = "model_name"
        case version = "model_version"
        case replica = "model_replica_id"
        case inputType = "input_type"
    }
}

/// The answer to `drain`: the replicas that it concerns, and their queries in flight.
package struct DrainDescription: Codable, Sendable, Equatable {
    /// The replicas, by their numbers.
    package let replicas: [ReplicaStatus]
    /// The queries in flight on all of them.
    package let queriesInFlight: Int

    /// The answer about these replicas.
    package init(replicas: [ReplicaStatus]) {
        self.replicas = replicas
        queriesInFlight = replicas.reduce(0) { $0 + $1.queriesInFlight }
    }

    package enum CodingKeys: String, CodingKey {
        case replicas
        case queriesInFlight = "queries_in_flight"
    }
}

/// The answer `{}` to a question for one thing that is not there.
struct NothingDescription: Encodable {}
