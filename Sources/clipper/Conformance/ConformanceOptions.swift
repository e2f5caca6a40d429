import ArgumentParser
import ContainerConformance
import ContainerRPC
import Foundation

/// What both of `clipper conformance container` and `frontend` take.
struct ConformanceOptions: ParsableArguments {
    @Option(
        name: .customLong("rpc"),
        help: ArgumentHelp(
            "Only this version of the protocol, 3 or 4. (default: both; RPC 4 only if it is offered)",
            valueName: "version"),
        transform: { text in
            guard let number = UInt32(text), let version = RPCVersion(rawValue: number) else {
                throw ArgumentTextError("the versions are 3 and 4")
            }
            return version
        })
    var version: RPCVersion?

    @Option(
        name: .customLong("only"),
        help: ArgumentHelp("A scenario's name, or several with commas; may be given again.", valueName: "names"))
    var names: [String] = []

    @Flag(help: "Print the scenarios, their versions and the sections that they test; play none.")
    var list = false

    @Option(
        name: .customLong("junit"), help: ArgumentHelp("Write the results as JUnit's XML, too.", valueName: "path"),
        completion: .file())
    var junitPath: String?

    @Option(
        help: ArgumentHelp("How long to wait for what should come at once. (default: 15s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var timeout: Duration?

    @Option(help: ArgumentHelp("How many scenarios are played at a time.", valueName: "number"))
    var jobs = 4

    func validate() throws {
        guard jobs > 0 else { throw ValidationError("--jobs is \(jobs); at least 1 is expected.") }
    }

    /// The versions to play, RPC 3 first.
    var versions: [RPCVersion] { version.map { [$0] } ?? [.three, .four] }

    /// The names that are asked for.
    ///
    /// - Throws: ``CommandFailure`` where a scenario has no such name, or is not played in the version.
    func chosen(from scenarios: [ListedScenario]) throws -> [String] {
        let chosen = names.flatMap { $0.split(separator: ",").map(String.init) }
        for name in chosen {
            guard let scenario = scenarios.first(where: { $0.name == name }) else {
                throw CommandFailure(
                    cause: .usage, message: "there is no scenario '\(name)'", advice: "--list shows the names")
            }
            if let version, scenario.sections[version] == nil {
                throw CommandFailure.usage("the scenario '\(name)' is not played in \(version)")
            }
        }
        return chosen
    }

    /// The kit's patience.
    func bounds(start: Duration?) -> Bounds {
        Bounds(answer: timeout ?? .seconds(15), start: start ?? .seconds(60))
    }

    /// Prints the scenarios.
    func printList(_ scenarios: [ListedScenario]) {
        let rows = scenarios.filter { version == nil || $0.versions.contains { $0 == version } }.map { scenario in
            [
                scenario.name, scenario.versions.map { "\($0.rawValue)" }.joined(separator: " "),
                scenario.versions.compactMap { scenario.sections[$0] }.joined(separator: ", "), scenario.summary,
            ]
        }
        let table = Table(columns: [.left("SCENARIO"), .left("RPC"), .left("SECTION"), .left("TESTS")], rows: rows)
        Terminal.write(table.lines)
    }

    /// Prints what came of a run and writes its files.
    ///
    /// - Throws: `ExitCode` 1 if a scenario has failed; ``CommandFailure`` for a file that cannot be written.
    func report(_ results: [ScenarioResult], suite: String, after time: Duration) throws {
        let report = ConformanceReport(results, time: time)
        let hasFailed = results.contains(where: \.verdict.isFailure)
        // Before the text: whoever reads that may stop, which ends the process.
        let written = Result { () throws(CommandFailure) in
            if let junitPath {
                try OutputFile.write(JUnitReport(suite: suite, results: results).text, to: junitPath)
            }
        }
        Terminal.write(report.lines(inColour: Terminal.screen()?.showsColour ?? false))
        try written.get()
        if hasFailed { throw ExitCode(1) }
    }

    /// Plays and reports; a failure is printed and becomes the exit code. A signal ends what was started and deletes what
    /// was registered, and then the process; a second one waits for nothing.
    ///
    /// - Parameter play: a command's body.
    func run(suite: String, _ play: () async throws -> [ScenarioResult]) async throws {
        let stop = StopSignal()
        let signals = Signals([SIGINT, SIGTERM, SIGHUP]) { number in
            if stop.isSet { Self.exit(withError: ExitCode(128 + number)) }
            stop.set(number)
            // A thread of its own: the same signal is not seen again before this has returned.
            Thread {
                CleanUps.shared.run(within: .seconds(5))
                Self.exit(withError: ExitCode(128 + number))
            }.start()
        }
        defer { withExtendedLifetime(signals) {} }
        do {
            if let junitPath { try OutputFile.checkCanWrite(junitPath) }
            let start = MonotonicTime.now()
            let results = try await play()
            // What was interrupted has no results; the clean-ups' thread ends the process.
            if stop.isSet { try await Task.sleep(for: .seconds(60)) }
            try report(results, suite: suite, after: .now() - start)
        } catch let failure as CommandFailure {
            Terminal.note(failure.text)
            throw ExitCode(failure.exitCode)
        }
    }
}
