import ContainerRPC

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
