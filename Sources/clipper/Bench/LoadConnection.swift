/// One connection of the load, with at most one request on it.
struct LoadConnection {
    /// What it is doing.
    enum State {
        /// It is to be opened again.
        case closed
        /// It is being opened.
        case connecting
        /// It waits for a request.
        case idle
        /// It waits for an answer.
        case busy
    }

    var state = State.closed
    /// The socket, unless it is closed.
    var descriptor: Int32 = -1
    /// Counts the sockets, so that news of an earlier one are told apart.
    var generation: UInt32 = 0
    /// Whether the socket has brought an answer.
    var isProven = false
    /// Whether it stands in the queue of idle connections, perhaps since before it was closed.
    var isQueued = false
    /// When its request was due.
    var due: Int64 = 0
    /// What has come of an answer that is not complete.
    var received: [UInt8] = []
    /// A request that could not be sent at once, and where its rest begins.
    var unsent: [UInt8] = []
    var unsentStart = 0

    /// What names the socket to ``Readiness``.
    func token(index: Int) -> UInt64 { UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index)) }
}
