/// One connected container, as the frontend sees it.
public struct ReplicaStatus: Sendable, Codable, Equatable {
    /// The name of the model that it serves.
    public var modelName: String
    /// The version of the model that it serves.
    public var modelVersion: String
    /// Its number among the replicas of this version; counts up from 0 and is not reused.
    public var replica: Int
    /// The printed name of the input type that it announced.
    public var inputType: String
    /// The version of the container protocol that it speaks; `nil` from a frontend that does not tell.
    public var rpcVersion: Int?
    /// What its container has said of itself, by key: `host`, `pid`, `framework`.
    public var metadata: [String: String]?
    /// Batches sent to it and not yet answered.
    public var batchesInFlight: Int
    /// The queries in those batches.
    public var queriesInFlight: Int
    /// Batches that it has answered.
    public var completedBatches: Int
    /// The queries in those batches.
    public var completedQueries: Int
    /// Batches that it has failed for, wholly or for some of their inputs; `nil` from a frontend that does not tell.
    public var failedBatches: Int?
    /// Seconds since anything came from it.
    public var secondsSinceLastMessage: Double
    /// `active`; `stuck` while it is far behind its own latency and gets nothing; `draining` when it was told to stop;
    /// `unsuitable` where its model is not registered, or with another input type.
    public var state: String
    /// The most queries that its next batch may hold; `nil` before that is known.
    public var batchLimit: Int?
    /// What a batch takes apart from its queries, as learned from its latencies, in milliseconds.
    public var latencyInterceptMilliseconds: Double?
    /// What each query adds to a batch, as learned from its latencies, in milliseconds.
    public var latencySlopeMilliseconds: Double?

    /// A replica's status from its parts.
    package init(
        modelName: String, modelVersion: String, replica: Int, inputType: String, rpcVersion: Int? = nil,
        metadata: [String: String]? = nil, batchesInFlight: Int = 0, queriesInFlight: Int = 0,
        completedBatches: Int = 0, completedQueries: Int = 0, failedBatches: Int? = nil,
        secondsSinceLastMessage: Double = 0, state: String = "active", batchLimit: Int? = nil,
        latencyInterceptMilliseconds: Double? = nil, latencySlopeMilliseconds: Double? = nil
    ) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.replica = replica
        self.inputType = inputType
        self.rpcVersion = rpcVersion
        self.metadata = metadata
        self.batchesInFlight = batchesInFlight
        self.queriesInFlight = queriesInFlight
        self.completedBatches = completedBatches
        self.completedQueries = completedQueries
        self.failedBatches = failedBatches
        self.secondsSinceLastMessage = secondsSinceLastMessage
        self.state = state
        self.batchLimit = batchLimit
        self.latencyInterceptMilliseconds = latencyInterceptMilliseconds
        self.latencySlopeMilliseconds = latencySlopeMilliseconds
    }

    enum CodingKeys: String, CodingKey {
        case modelName = "model_name"
        case modelVersion = "model_version"
        case replica
        case inputType = "input_type"
        case rpcVersion = "rpc_version"
        case metadata
        case batchesInFlight = "batches_in_flight"
        case queriesInFlight = "queries_in_flight"
        case completedBatches = "completed_batches"
        case completedQueries = "completed_queries"
        case failedBatches = "failed_batches"
        case secondsSinceLastMessage = "seconds_since_last_message"
        case state
        case batchLimit = "batch_limit"
        case latencyInterceptMilliseconds = "latency_intercept_milliseconds"
        case latencySlopeMilliseconds = "latency_slope_milliseconds"
    }
}

/// One version of a model, as the frontend sees it.
public struct ModelStatus: Sendable, Codable, Equatable {
    /// The model's name.
    public var name: String
    /// The model's version.
    public var version: String
    /// Whether queries go to this version.
    public var isCurrent: Bool
    /// Connected replicas.
    public var replicas: Int
    /// Queries that wait for a replica.
    public var queued: Int
    /// Queries answered per second, lately.
    public var queriesPerSecond: Double
    /// Queries per batch, on average.
    public var meanBatchSize: Double
    /// Queries in the largest batch.
    public var largestBatch: Int
    /// The median time from a batch's dispatch to its answer, in milliseconds.
    public var latencyP50Milliseconds: Double
    /// The 99th percentile of the same.
    public var latencyP99Milliseconds: Double
    /// Queries that were looked up in the cache.
    public var cacheLookups: Int
    /// Those of them that the cache answered.
    public var cacheHits: Int
    /// Queries turned away because there were too many, or because they could not be answered in time.
    public var drops: Int
    /// Queries sent to a second replica because the first was slow.
    public var hedges: Int
    /// Queries sent again because their replica was lost or stuck, or had not computed them.
    public var retries: Int
    /// The printed name of the type of its inputs; `nil` from a frontend that does not tell.
    public var inputType: String?

    /// A model version's status from its parts.
    package init(
        name: String, version: String, isCurrent: Bool, replicas: Int = 0, queued: Int = 0,
        queriesPerSecond: Double = 0, meanBatchSize: Double = 0, largestBatch: Int = 0,
        latencyP50Milliseconds: Double = 0, latencyP99Milliseconds: Double = 0, cacheLookups: Int = 0,
        cacheHits: Int = 0, drops: Int = 0, hedges: Int = 0, retries: Int = 0, inputType: String? = nil
    ) {
        self.name = name
        self.version = version
        self.isCurrent = isCurrent
        self.replicas = replicas
        self.queued = queued
        self.queriesPerSecond = queriesPerSecond
        self.meanBatchSize = meanBatchSize
        self.largestBatch = largestBatch
        self.latencyP50Milliseconds = latencyP50Milliseconds
        self.latencyP99Milliseconds = latencyP99Milliseconds
        self.cacheLookups = cacheLookups
        self.cacheHits = cacheHits
        self.drops = drops
        self.hedges = hedges
        self.retries = retries
        self.inputType = inputType
    }

    enum CodingKeys: String, CodingKey {
        case name
        case version
        case isCurrent = "is_current"
        case replicas
        case queued
        case queriesPerSecond = "queries_per_second"
        case meanBatchSize = "mean_batch_size"
        case largestBatch = "largest_batch"
        case latencyP50Milliseconds = "latency_p50_milliseconds"
        case latencyP99Milliseconds = "latency_p99_milliseconds"
        case cacheLookups = "cache_lookups"
        case cacheHits = "cache_hits"
        case drops
        case hedges
        case retries
        case inputType = "input_type"
    }
}

/// One application, as the frontend sees it.
public struct ApplicationStatus: Sendable, Codable, Equatable {
    /// The application's name.
    public var name: String
    /// The printed name of its input type.
    public var inputType: String
    /// The names of its linked models, in the order of linking.
    public var linkedModels: [String]
    /// Its latency objective, in milliseconds.
    public var sloMilliseconds: Double
    /// Its default output.
    public var defaultOutput: String
    /// Queries answered.
    public var queries: Int
    /// Those of them that got the default output.
    public var defaults: Int
    /// Queries answered per second, lately.
    public var queriesPerSecond: Double
    /// The median time from a query's arrival to its answer, in milliseconds.
    public var latencyP50Milliseconds: Double
    /// The 99th percentile of the same.
    public var latencyP99Milliseconds: Double
    /// How models are chosen and their answers combined; `nil`, as what follows, from a frontend that does not tell.
    public var policy: PolicyDescription?
    /// How errors are measured when feedback comes.
    public var loss: Loss?
    /// Below this confidence the default output is given: 0 (never) to 1.
    public var minConfidence: Double?
    /// The models that get each query and only watch.
    public var shadows: [String]?

    /// An application's status from its parts.
    package init(
        name: String, inputType: String, linkedModels: [String], sloMilliseconds: Double, defaultOutput: String,
        queries: Int = 0, defaults: Int = 0, queriesPerSecond: Double = 0, latencyP50Milliseconds: Double = 0,
        latencyP99Milliseconds: Double = 0, selection: SelectionSettings? = nil
    ) {
        self.name = name
        self.inputType = inputType
        self.linkedModels = linkedModels
        self.sloMilliseconds = sloMilliseconds
        self.defaultOutput = defaultOutput
        self.queries = queries
        self.defaults = defaults
        self.queriesPerSecond = queriesPerSecond
        self.latencyP50Milliseconds = latencyP50Milliseconds
        self.latencyP99Milliseconds = latencyP99Milliseconds
        policy = selection?.policy
        loss = selection?.loss
        minConfidence = selection?.minConfidence
        shadows = selection?.shadows
    }

    enum CodingKeys: String, CodingKey {
        case name
        case inputType = "input_type"
        case linkedModels = "linked_models"
        case sloMilliseconds = "slo_milliseconds"
        case defaultOutput = "default_output"
        case queries
        case defaults
        case queriesPerSecond = "queries_per_second"
        case latencyP50Milliseconds = "latency_p50_milliseconds"
        case latencyP99Milliseconds = "latency_p99_milliseconds"
        case policy
        case loss
        case minConfidence = "min_confidence"
        case shadows = "shadow"
    }
}

/// The whole frontend at one moment; the answer to `GET /admin/status`, in snake case there.
public struct FrontendStatus: Sendable, Codable, Equatable {
    /// Seconds since the frontend started.
    public var uptimeSeconds: Double
    /// The registered applications.
    public var applications: [ApplicationStatus]
    /// The registered versions of models.
    public var models: [ModelStatus]
    /// The connected containers, also those of unregistered models.
    public var replicas: [ReplicaStatus]

    /// A frontend's status from its parts.
    package init(
        uptimeSeconds: Double, applications: [ApplicationStatus], models: [ModelStatus], replicas: [ReplicaStatus]
    ) {
        self.uptimeSeconds = uptimeSeconds
        self.applications = applications
        self.models = models
        self.replicas = replicas
    }

    enum CodingKeys: String, CodingKey {
        case uptimeSeconds = "uptime_seconds"
        case applications
        case models
        case replicas
    }
}

/// Where the administration API learns what goes on in the frontend.
protocol FrontendObserver: Sendable {
    /// The connected containers.
    func replicas() async -> [ReplicaStatus]
    /// The whole frontend; every number finite.
    func status() async -> FrontendStatus
    /// Stops sending new work to one replica of a model version, or to all that are connected, or takes them back.
    ///
    /// What is in flight there stays; asked again, it tells how much of it is left.
    ///
    /// - Returns: The replicas that it concerns, as they are then; `nil` where none is connected.
    func drain(_ model: ModelVersion, replica: Int?, _ draining: Draining) async -> [ReplicaStatus]?
    /// What an application's policy has learned.
    ///
    /// - Parameter user: For whom; `nil`: for the application itself.
    /// - Returns: `nil` where there is nothing to know: of an unknown application, and of one with neither a policy, nor shadows,
    ///   nor several links; where the store cannot be read; and when the frontend is stopping.
    func selectionState(application: String, user: String?) async -> SelectionStateDescription?
    /// Forgets what an application's policy has learned; durable on return.
    ///
    /// - Parameter user: For whom: this user starts from the application's state again. `nil`: for the application and
    ///   all its users.
    /// - Throws: ``CatalogStoreError`` where it cannot be made durable; nothing has changed then.
    func resetSelectionState(application: String, user: String?) async throws
}
