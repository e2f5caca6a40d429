import ContainerRPC

/// Names one version of a model.
public struct ModelVersion: Hashable, Sendable, Codable {
    /// The model's name.
    public var name: String
    /// The version; any text, no order among versions is read from it.
    public var version: String

    /// The version `version` of the model `name`.
    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }
}

extension ModelVersion: CustomStringConvertible {
    /// `name:version`, as Clipper prints it; neither part holds a colon.
    public var description: String { "\(name):\(version)" }
}

/// How many queries one batch for a model holds.
public enum BatchSize: Sendable, Equatable {
    /// The scheduler chooses.
    case adaptive
    /// At most this many, at least one.
    case fixed(Int)

    /// Reads the wire's number: −1 is adaptive, a positive one is fixed; `nil` for another.
    public init?(wireValue: Int) {
        switch wireValue {
        case -1: self = .adaptive
        case 1...: self = .fixed(wireValue)
        default: return nil
        }
    }

    /// The wire's number.
    public var wireValue: Int {
        switch self {
        case .adaptive: -1
        case .fixed(let size): size
        }
    }
}

/// One registered version of a model.
public struct Model: Sendable, Equatable {
    /// Its name and version.
    public let id: ModelVersion
    /// The type of its inputs.
    public let inputType: InputType
    /// Free labels; none holds a comma or a colon.
    public let labels: [String]
    /// What its containers are made from (with Clipper an image); only kept and shown.
    public let containerName: String
    /// Where its containers find the model's data; only kept and shown.
    public let modelDataPath: String
    /// How many queries one batch holds.
    public let batchSize: BatchSize
    /// Its place in the order of registration, counted over all models; the catalog assigns it.
    public internal(set) var registration: Int

    /// A model as described by its parameters; the catalog checks them when it is registered.
    public init(
        id: ModelVersion, inputType: InputType, labels: [String] = [], containerName: String = "",
        modelDataPath: String = "", batchSize: BatchSize = .adaptive, registration: Int = 0
    ) {
        self.id = id
        self.inputType = inputType
        self.labels = labels
        self.containerName = containerName
        self.modelDataPath = modelDataPath
        self.batchSize = batchSize
        self.registration = registration
    }
}
