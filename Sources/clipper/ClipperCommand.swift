import ArgumentParser
import ContainerRPC

/// The command line: `clipper serve`, and the commands that ask a running frontend.
@main
struct ClipperCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clipper",
        abstract: "Serves predictions of models over HTTP, within a latency objective.",
        discussion: """

            QUICK START:
              clipper serve &
              clipper model register sum 1 --input-type doubles
              clipper app register demo --input-type doubles \\
                  --default-output -1.0 --slo 100ms --link sum
              # start a container of the model 'sum', version 1; then
              clipper predict demo '[1.0, 2.0]'
              clipper status

            EXIT CODES:
              0   done
              1   the frontend refused, or failed; conformance: a scenario failed;
                  bench: a goal was missed, a load mostly failed or was not
                  answered; both: a file could not be written
              2   no frontend answers
              3   predict: an answer is the default output
              64  the command line, an environment variable or an input file is wrong;
                  what the parser finds is told as text, with --json too
              130, 143  bench, conformance: ended by SIGINT, by SIGTERM

            ENVIRONMENT:
              CLIPPER_ADMIN   the administration address, without --admin
              CLIPPER_QUERY   the query address, without --query

            COMPLETIONS:
              clipper --generate-completion-script bash|zsh|fish
              prints the completions of a shell, to be put where it looks for them.
            """,
        version: Software.version,
        subcommands: [
            Serve.self, AppCommand.self, ModelCommand.self, StatusCommand.self, PredictCommand.self, UpdateCommand.self,
            BenchCommand.self, ConformanceCommand.self,
        ])

    // Errors of the parser look like those of the commands.
    static var _errorPrefix: String { "error: " }
}
