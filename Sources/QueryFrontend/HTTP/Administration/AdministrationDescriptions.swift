import ContainerRPC

/// An application as the administration API shows it.
struct ApplicationDescription: Encodable {
    let name: String
    let inputType: String
    let defaultOutput: String
    let latencySLOMicroseconds: Int64
    let linkedModels: [String]

    init(_ application: Application) {
        name = application.name
        inputType = application.inputType.name
        defaultOutput = application.defaultOutput
        latencySLOMicroseconds = application.latencySLO.wholeMicroseconds
        linkedModels = application.linkedModels
    }

    enum CodingKeys: String, CodingKey {
        case name
        case inputType = "input_type"
        case defaultOutput = "default_output"
        case latencySLOMicroseconds = "latency_slo_micros"
        case linkedModels = "linked_models"
    }
}

/// A version of a model as the administration API shows it.
struct ModelDescription: Encodable {
    let name: String
    let version: String
    let inputType: String
    let labels: [String]
    let containerName: String
    let modelDataPath: String
    let batchSize: Int
    let isCurrent: Bool

    init(_ model: Model, isCurrent: Bool) {
        name = model.id.name
        version = model.id.version
        inputType = model.inputType.name
        labels = model.labels
        containerName = model.containerName
        modelDataPath = model.modelDataPath
        batchSize = model.batchSize.wireValue
        self.isCurrent = isCurrent
    }

    enum CodingKeys: String, CodingKey {
        case name = "model_name"
        case version = "model_version"
        case inputType = "input_type"
        case labels
        case containerName = "container_name"
        case modelDataPath = "model_data_path"
        case batchSize = "batch_size"
        case isCurrent = "is_current_version"
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

/// The answer `{}` to a question for one thing that is not there.
struct NothingDescription: Encodable {}
