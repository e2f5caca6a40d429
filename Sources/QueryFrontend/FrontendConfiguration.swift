public import ContainerRPC

/// How a query frontend is set up.
public struct FrontendConfiguration: Sendable {
    /// The address that all three ports are bound to.
    public var host: String
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
    /// Batches that one replica may have in flight; the second hides the round trip.
    public var batchesInFlight: Int
    /// Threads that serve HTTP; `nil` is one a core.
    public var threads: Int?
    /// How long a stop waits for connections that are still being answered.
    public var drainLimit: Duration

    public init(
        host: String = "127.0.0.1", queryPort: Int = 1337, adminPort: Int = 1338, rpcPort: Int = 7000,
        store: String = ":memory:", limits: HTTPLimits = HTTPLimits(), timing: SessionTiming = .standard,
        batchesInFlight: Int = 2, threads: Int? = nil, drainLimit: Duration = .seconds(30)
    ) {
        self.host = host
        self.queryPort = queryPort
        self.adminPort = adminPort
        self.rpcPort = rpcPort
        self.store = store
        self.limits = limits
        self.timing = timing
        self.batchesInFlight = batchesInFlight
        self.threads = threads
        self.drainLimit = drainLimit
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
