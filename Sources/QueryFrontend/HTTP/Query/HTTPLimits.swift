/// How much the clients of a frontend's HTTP ports may ask of it.
public struct HTTPLimits: Sendable, Hashable {
    /// The longest body, in bytes.
    public var largestBody: Int
    /// The bodies of all requests that are being read or not answered yet, and all long answers that are not written yet,
    /// in bytes together; what comes beyond is refused.
    public var bodies: Int
    /// The longest answer to several inputs, in bytes; what would be longer is refused.
    public var largestAnswer: Int
    /// The most inputs of one request. Each takes a place in the queue and in memory, however small it is.
    public var largestBatch: Int
    /// A connection on which nothing happens for so long is closed.
    public var idleTime: Duration
    /// A request whose body is not there after so long is refused.
    public var bodyTime: Duration
    /// Connections at a time; more are refused.
    public var connections: Int
    /// Connections of the administration API at a time; more are refused.
    public var administrationConnections: Int

    /// Limits of these parts; those that are left out have their defaults.
    public init(
        largestBody: Int = 64 << 20, bodies: Int = 1 << 30, largestAnswer: Int = 256 << 20,
        largestBatch: Int = 50_000,
        idleTime: Duration = .seconds(75),
        bodyTime: Duration = .seconds(30),
        connections: Int = 10_000, administrationConnections: Int = 256
    ) {
        self.largestBody = largestBody
        self.bodies = bodies
        self.largestAnswer = largestAnswer
        self.largestBatch = largestBatch
        self.idleTime = idleTime
        self.bodyTime = bodyTime
        self.connections = connections
        self.administrationConnections = administrationConnections
    }
}
