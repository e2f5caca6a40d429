import ContainerRPC
import Foundation
import TestSupport
import Testing

/// One of the package's executables at work. What it prints goes into files, so that it never waits for a reader.
final class ChildProcess: Sendable {
    let name: String
    let arguments: [String]

    private let process: Process
    private let output: URL
    private let errors: URL

    /// - Parameters:
    ///   - environment: besides the test's own, without Clipper's variables.
    ///   - log: where output goes, but for the extension.
    fileprivate init(
        executable: URL, _ name: String, _ arguments: [String], environment: [String: String], log: URL
    ) throws {
        self.name = name
        self.arguments = arguments
        output = log.appendingPathExtension("out")
        errors = log.appendingPathExtension("err")
        process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CLIPPER_") }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.openForWriting(output)
        process.standardError = try Self.openForWriting(errors)
        try process.run()
        OrphanGuard.shared.watch(process.processIdentifier)
    }

    /// Starts an executable that was built beside the tests.
    convenience init(_ name: String, _ arguments: [String], environment: [String: String], log: URL) throws {
        try self.init(
            executable: BuiltProducts.executable(name), name, arguments, environment: environment, log: log)
    }

    private static func openForWriting(_ file: URL) throws -> FileHandle {
        try Data().write(to: file)
        return try FileHandle(forWritingTo: file)
    }

    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// What it has printed so far.
    var standardOutput: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    /// What it has logged so far.
    var standardError: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Sends a signal to the process if it still runs.
    func signal(_ number: Int32) {
        if process.isRunning { kill(process.processIdentifier, number) }
    }

    /// Waits for its end.
    ///
    /// - Returns: the exit status; for a process that a signal has ended, the signal's number with a minus.
    func exitStatus(within limit: Duration = patience) async throws -> Int32 {
        try await eventually("\(name) ends", within: limit) { !process.isRunning }
        OrphanGuard.shared.forget(process.processIdentifier)
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Waits for the first of its lines that begins like this, and returns the rest of it.
    func line(_ prefix: String, within limit: Duration = patience) async throws -> Substring {
        try await eventually("\(name) prints '\(prefix)…'", within: limit) {
            let text = standardOutput
            // The last piece may be half a line.
            let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .first { $0.hasPrefix(prefix) }
            if line == nil, !process.isRunning { throw EndedEarly(name: name, standardError: standardError) }
            return line?.dropFirst(prefix.count)
        }
    }
}

extension ChildProcess: CustomStringConvertible {
    var description: String { "\(name) \(arguments.joined(separator: " "))" }
}

/// A process ended before it said what it had to say.
struct EndedEarly: Error, CustomStringConvertible {
    let name: String
    let standardError: String

    var description: String { "\(name) has ended: \(standardError)" }
}

/// Ends what the tests have started should they themselves crash, or be killed, before they can.
///
/// A shell that is told of each process, by a pipe that closes with the test process, whatever ends that.
private final class OrphanGuard: Sendable {
    static let shared = OrphanGuard()

    private let input: Locked<FileHandle?>

    private init() {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            """
            trap '' INT TERM HUP
            all=" "
            while read -r change number; do
                case $change in
                watch) all="$all$number " ;;
                forget) case $all in *" $number "*) all="${all%% $number *} ${all#* $number }" ;; esac ;;
                esac
            done
            for number in $all; do kill -9 "$number"; done
            """,
        ]
        let pipe = Pipe()
        shell.standardInput = pipe
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        do {
            try shell.run()
            input = Locked(pipe.fileHandleForWriting)
        } catch {
            // The tests can do without.
            input = Locked(nil)
        }
    }

    func watch(_ process: Int32) { write("watch \(process)\n") }

    func forget(_ process: Int32) { write("forget \(process)\n") }

    private func write(_ line: String) {
        input.withLock { try? $0?.write(contentsOf: Data(line.utf8)) }
    }
}
