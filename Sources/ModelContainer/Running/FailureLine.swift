import ContainerRPC
import Logging

/// What is logged of a batch that has failed, or inputs of it: a fault of the model is one that its author should see, an
/// input that it refuses is its sender's, and that it cannot answer now it says itself.
struct FailureLine: Hashable {
    var level: Logger.Level
    var text: String
    /// The inputs that have failed, where others of the batch have not.
    var failed: Int?

    /// - Returns: `nil` where nothing has failed.
    init?(_ result: Result<Outputs, FailureReport>) {
        switch result {
        case .success(let outputs):
            guard !outputs.errors.isEmpty else { return nil }
            failed = outputs.errors.count
            // The first of each kind: a fault of the model hides none that it refused, nor they it.
            var first: [Kind: String] = [:]
            for error in outputs.errors where first[Kind(error.code)] == nil { first[Kind(error.code)] = error.text }
            let kinds = Kind.allCases.filter { first[$0] != nil }
            level = kinds.map(\.level).max() ?? .info
            text = kinds.map { "\($0.rawValue): \(PeerText.line(first[$0] ?? ""))" }.joined(separator: "; ")
        case .failure(let report):
            switch report.code {
            case .tooLate:
                level = .debug
                text = "batch refused: \(report.text)"
            case .invalidInput:
                level = .info
                text = "batch refused: \(PeerText.line(report.text))"
            case .unavailable:
                level = .notice
                text = "unavailable: \(PeerText.line(report.text))"
            default:
                level = .error
                text = "batch failed: \(PeerText.line(report.text))"
            }
        }
    }

    /// What may be wrong with an input, the worst first.
    private enum Kind: String, CaseIterable {
        case fault = "the model failed"
        case unavailable = "unavailable"
        case invalidInput = "invalid input"

        init(_ code: FailureCode) {
            switch code {
            case .invalidInput: self = .invalidInput
            case .unavailable: self = .unavailable
            default: self = .fault
            }
        }

        var level: Logger.Level {
            switch self {
            case .fault: .error
            case .unavailable: .notice
            case .invalidInput: .info
            }
        }
    }
}
