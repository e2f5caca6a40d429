import ContainerRPC

/// Lets one line through per interval: a peer that sends nothing but garbage fills no disk.
struct LogLimit: Sendable {
    private let interval: Duration
    private var next: MonotonicTime?
    private var suppressed = 0

    init(interval: Duration) {
        self.interval = interval
    }

    /// Whether a line may be logged now: then the number of those that could not before, else `nil`.
    mutating func admit(now: MonotonicTime) -> Int? {
        if let next, now < next {
            suppressed += 1
            return nil
        }
        next = now + interval
        defer { suppressed = 0 }
        return suppressed
    }
}

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
        case .drained: "drained"
        }
    }

    /// Whether it ended in good order: nothing was lost, and nobody need look.
    var isExpected: Bool {
        switch self {
        case .left, .drained, .dismissed: true
        case .silent, .disconnected, .malformed, .wrongOutputCount, .replaced, .refused: false
        }
    }
}
