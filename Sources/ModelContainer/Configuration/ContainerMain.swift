import ArgumentParser
import Foundation
import Synchronization

extension ModelContainer {
    /// Runs the container as a main program: takes the flags of `ContainerOptions` and `--help`, prints what is wrong
    /// on standard error and exits.
    ///
    /// - Parameter abstract: one line for the help text.
    public func main(_ abstract: String = "Serves a model to a query frontend.") async {
        ContainerCommand.abstract.withLock { $0 = abstract }
        do {
            let command = try ContainerCommand.parse()
            try await run(with: command.options)
        } catch {
            ContainerCommand.exit(withError: error)
        }
    }
}

/// Only its parser and help text are used: the container itself is a value that cannot be parsed.
private struct ContainerCommand: ParsableCommand {
    static let abstract = Mutex("")

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: (CommandLine.arguments.first.map { URL(fileURLWithPath: $0).lastPathComponent }) ?? "container",
            abstract: abstract.withLock { $0 })
    }

    @OptionGroup var options: ContainerOptions
}
