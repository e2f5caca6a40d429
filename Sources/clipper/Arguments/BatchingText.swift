import Foundation
import QueryFrontend

/// How batches are formed, as it is written on the command line: `deadline`, `aimd`, `aimd(4,0.9)`, `fixed(64)`, `64`.
enum BatchingText {
    /// What can be written, for messages.
    private static let forms = "deadline, aimd, aimd(INCREASE,BACKOFF), fixed(SIZE) or a positive number"

    /// Reads a limit; its numbers are checked by the frontend.
    ///
    /// - Throws: ``ArgumentTextError``.
    static func parse(_ text: String) throws(ArgumentTextError) -> Batching.Limit {
        let text = text.trimmingCharacters(in: .whitespaces)
        let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
        var arguments: [String] = []
        if parts.count == 2 {
            guard parts[1].hasSuffix(")") else { throw ArgumentTextError("its ')' is missing; expected \(forms)") }
            arguments = parts[1].dropLast().split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        switch (parts[0], arguments.count) {
        case ("deadline", 0) where parts.count == 1:
            return .deadline
        case ("aimd", 0...2) where parts.count == 1 || arguments.first?.isEmpty == false:
            let increase = try arguments.first.map(count) ?? BatchingDescription.defaultIncrease
            let backoff =
                try arguments.dropFirst().first.map(factor) ?? BatchingDescription.defaultBackoff
            return .aimd(increase: increase, backoff: backoff)
        case ("fixed", 1):
            return .fixed(try count(arguments[0]))
        case (_, 0) where parts.count == 1 && text.allSatisfy { $0.isASCII && $0.isNumber } && !text.isEmpty:
            return .fixed(try count(text))
        default:
            throw ArgumentTextError("\(forms) is expected")
        }
    }

    /// Writes a limit so that ``parse(_:)`` reads it.
    static func format(_ limit: Batching.Limit) -> String {
        switch limit {
        case .deadline: "deadline"
        case .aimd(let increase, let backoff): "aimd(\(increase),\(backoff))"
        case .fixed(let size): "fixed(\(size))"
        }
    }

    private static func count(_ text: String) throws(ArgumentTextError) -> Int {
        guard let count = Int(text), count > 0 else {
            throw ArgumentTextError("'\(text)' is no positive whole number")
        }
        return count
    }

    private static func factor(_ text: String) throws(ArgumentTextError) -> Double {
        guard let factor = Double(text), factor > 0, factor < 1 else {
            throw ArgumentTextError("'\(text)' is no number between 0 and 1, such as 0.9")
        }
        return factor
    }
}
