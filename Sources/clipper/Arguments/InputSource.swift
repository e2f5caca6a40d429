import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

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

    /// The bytes of a file, or of standard input.
    ///
    /// - Throws: ``CommandFailure`` for what cannot be read.
    static func contents(of path: String?) throws -> Data {
        do {
            guard let path else { return try FileHandle.standardInput.readToEnd() ?? Data() }
            return try bytes(of: path)
        } catch {
            throw CommandFailure.usage("\(path.map { "'\($0)'" } ?? "standard input") cannot be read: \(error)")
        }
    }

    /// The bytes of a file, which may be a pipe or a device: Foundation reads neither.
    ///
    /// - Throws: `FileProblem`.
    static func bytes(of path: String) throws -> Data {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno) }
        defer { close(descriptor) }
        var bytes = Data()
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += piece[..<count]
            } else if errno != EINTR {
                throw FileProblem(errno)
            }
        }
    }

    /// Why a file cannot be read or written, in the system's words.
    struct FileProblem: Error, CustomStringConvertible {
        let description: String

        init(_ number: Int32) { description = String(cString: strerror(number)) }
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
