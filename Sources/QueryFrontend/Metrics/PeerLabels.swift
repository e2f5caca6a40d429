import ContainerRPC

// What the specifications of the protocol name has hyphens, as there. What the frontend names has underscores.

extension RefusalCode {
    /// The code's name in the specification, as a metric's label.
    var label: String {
        switch self {
        case .inputTypeMismatch: "input-type-mismatch"
        case .unknownField: "unknown-field"
        case .tooMany: "too-many"
        case .invalid: "invalid"
        case .notWanted: "not-wanted"
        default: "other"
        }
    }
}

extension FrontendSession.EndReason {
    /// The reason, as a metric's label.
    var label: String {
        switch self {
        case .silent: "silent"
        case .disconnected: "disconnected"
        case .malformed: "malformed"
        case .wrongOutputCount: "wrong-output-count"
        case .replaced: "replaced"
        case .dismissed: "dismissed"
        case .left: "left"
        case .refused: "refused"
        case .unanswered: "unanswered"
        case .drained: "drained"
        }
    }
}
