import ArgumentParser

/// `clipper conformance`
struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "See whether a container, or a frontend, speaks RPC 3 and 4 as they are specified.",
        discussion: """
            Scenario by scenario, the kit plays the other side. A scenario that fails is told with what was expected, what \
            was seen, and all frames of both sides.

              clipper conformance container -- python3 my_container.py
              clipper conformance container --rpc 4 \\
                  --only registration,order -- ./my-container
              clipper conformance frontend --rpc-port 7000
              clipper conformance container --list

            The exit code is 1 if a scenario fails, or the file of --junit cannot be written.
            """,
        subcommands: [ConformanceContainerCommand.self, ConformanceFrontendCommand.self])
}
