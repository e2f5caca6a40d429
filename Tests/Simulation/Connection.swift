import ContainerRPC

/// What travels from a container to the frontend.
enum ContainerSpeech {
    case message(ContainerMessage, in: RPCVersion)
    /// Bytes that are no message.
    case malformed(WireError, isRegistration: Bool = false)
}

/// One connection between a container and a frontend, from the container's opening of its socket on.
struct Connection {
    let container: Int
    /// The name under which the frontend's socket knows it.
    let peer: RoutingID
    /// The number of the frontend that accepted it.
    var frontend = -1
    /// The descriptor of its end at the frontend, as long as nothing else has it.
    var descriptor: Int32 = -1
    var isOpenAtFrontend = false
    var isOpenAtContainer = true
    /// Another connection has its routing id: the frontend's socket reads nothing from this one.
    var isMute = false
    /// What was sent and has not arrived never will.
    var losesToFrontend = false
    var losesToContainer = false
    /// What has arrived at the frontend's socket and was not read: from `nextUnread` on.
    var unread: [ContainerSpeech] = []
    var nextUnread = 0
    /// When the last message that is under way arrives: none overtakes another.
    var lastArrivalAtFrontend = MonotonicTime(nanoseconds: 0)
    var lastArrivalAtContainer = MonotonicTime(nanoseconds: 0)
    /// The one before it had the same descriptor, and the same routing id or messages that nobody had read: they can be
    /// taken for each other.
    var isLikeTheLast = false
    /// The container has done on it what ends sessions.
    var hasMisbehaved = false
    /// The container never answers a batch that came by it.
    var hasForgotten = false
    /// The network or its container's machine has failed it.
    var isTroubled = false
    /// It was told by it that no more batches come.
    var wasToldGoodbye = false
    /// That was because an operator had drained it; a goodbye of its own that was under way is answered all the same.
    var wasReleased = false
    /// It was told by it that its registration is not taken.
    var wasRefused = false
    /// The frontend could not send by it at that time.
    var lastRefusal = MonotonicTime(nanoseconds: -1)
    /// When the frontend last read from it.
    var lastHeard = MonotonicTime(nanoseconds: 0)

    /// What was said by it cannot have been meant for another session: its container has done nothing wrong, and has no
    /// routing id that it has had before.
    var isBeyondDoubt: Bool { !hasMisbehaved && peer.container == nil }

    var hasUnread: Bool { nextUnread < unread.count }

    /// Takes the oldest message that was not read.
    mutating func read() -> ContainerSpeech {
        defer {
            nextUnread += 1
            if nextUnread == unread.count {
                unread.removeAll(keepingCapacity: true)
                nextUnread = 0
            }
        }
        return unread[nextUnread]
    }
}

extension RoutingID {
    private static let offer = Array("rpc4-".utf8)

    /// The id that libzmq gives a connection whose peer has none of its own, or a container that offers RPC 4 gives
    /// itself, another one for each connection.
    static func ofConnection(_ number: Int, offering version: RPCVersion) -> RoutingID {
        RoutingID(
            (version == .four ? offer : []) + [
                0, UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
                UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
            ])
    }

    /// The id that a container gives itself, always the same.
    static func ofContainer(_ number: Int, offering version: RPCVersion) -> RoutingID {
        RoutingID((version == .four ? offer : []) + [UInt8(ascii: "c"), UInt8(truncatingIfNeeded: number)])
    }

    /// As a frontend sees it that knows nothing of RPC 4: any id.
    var withoutOffer: RoutingID { RoutingID(Array(plain)) }

    private var plain: ArraySlice<UInt8> { offersVersion4 ? bytes.dropFirst(Self.offer.count) : bytes[...] }

    /// The connection that an id names; `nil` for one that a container always has.
    var connection: Int? {
        guard plain.count == 5, plain.first == 0 else { return nil }
        return plain.dropFirst().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The container that always has this id; `nil` for an id of one connection.
    var container: Int? {
        plain.count == 2 ? plain.last.map(Int.init) : nil
    }
}
