/// The name under which a ROUTER knows a peer: opaque bytes, chosen by libzmq or by the peer.
public struct RoutingID: Hashable, Sendable {
    /// The id as libzmq has it: 1 to 255 bytes, or none where a socket has no such ids.
    public var bytes: [UInt8]

    /// An id of these bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}

extension RoutingID: CustomStringConvertible {
    public var description: String { bytes.quoted }
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
