import ContainerRPC
import Logging

/// What is logged of a batch that has failed, or inputs of it: a fault of the model is one that its author should see, an
/// input that it refuses is its sender's.
struct FailureLine: Hashable {
    var level: Logger.Level
    var text: String
    /// The inputs that have failed, where others of the batch have not.
    var failed: Int?

    /// - Returns: `nil` where nothing has failed.
    init?(_ result: Result<Outputs, FailureReport>) {
        switch result {
        case .success(let outputs):
            // One fault of the model is worth more than the inputs that it refused before.
            guard let first = outputs.errors.first(where: { $0.code != .invalidInput }) ?? outputs.errors.first else {
                return nil
            }
            failed = outputs.errors.count
            if first.code == .invalidInput {
                level = .info
                text = "invalid input: \(PeerText.line(first.text))"
            } else {
                level = .error
                text = "the model failed: \(PeerText.line(first.text))"
            }
        case .failure(let report):
            switch report.code {
            case .tooLate:
                level = .debug
                text = "batch refused: \(report.text)"
            case .invalidInput:
                level = .info
                text = "batch refused: \(PeerText.line(report.text))"
            default:
                level = .error
                text = "batch failed: \(PeerText.line(report.text))"
            }
        }
    }
}
