import ContainerRPC
import Testing

/// A point in time so long after the beginning of a test.
func at(_ time: Duration) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000) + time
}

extension Registration {
    static let sum = Registration(modelName: "sum", modelVersion: "1", inputType: .float64)
}

extension PredictRequest {
    /// A batch with one input.
    static func batch(_ id: UInt32, _ kind: RequestKind = .predict) -> PredictRequest {
        PredictRequest(id: id, kind: kind, inputs: InputValues(elements: .float64([1, 2]), rowEnds: [2]))
    }
}

extension ContainerMessage {
    static func response(_ id: UInt32, _ outputs: Outputs) -> ContainerMessage {
        .response(PredictResponse(id: id, outputs: outputs))
    }
}

extension ContainerSession {
    /// A session whose connection stands since the test began.
    static func connected(_ timing: SessionTiming = .standard) -> ContainerSession {
        var session = ContainerSession(.sum, now: at(.zero), timing: timing)
        #expect(session.tick(now: at(.zero)) == .open)
        #expect(session.connected(now: at(.zero)) == .send(.heartbeat))
        return session
    }

    /// Opens the session that follows the one which ended at `time`, and connects it at once.
    mutating func reconnect(after time: Duration) {
        let due = deadline ?? at(time)
        #expect(tick(now: due) == .open)
        #expect(connected(now: due) == .send(.heartbeat))
    }
}
