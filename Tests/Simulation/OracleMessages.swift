import ContainerRPC
import QueryFrontend

/// What must hold of what the frontend says.
extension Oracle {
    /// Kinds of messages, for the history.
    static let names = [
        "that it is known", "to register", "a batch", "to register (welcome)", "that it is accepted",
        "that it is refused",
        "feedback", "goodbye", "a notice",
    ]

    static func name(of message: FrontendMessage) -> Int {
        switch message {
        case .heartbeat(.keepAlive): 0
        case .heartbeat(.requestMetadata): 1
        case .request: 2
        case .welcome: 3
        case .accepted: 4
        case .refused: 5
        case .feedback: 6
        case .goodbye: 7
        case .notice: 8
        }
    }

    /// The frontend says something to a peer, as it sees that.
    mutating func told(_ message: FrontendMessage, in version: RPCVersion, _ peer: RoutingID, at now: MonotonicTime) {
        if version == .four, !peer.offersVersion4 {
            violate("a peer that has not offered RPC 4 is told \(Self.names[Self.name(of: message)]) in it", at: now)
        }
        switch message {
        case .heartbeat(.requestMetadata):
            if version == .four { violate("RPC 4 has no request for metadata", at: now) }
        case .heartbeat(.keepAlive), .request:
            break
        case .welcome, .accepted, .refused, .feedback, .goodbye, .notice:
            if version == .three { violate("RPC 3 cannot say \(Self.names[Self.name(of: message)])", at: now) }
        }
    }
}
