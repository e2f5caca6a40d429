/// What happened to a connection. Descriptors are used again: only the order of events tells one from the next.
public enum ConnectionEvent: Hashable, Sendable {
    /// A peer's connection was accepted, before anything came by it.
    case accepted(descriptor: Int32)
    /// A ZMTP handshake is done: messages can flow. libzmq does not tell whose.
    case ready
    /// The connection is gone.
    case disconnected(descriptor: Int32)
}
