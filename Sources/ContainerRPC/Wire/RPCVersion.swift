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

extension RoutingID {
    /// How the routing id of a container begins that speaks RPC 4.
    static let prefixOfVersion4: [UInt8] = Array("rpc4-".utf8)

    /// An id that offers RPC 4, other ones for each session: the prefix and 128 random bits in hexadecimal.
    public static func offeringVersion4(using generator: inout some RandomNumberGenerator) -> RoutingID {
        var digits: [UInt8] = []
        for _ in 0..<2 {
            let word = generator.next()
            for nibble in 0..<16 {
                digits.append(Array("0123456789abcdef".utf8)[Int((word >> (4 * UInt64(nibble))) & 15)])
            }
        }
        return RoutingID(prefixOfVersion4 + digits)
    }

    /// Whether the peer offers RPC 4.
    public var offersVersion4: Bool { bytes.starts(with: Self.prefixOfVersion4) }
}
