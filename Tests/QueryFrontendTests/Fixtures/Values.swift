import ContainerRPC
import Testing

@testable import QueryFrontend

/// A point in time so long after the beginning of a test.
func at(_ time: Duration) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000) + time
}

extension ModelVersion {
    static let sum = ModelVersion(name: "sum", version: "1")
}

extension Registration {
    static let sum = Registration(modelName: "sum", modelVersion: "1", inputType: .float64)
}

extension ContainerMessage {
    static func response(_ id: UInt32, _ outputs: Outputs) -> ContainerMessage {
        .response(PredictResponse(id: id, outputs: outputs))
    }
}

/// A query's outcome, to be compared.
enum Got: Hashable {
    case output(String)
    case defaultOutput(DefaultReason)
    case failed(DefaultReason, String)

    init(_ outcome: Outcome) {
        switch outcome {
        case .output(let text): self = .output(String(decoding: text, as: UTF8.self))
        case .defaultOutput(let reason): self = .defaultOutput(reason)
        case .failed(let reason, let message): self = .failed(reason, message)
        }
    }
}
