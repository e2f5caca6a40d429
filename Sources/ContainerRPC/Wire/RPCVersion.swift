/// The versions of the protocol that are spoken here; the raw value is the one on the wire.
public enum RPCVersion: UInt32, Sendable, Hashable, CaseIterable {
    /// That of Clipper's containers (`protocol/rpc-3.md`).
    case three = 3
    /// The better one (`protocol/rpc-4.md`).
    case four = 4
}

extension RPCVersion: CustomStringConvertible {
    public var description: String { "RPC \(rawValue)" }
}
