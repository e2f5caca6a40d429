public import ContainerRPC

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

/// One registered version of a model.
public struct Model: Sendable, Equatable {
    /// Its name and version.
    public let id: ModelVersion
    /// The type of its inputs.
    public let inputType: InputType
    /// Free labels; none holds a comma or a colon.
    public internal(set) var labels: [String]
    /// What its containers are made from (with Clipper an image); only kept and shown.
    public let containerName: String
    /// Where its containers find the model's data; only kept and shown.
    public let modelDataPath: String
    /// How batches for it are formed.
    public internal(set) var batching: Batching
    /// Whether its outputs may be kept for equal inputs; false for a model that is no function of its input.
    public internal(set) var cachesPredictions: Bool
    /// Its place in the order of registration, counted over all models; the catalog assigns it.
    public internal(set) var registration: Int

    /// A model as described by its parameters; the catalog checks them when it is registered.
    public init(
        id: ModelVersion, inputType: InputType, labels: [String] = [], containerName: String = "",
        modelDataPath: String = "", batching: Batching = Batching(), cachesPredictions: Bool = true,
        registration: Int = 0
    ) {
        self.id = id
        self.inputType = inputType
        self.labels = labels
        self.containerName = containerName
        self.modelDataPath = modelDataPath
        self.batching = batching
        self.cachesPredictions = cachesPredictions
        self.registration = registration
    }

    /// Its batching in Clipper's one number: a fixed size, everything else is adaptive.
    package var batchSize: BatchSize { batching.batchSize }

    /// Takes over those options that are given.
    mutating func take(_ options: ModelOptions) {
        if let limit = options.limit {
            if batching.maxBatch == Batching.defaultMaxBatch(for: batching.limit) {
                batching.maxBatch = Batching.defaultMaxBatch(for: limit)
            }
            batching.limit = limit
        }
        if let maxDelay = options.maxDelay { batching.maxDelay = maxDelay }
        if let maxBatch = options.maxBatch { batching.maxBatch = maxBatch }
        if let cachesPredictions = options.cachesPredictions { self.cachesPredictions = cachesPredictions }
        if let labels = options.labels { self.labels = labels }
    }
}
