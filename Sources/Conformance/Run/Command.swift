import ContainerRPC
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program with its arguments, as it is to be started.
public struct Command: Hashable, Sendable {
    /// Where the program is.
    let executable: String
    let arguments: [String]

    /// The command of these words: the program and its arguments.
    ///
    /// - Throws: `Unstartable` where there is no such program: a name without a slash is looked for in `PATH`.
    public init(_ words: [String]) throws {
        guard let name = words.first, !name.isEmpty else { throw Unstartable("no command is given") }
        arguments = Array(words.dropFirst())
        let searchPath = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let candidates =
            name.contains("/") ? [name] : searchPath.split(separator: ":").map { "\($0)/\(name)" }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Unstartable("there is no program '\(name)' that can be started")
        }
        executable = found
    }

    /// A program cannot be started, and why.
    public struct Unstartable: Error, CustomStringConvertible {
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }
}

/// How a program ended.
enum ProgramEnd: Hashable, CustomStringConvertible {
    case status(Int32)
    case signal(Int32)

    var description: String {
        switch self {
        case .status(let status): "exit status \(status)"
        case .signal(let signal): "signal \(signal)"
        }
    }
}

/// A command at work.
///
/// It is spawned here and not by Foundation, which hands on the signals that this process blocks or ignores: a container
/// has to see SIGTERM.
final class StartedCommand: Sendable {
    private let identifier: pid_t
    private let cleanUpNumber: Int
    private let printed: ProgramOutput
    private let end = Locked<ProgramEnd?>(nil)

    /// - Parameter environment: besides this process's own, without Clipper's variables.
    init(_ command: Command, environment: [String: String]) throws {
        let all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CLIPPER_") }
            .merging(environment) { $1 }
        let started: (identifier: pid_t, printed: ProgramOutput)
        (started, cleanUpNumber) = try CleanUps.shared.add {
            // No other command starts meanwhile, which would inherit the pipe before that is marked.
            let printed = try ProgramOutput()
            defer { printed.closeWritingEnd() }
            do {
                let identifier = try spawn(command, environment: all, output: printed.writingEnd)
                return ((identifier, printed), undo: { kill(-identifier, SIGKILL) })
            } catch {
                printed.stop()
                throw error
            }
        }
        (identifier, printed) = started
    }

    /// Kills what still runs.
    func finish() {
        // Its whole group: a shell's own children, too.
        kill(-identifier, SIGKILL)
        // A killed process ends soon, whatever it does: this is a bound for a system in trouble.
        let limit = MonotonicTime.now() + .seconds(5)
        // Polled, because waitpid(2) takes no bound.
        while programEnd == nil, MonotonicTime.now() < limit { usleep(2_000) }
        CleanUps.shared.remove(cleanUpNumber)
        printed.stop()
    }

    /// Sends a signal if it still runs.
    func signal(_ number: Int32) {
        if programEnd == nil { kill(identifier, number) }
    }

    /// How it ended; `nil` while it runs.
    var programEnd: ProgramEnd? {
        end.withLock { end in
            var status: Int32 = 0
            guard end == nil, waitpid(identifier, &status, WNOHANG) == identifier else { return end }
            // The macros of wait(2): a status of the lowest 7 bits 0 is an exit.
            end = status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
            return end
        }
    }

    /// The end of what it has printed.
    var output: String { printed.end }
}

/// Starts a process in a group of its own, with the signals as a shell gives them to a program.
private func spawn(_ command: Command, environment: [String: String], output: Int32) throws -> pid_t {
    #if canImport(Darwin)
        var attributes: posix_spawnattr_t?
        var actions: posix_spawn_file_actions_t?
    #else
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)

    let arguments = ([command.executable] + command.arguments).map { strdup($0) }
    let variables = environment.map { strdup("\($0.key)=\($0.value)") }
    defer { for text in arguments + variables { free(text) } }
    var identifier: pid_t = 0
    let result = posix_spawn(
        &identifier, command.executable, &actions, &attributes, arguments + [nil], variables + [nil])
    guard result == 0 else {
        throw Command.Unstartable("\(command.executable) cannot be started: \(String(cString: strerror(result)))")
    }
    return identifier
}
