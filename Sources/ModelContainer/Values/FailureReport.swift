public import ContainerRPC
import Foundation

/// What is told of an error: to the frontend, to the log, and to whoever tests a container.
///
/// It is made once of each error, whose text may be long and may stand for every input of a batch.
struct FailureReport: Error, Hashable {
    /// The most that is told of an error's text, in bytes: a frontend shows no more.
    static let mostBytes = 1024

    let code: FailureCode
    let text: String

    init(of error: any Error) {
        code = FailureCode(of: error)
        text = Self.beginning(of: Self.text(of: error))
    }

    /// What its author has written for people to read, where there is such a text.
    private static func text(of error: any Error) -> String {
        (error as? any LocalizedError)?.errorDescription ?? "\(error)"
    }

    /// A text's beginning, up to a character's end.
    private static func beginning(of text: String) -> String {
        guard text.utf8.count > mostBytes else { return text }
        let mark = "…"
        return String(decoding: text.utf8Prefix(atMost: mostBytes - mark.utf8.count), as: UTF8.self) + mark
    }
}

extension Outputs {
    /// Appends an error in place of the next outputs, or of so many.
    @usableFromInline
    mutating func appendFailure(_ error: any Error, count failed: Int = 1) {
        let report = FailureReport(of: error)
        for _ in 0..<failed {
            errors.append(ItemError(index: count, code: report.code, text: report.text))
            end()
        }
    }
}
