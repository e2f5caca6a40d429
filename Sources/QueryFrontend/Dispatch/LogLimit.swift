import ContainerRPC

/// Lets one line through per interval: a peer that sends nothing but garbage fills no disk.
struct LogLimit: Sendable {
    private let interval: Duration
    /// How far lines may be ahead of their intervals.
    private let lead: Duration
    /// When the next line would be due if none came early.
    private var due: MonotonicTime?
    private var suppressed = 0

    /// - Parameter burst: lines that may come at once after a pause.
    init(interval: Duration, burst: Int = 1) {
        self.interval = interval
        lead = interval * (max(1, burst) - 1)
    }

    /// Whether a line may be logged now: then the number of those that could not before, else `nil`.
    mutating func admit(now: MonotonicTime) -> Int? {
        if let due, now + lead < due {
            suppressed += 1
            return nil
        }
        due = max(due ?? now, now) + interval
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

extension FailureCode {
    /// Whether the model or its container is to blame, rather than an input, the time or the size of a batch.
    var isReplicas: Bool { self != .invalidInput && self != .tooLate && self != .tooLarge }
}

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

    /// Whether it ended in good order: nothing was lost, and nobody need look.
    var isExpected: Bool {
        switch self {
        case .left, .drained, .dismissed: true
        case .silent, .disconnected, .malformed, .wrongOutputCount, .replaced, .refused, .unanswered: false
        }
    }
}
