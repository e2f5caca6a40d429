import ArgumentParser
import ContainerConformance
import ContainerRPC

/// `clipper conformance container`
struct ConformanceContainerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container",
        abstract: "Start a container, many times over, and play its frontend.",
        discussion: """
            The command after `--` is started with CLIPPER_MODEL_NAME, CLIPPER_MODEL_VERSION, CLIPPER_IP and CLIPPER_PORT \
            (RPC 3, section 10), and CLIPPER_INPUT_TYPE where a scenario or --input-type asks for one. It has to serve until \
            it is told to stop. Its model is not known: the kit sends inputs of the type that it registers, and needs no \
            right outputs, only the same for the same input.

            Without --rpc the container is tried in RPC 3 and, if it offers that, in RPC 4. With --rpc 4 it has to offer \
            it. RPC 3 has intervals of 5 s and 30 s, so it takes half a minute in all.

              clipper conformance container -- python3 my_container.py
              clipper conformance container --input-length 784 --rpc 3 -- ./digits
              clipper conformance container --sample-input '[1, 2]' \\
                  --failing-input '[]' -- ./my-container
            """)

    @OptionGroup var options: ConformanceOptions

    @Option(
        name: .customLong("start-timeout"),
        help: ArgumentHelp(
            "How long a container may take until its first heartbeat. (default: 60s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var startTimeout: Duration?

    @Option(
        name: .customLong("input-type"),
        help: ArgumentHelp("What the container is told to take. (default: nothing)", valueName: "type"),
        transform: { text in
            guard let type = InputType(name: text) else {
                throw ArgumentTextError("the types are \(InputType.allCases.map(\.name).joined(separator: ", "))")
            }
            return type
        })
    var inputType: InputType?

    @Option(
        name: .customLong("input-length"), parsing: .unconditional,
        help: ArgumentHelp("Every input has so many elements, for a model that takes no others.", valueName: "number"))
    var inputLength: Int?

    @Option(
        name: .customLong("sample-input"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "An input that the model takes: a JSON array of numbers, a string as it is, or bytes in base 64. Only such "
                + "are sent then. May be given again, best with an input that has another output.",
            valueName: "input"))
    var samples: [String] = []

    @Option(
        name: .customLong("failing-input"), parsing: .unconditional,
        help: ArgumentHelp(
            "An input at which the model fails. A string is given as it is, without quotes.", valueName: "input"))
    var failing: String?

    @Option(
        name: .customLong("slow-input"), parsing: .unconditional,
        help: ArgumentHelp(
            "An input that takes the model a second or more: for heartbeats meanwhile, and for what becomes of it "
                + "when its session ends.",
            valueName: "input"))
    var slow: String?

    @Argument(parsing: .postTerminator, help: "What starts the container, after `--`.")
    var command: [String] = []

    func validate() throws {
        if let inputLength, !(0...1_000_000).contains(inputLength) {
            throw ValidationError("--input-length is \(inputLength); 0 to 1000000 is expected.")
        }
        for text in samples { try check(text, of: "--sample-input") }
        if let failing { try check(failing, of: "--failing-input") }
        if let slow { try check(slow, of: "--slow-input") }
        guard options.list || !command.isEmpty else {
            throw ValidationError("There is no command to start the container; put it after `--`.")
        }
    }

    /// What can be no input is a slip of the command line, and no reason to skip what it was meant for.
    private func check(_ input: String, of option: String) throws {
        guard let objection = InputChoice.objection(to: input, for: inputType) else { return }
        throw ValidationError("\(option): \(objection).")
    }

    func run() async throws {
        let scenarios = ListedScenario.ofContainers
        if options.list { return options.printList(scenarios) }
        try await options.run(suite: "container") {
            let run = ContainerRun(try runOptions(options.chosen(from: scenarios)))
            let progress = ConformanceProgress(total: run.count)
            return await run.run { progress.note($0) }
        }
    }

    private func runOptions(_ names: [String]) throws -> ContainerRun.Options {
        let start: Command
        do {
            start = try Command(command)
        } catch {
            throw CommandFailure.usage("\(error)")
        }
        var run = ContainerRun.Options(command: start)
        run.versions = options.versions
        run.requiresVersion4 = options.version == .four
        run.requiresVersion3 = options.version == .three
        run.only = names
        run.bounds = options.bounds(start: startTimeout)
        run.jobs = options.jobs
        run.inputType = inputType
        run.inputs.length = inputLength
        run.inputs.samples = samples
        run.inputs.failing = failing
        run.inputs.slow = slow
        return run
    }
}
