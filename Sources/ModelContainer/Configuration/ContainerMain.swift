import ArgumentParser
import ContainerRPC
import Foundation

extension ModelContainer {
    /// Runs the container as a main program, until SIGTERM or SIGINT: then answers what was read and returns. A second
    /// signal makes it return at once, also while the model is at work.
    ///
    /// It takes the flags of `ContainerOptions` and `--help` from the command line; flags beat Clipper's environment
    /// variables, which beat what the code says. What is wrong is printed on standard error, with `--log-format json` as
    /// the log's last line, and ends the process: with 64 for the command line and the settings, with 1 for anything
    /// else. A program with flags of its own calls `run(with:)`.
    ///
    /// - Parameter abstract: one line for the help text.
    /// - Throws: nothing today; it is marked so that a later version may leave errors to its caller.
    public func run(_ abstract: String = "Serves a model to a query frontend.") async throws {
        ContainerCommand.abstract.withLock { $0 = abstract }
        do {
            let command = try ContainerCommand.parse()
            try await run(with: command.options)
        } catch let error as ContainerError {
            ContainerCommand.exit(withError: ValidationError("\(error)."))
        } catch {
            ContainerCommand.exit(withError: error)
        }
    }
}

/// Only its parser and help text are used: the container itself is a value that cannot be parsed.
private struct ContainerCommand: ParsableCommand {
    static let abstract = Locked("")

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: CommandLine.arguments.first.map { URL(fileURLWithPath: $0).lastPathComponent },
            abstract: abstract.withLock { $0 })
    }

    @OptionGroup var options: ContainerOptions
}
