public import ContainerRPC

/// How a query frontend is set up.
public struct FrontendConfiguration: Sendable {
    /// The address that the ports are bound to.
    public var host: String
    /// The address that the administration API's port is bound to, where it is another; `nil`: `host`.
    public var adminHost: String?
    /// The query API's port; 0 lets the system pick one.
    public var queryPort: Int
    /// The administration API's port; 0 lets the system pick one.
    public var adminPort: Int
    /// The port that containers connect to; 0 lets the system pick one.
    public var rpcPort: Int
    /// Where applications, models and links are kept: a file's path, or `:memory:`.
    public var store: String
    /// What clients of the query API may ask of it.
    public var limits: HTTPLimits
    /// The times of the sessions with containers.
    public var timing: SessionTiming
    /// Connections to the RPC port at a time, one a container. One too many costs the one by which nothing has come.
    public var maxContainers: Int
    /// Batches that one replica may have in flight; the second hides the round trip.
    public var batchesInFlight: Int
    /// Bytes that the cache of predictions may take, over all models; 0 turns it off.
    public var cacheBytes: Int
    /// Queries that may wait for one model's replicas; what comes beyond is turned away.
    public var maxQueuedQueries: Int
    /// Bytes that the inputs of those queries may take, for each model.
    public var maxQueuedBytes: Int
    /// The policies that applications can be registered with: those that come with the frontend, and your own.
    public var policies: SelectionPolicies
    /// Users of each application whose states are in memory; the others are in the store alone.
    public var usersInMemory: Int
    /// Users whose states are in the store, over all applications. Beyond that those are forgotten whose last feedback was
    /// on the earliest day.
    public var usersInStore: Int
    /// Queries that feedback can name, over all applications.
    public var feedbackQueries: Int
    /// How long feedback can name a query.
    public var feedbackAge: Duration
    /// Threads that serve HTTP; `nil` is one a core.
    public var threads: Int?
    /// How long a stop leaves everything as it is, but that `/health/ready` answers 503: what a balancer takes to notice.
    public var stopDelay: Duration
    /// How long a stop waits for connections that are still being answered.
    public var drainLimit: Duration

    /// A configuration; what is not given is as in `clipper serve`, but for the store, which is in memory. It is checked when
    /// a frontend starts.
    public init(
        host: String = "127.0.0.1", adminHost: String? = nil, queryPort: Int = 1337, adminPort: Int = 1338,
        rpcPort: Int = 7000,
        store: String = ":memory:", limits: HTTPLimits = HTTPLimits(), timing: SessionTiming = .standard,
        maxContainers: Int = 10_000,
        batchesInFlight: Int = 2, cacheBytes: Int = 32 << 20, maxQueuedQueries: Int = 100_000,
        maxQueuedBytes: Int = 256 << 20, policies: SelectionPolicies = .standard, usersInMemory: Int = 50_000,
        usersInStore: Int = 1_000_000, feedbackQueries: Int = 100_000, feedbackAge: Duration = .seconds(600),
        threads: Int? = nil, stopDelay: Duration = .zero,
        drainLimit: Duration = .seconds(30)
    ) {
        self.host = host
        self.adminHost = adminHost
        self.queryPort = queryPort
        self.adminPort = adminPort
        self.rpcPort = rpcPort
        self.store = store
        self.limits = limits
        self.timing = timing
        self.maxContainers = maxContainers
        self.batchesInFlight = batchesInFlight
        self.cacheBytes = cacheBytes
        self.maxQueuedQueries = maxQueuedQueries
        self.maxQueuedBytes = maxQueuedBytes
        self.policies = policies
        self.usersInMemory = usersInMemory
        self.usersInStore = usersInStore
        self.feedbackQueries = feedbackQueries
        self.feedbackAge = feedbackAge
        self.threads = threads
        self.stopDelay = stopDelay
        self.drainLimit = drainLimit
    }

    /// - Throws: `FrontendError.invalid` for the first value that cannot be.
    func validate() throws(FrontendError) {
        if let problem { throw .invalid(problem) }
    }
}

/// Where a frontend can be reached.
public struct FrontendAddresses: Sendable, Hashable {
    /// The query API, such as `http://127.0.0.1:1337`.
    public var query: String
    /// The administration API, such as `http://127.0.0.1:1338`.
    public var admin: String
    /// Where containers connect, such as `tcp://127.0.0.1:7000`.
    public var rpc: String
    /// Where containers in the same process connect, with the frontend's `context`.
    public var inProcess: String
}
