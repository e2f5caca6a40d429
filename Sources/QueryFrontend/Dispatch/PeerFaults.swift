import ContainerRPC

// What containers do wrong, or fail for, as metrics and the log name it.

extension ContainerSessions.BadMessage: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let error): "\(error)"
        case .unknownID(let id): "answers batch \(id), which is not in flight there"
        case .wrongOutputCount(let expected, let found): "\(found) outputs for a batch of \(expected) inputs"
        }
    }

    /// The kind, as a metric's label.
    var label: String {
        switch self {
        case .malformed(let error): error.kind.rawValue
        case .unknownID: "unknown-id"
        case .wrongOutputCount: "wrong-output-count"
        }
    }
}

extension FailureCode {
    /// Whether the model or its container is to blame, rather than an input, the time or the size of a batch.
    var isReplicas: Bool { self != .invalidInput && self != .tooLate && self != .tooLarge }
}

extension FrontendSession.EndReason {
    /// Whether it ended in good order: nothing was lost, and nobody need look.
    var isExpected: Bool {
        switch self {
        case .left, .drained, .dismissed: true
        case .silent, .disconnected, .malformed, .wrongOutputCount, .replaced, .refused, .unanswered: false
        }
    }
}
