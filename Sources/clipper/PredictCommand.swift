import ArgumentParser
import Foundation

/// `clipper predict`
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Ask an application for predictions.",
        discussion: """
            An input that is a JSON array, such as '[1, 2.5]', is sent as it is; any other text is sent as a string. \
            Several inputs make one batch. The outputs are printed in the order of the inputs, one on a line: strings \
            as their text, all else as JSON. A default output is printed as well, and explained on standard error; \
            the exit code is then 3.

              clipper predict digits '[0, 0.5, 1]' '[1, 1, 1]'
              clipper predict sentiment 'What a day'
              clipper predict digits @inputs.jsonl
              clipper predict images --file cat.png
            """)

    @Argument(help: ArgumentHelp("The application's name.", valueName: "app"))
    var application: String

    @Argument(
        help: ArgumentHelp(
            """
            Inputs; '@PATH' stands for the lines of a file and '-' for those of standard input, an input on each \
            line that is not blank. Those lines are never read as '@PATH' or '-' themselves.
            """, valueName: "input"))
    var inputs: [String] = []

    @Option(
        name: .customLong("file"),
        help: ArgumentHelp(
            "A file whose bytes are an input of type bytes; may be given several times.", valueName: "path"),
        completion: .file())
    var files: [String] = []

    @Flag(name: .customLong("string"), help: "Send every input as a string, even one that is a JSON array.")
    var takesStrings = false

    @Option(help: ArgumentHelp("The version of the model to ask, instead of the current one.", valueName: "version"))
    var modelVersion: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The user who asks, for whom the application's policy chooses.", valueName: "uid"))
    var uid: String?

    @Option(
        help: ArgumentHelp(
            "In which time the answer is wanted, where that is shorter than the application's latency objective; then "
                + "the default output comes.", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var deadline: Duration?

    @Option(
        help: ArgumentHelp(
            "How long to wait for the answer. An application's latency objective can be as long as a day. "
                + "(default: 60s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var timeout: Duration?

    @OptionGroup var options: QueryOptions

    func validate() throws {
        guard inputs.isEmpty || files.isEmpty else {
            throw ValidationError("Give either inputs or --file, not both.")
        }
        guard !takesStrings || files.isEmpty else {
            throw ValidationError("--string is about inputs that are given as text; leave it out.")
        }
        guard !inputs.isEmpty || !files.isEmpty else {
            throw ValidationError(
                "Give at least one input, such as '[1.0, 2.0]', or a --file; behind -- where it begins with a hyphen.")
        }
    }

    func run() async throws {
        try await options.run(patience: timeout ?? .seconds(60)) { client in
            let inputs = try readInputs()
            guard !inputs.isEmpty else { throw CommandFailure.usage("there is no input: every line is blank") }
            let (answer, json) = try await client.predict(
                inputs, application: application, PredictOptions(version: modelVersion, user: uid, deadline: deadline))
            if options.json {
                Terminal.write([json])
            } else {
                Terminal.write(answer.outputs.map(\.line))
                answer.defaultNotes.forEach(Terminal.note)
            }
            if answer.outputs.contains(where: \.isDefault) { throw ExitCode(defaultOutputExitCode) }
        }
    }

    private func readInputs() throws -> [PredictInput] {
        guard files.isEmpty else { return try files.map { PredictInput(bytes: try InputSource.contents(of: $0)) } }
        return try inputs.flatMap { try InputSource(argument: $0).texts(read: InputSource.contents) }
            .map { PredictInput(text: $0, isString: takesStrings) }
    }
}
