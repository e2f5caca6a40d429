/// Why a command did not do what it was asked to; ends the process with its exit code.
struct CommandFailure: Error, Equatable {
    /// Who was not content, and so the exit code.
    enum Cause: Equatable {
        /// The frontend refused, with this HTTP status, or said that there is no such thing.
        case refused(status: Int?)
        /// No frontend answered.
        case unreachable
        /// The arguments, or the files that they name, cannot be used.
        case usage
        /// A file for results cannot be written.
        case unwritten
    }

    /// Who was not content.
    var cause: Cause
    /// What went wrong, in one line.
    var message: String
    /// What to do about it, where the message does not say so.
    var advice: String?

    /// What the user gave cannot be used.
    static func usage(_ message: String) -> Self {
        CommandFailure(cause: .usage, message: message)
    }

    /// The process's exit code.
    var exitCode: Int32 {
        switch cause {
        case .refused, .unwritten: 1
        case .unreachable: 2
        case .usage: 64
        }
    }

    /// The same failure, after a part of the command was done.
    func after(_ part: String) -> Self {
        var failure = self
        failure.message = "\(part), but then: \(message)"
        return failure
    }

    /// The failure for people: `error: …`, and the advice on a line of its own.
    var text: String {
        "error: " + Printable.line(message) + (advice.map { "\n" + Printable.text($0) } ?? "")
    }

    /// The failure for programs.
    var json: RawJSON {
        var members: [(String, RawJSON)] = [("ok", .boolean(false)), ("error", .string(message))]
        if let advice { members.append(("advice", .string(advice))) }
        if case .refused(let status?) = cause { members.append(("status", .integer(status))) }
        return .object(members)
    }
}

/// The exit code of a prediction some of whose answers are the default output.
let defaultOutputExitCode: Int32 = 3
