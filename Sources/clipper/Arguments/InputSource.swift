import Foundation

/// Where the inputs of a prediction come from, as an argument names it.
enum InputSource: Equatable, Sendable {
    /// The argument is the input.
    case text(String)
    /// `-`: every line of standard input is an input.
    case standardInput
    /// `@PATH`: every line of that file is an input.
    case file(path: String)

    init(argument: String) {
        if argument == "-" {
            self = .standardInput
        } else if argument.hasPrefix("@"), argument.count > 1 {
            self = .file(path: String(argument.dropFirst()))
        } else {
            self = .text(argument)
        }
    }

    /// The texts of the inputs.
    ///
    /// - Parameter read: Gives the bytes of a file, or of standard input for `nil`.
    /// - Throws: ``CommandFailure`` for what cannot be read, or is not UTF-8.
    func texts(read: (_ path: String?) throws -> Data) throws -> [String] {
        switch self {
        case .text(let text): [text]
        case .standardInput: try Self.lines(of: read(nil), name: "standard input")
        case .file(let path): try Self.lines(of: read(path), name: "'\(path)'")
        }
    }

    /// The lines that are not blank; a line ends with LF or CR LF, the last one with the end of the file too.
    private static func lines(of bytes: Data, name: String) throws -> [String] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure.usage("\(name) is not UTF-8 text; --file sends the bytes of a file as one input")
        }
        return text.split { $0 == "\n" || $0 == "\r\n" }.map(String.init)
            .filter { line in !line.allSatisfy(\.isWhitespace) }
    }
}
