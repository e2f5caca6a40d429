/// The times that RPC 3 has built into both sides (`protocol/rpc-3.md`, "Timing"), and a frontend of RPC 4 states.
public struct SessionTiming: Hashable, Sendable {
    /// A container that has received nothing for so long sends a heartbeat.
    public var heartbeatInterval: Duration
    /// A side that has received nothing for so long gives the session up.
    public var silenceLimit: Duration
    /// A container's first pause before it opens the next session; each failure doubles it.
    public var firstBackoff: Duration
    /// A container's longest pause.
    public var longestBackoff: Duration

    /// The times of RPC 3, but for those that are given.
    public init(
        heartbeatInterval: Duration = .seconds(5), silenceLimit: Duration = .seconds(30),
        firstBackoff: Duration = .milliseconds(100), longestBackoff: Duration = .seconds(5)
    ) {
        self.heartbeatInterval = heartbeatInterval
        self.silenceLimit = silenceLimit
        self.firstBackoff = firstBackoff
        self.longestBackoff = longestBackoff
    }

    /// The times of RPC 3.
    public static let standard = SessionTiming()

    /// A container that is told to stop waits so long for its frontend's goodbye (`protocol/rpc-4.md`, 8.5).
    static let patience = Duration.seconds(5)
    /// A container that was refused without a time comes back after so long (8.1).
    static let refusalPause = Duration.seconds(5)

    /// The times as a frontend of RPC 4 states them.
    public var welcome: Welcome {
        Welcome(heartbeatInterval: heartbeatInterval, silenceLimit: silenceLimit)
    }
}
