import ArgumentParser
import ContainerRPC
import QueryFrontend
import Testing

@testable import clipper

@Suite("The command line")
struct CommandLineTests {
    /// The exit code and the text that the arguments end with before anything runs.
    private func refusal(_ arguments: [String]) -> (code: Int32, text: String)? {
        do {
            _ = try ClipperCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return (ClipperCommand.exitCode(for: error).rawValue, ClipperCommand.fullMessage(for: error))
        }
    }

    @Test("An application is registered with a default that begins with a dash")
    func parsesRegistration() throws {
        let arguments = "app register digits --input-type double --default-output -1.0 --slo 100ms --link m n"
        let command = try #require(
            try ClipperCommand.parseAsRoot(arguments.split(separator: " ").map(String.init)) as? AppCommand.Register)
        #expect(command.name == "digits")
        #expect(command.inputType == .float64)
        #expect(command.defaultOutput == "-1.0")
        #expect(command.latencySLO == .milliseconds(100))
        #expect(command.models == ["m", "n"])
    }

    @Test("A latency objective and a default output that begins with a dash are set")
    func parsesObjective() throws {
        let command: AppCommand.SetOptions = try parse("app set digits --slo 50ms --default-output -2")
        #expect(command.changes == ApplicationOptions(latencySLO: .milliseconds(50), defaultOutput: "-2"))
    }

    @Test("A plot refuses an axis and a line that its figure has not")
    func refusesPlotOptions() throws {
        let plot = ["bench", "plot", "--out", "p.svg", "--label", "a=a.json", "--y"]
        #expect(refusal(plot + ["latency", "--log-x"])?.text.contains("--log-x is for axes of rates") == true)
        #expect(refusal(plot + ["p99", "--optimum", "10"])?.text.contains("it belongs to --y goodput") == true)
        #expect(refusal(plot + ["p99", "--log-x"]) == nil)
        #expect(refusal(plot + ["goodput", "--optimum", "10"]) == nil)
    }

    @Test("A model is registered adaptive unless it gets a batch size")
    func parsesModels() throws {
        let arguments = ["model", "register", "m", "1", "--input-type", "strings"]
        let adaptive = try #require(try ClipperCommand.parseAsRoot(arguments) as? ModelCommand.Register)
        #expect(adaptive.model.id == ModelVersion(name: "m", version: "1"))
        #expect(adaptive.batching.value == Batching())
        #expect(adaptive.cache)
        let fixed = try #require(
            try ClipperCommand.parseAsRoot(arguments + ["--batch-size", "32", "--label", "a", "b", "--json"])
                as? ModelCommand.Register)
        #expect(fixed.batching.value == Batching(.fixed(32)))
        #expect(fixed.labels == ["a", "b"])
        #expect(fixed.options.json)
    }

    @Test("Of a model's options those that are named are set")
    func parsesModelOptions() throws {
        func changes(_ arguments: String) throws -> ModelOptions {
            try parse("model set m 1 \(arguments)", as: ModelCommand.SetOptions.self).changes
        }
        #expect(try changes("--max-batch 8") == ModelOptions(maxBatch: 8))
        #expect(
            try changes("--batching aimd(4,0.9) --max-delay 0ms")
                == ModelOptions(limit: .aimd(increase: 4, backoff: 0.9), maxDelay: .zero))
        #expect(try changes("--batch-size -1 --no-cache") == ModelOptions(limit: .deadline, cachesPredictions: false))
        #expect(try changes("--label a b") == ModelOptions(labels: ["a", "b"]))
        #expect(try changes("--no-labels") == ModelOptions(labels: []))
        #expect(refusal(["model", "set", "m", "1"])?.text.contains("There is nothing to set") == true)
        let both = ["model", "set", "m", "1", "--label", "a", "--no-labels"]
        #expect(refusal(both)?.text.contains("contradict") == true)
    }

    private func parse<Command>(_ arguments: String, as type: Command.Type = Command.self) throws -> Command {
        let words = arguments.split(separator: " ").map(String.init)
        return try #require(try ClipperCommand.parseAsRoot(words) as? Command)
    }

    @Test("The deadline of a load's requests is a duration like all others")
    func parsesDeadline() throws {
        let load = "bench run digits --rate 10 --input [1] --deadline"
        let command: BenchRunCommand = try parse("\(load) 2.5ms")
        #expect(command.load.deadline == .microseconds(2500))
        #expect(refusal("\(load) 2500".split(separator: " ").map(String.init))?.code == 64)
    }

    @Test(
        "How batches are formed is read with its bounds",
        arguments: [
            ("--batching deadline", Batching()), ("--batching 64", Batching(.fixed(64))),
            ("--batching fixed(64) --batch-size 64", Batching(.fixed(64))),
            ("--batching aimd --batch-size adaptive", Batching(limit: .aimd(increase: 2, backoff: 0.9))),
            (
                "--batching aimd(4,0.5) --max-delay 2ms --max-batch 512",
                Batching(limit: .aimd(increase: 4, backoff: 0.5), maxDelay: .milliseconds(2), maxBatch: 512)
            ),
            ("--batch-size 8 --max-delay 0ms", Batching(.fixed(8))),
            ("--batching 10000", Batching(limit: .fixed(10_000), maxBatch: 10_000)),
        ])
    func parsesBatching(options: String, batching: Batching) throws {
        let command: ModelCommand.Register = try parse("model register m 1 --input-type doubles \(options)")
        #expect(command.batching.value == batching)
    }

    @Test("A batch size that leaves it to the frontend contradicts a fixed one, too")
    func refusesAdaptiveFixed() {
        let arguments = "model register m 1 --input-type doubles --batch-size adaptive --batching 64"
        #expect(refusal(arguments.split(separator: " ").map(String.init))?.text.contains("contradict") == true)
    }

    @Test("A search up to a low rate begins there, with a warm-up that answers need which take their time")
    func search() throws {
        let command: BenchRunCommand = try parse("bench run a --input [1] --step --stop 50")
        #expect(command.search.search(slo: .seconds(1)).next == 50)
        #expect(LoadOptions.usualWarmup(slo: .seconds(5), isSearch: true) == .seconds(5))
        #expect(LoadOptions.usualWarmup(slo: .seconds(86_400), isSearch: true) == .seconds(60))
        #expect(LoadOptions.usualWarmup(slo: .seconds(5), isSearch: false) == .seconds(2))
    }

    @Test("Feedback and queries of files have no text that could be sent as a string")
    func refusesStringOfFile() {
        #expect(refusal(["predict", "a", "--file", "x", "--string"])?.text.contains("--string") == true)
    }

    @Test("The cache of a model is turned off")
    func parsesCache() throws {
        let command: ModelCommand.Register = try parse("model register m 1 --input-type doubles --no-cache")
        #expect(!command.cache)
    }

    @Test(
        "The options of an application are read where they are given",
        arguments: [
            ("--overload reject", ApplicationOptions(overload: .reject)),
            ("--hedge", ApplicationOptions(hedging: .on(Hedging()))),
            (
                "--hedge --hedge-after 99% --hedge-budget 0.1",
                ApplicationOptions(hedging: .on(Hedging(quantile: 0.99, maxExtraWork: 0.1)))
            ),
            ("--no-hedge --overload default", ApplicationOptions(overload: .defaultOutput, hedging: .off)),
        ])
    func parsesOptions(options: String, expected: ApplicationOptions) throws {
        let change: AppCommand.SetOptions = try parse("app set a \(options)")
        #expect(change.settings.options == expected)
        let registration: AppCommand.Register = try parse(
            "app register a --input-type doubles --default-output x --slo 1s \(options)")
        #expect(registration.settings.options == expected)
    }

    @Test(
        "How an application selects is read where it is given",
        arguments: [
            ("--policy exp3", ApplicationOptions(policy: PolicyDescription("exp3"))),
            (
                "--policy weighted(a:90,b=10) --loss squared",
                ApplicationOptions(
                    policy: PolicyDescription("weighted", ["a": .number(90), "b": .number(10)]), loss: .squared)
            ),
            ("--min-confidence 60%", ApplicationOptions(minConfidence: 0.6)),
            ("--min-confidence 0", ApplicationOptions(minConfidence: 0)),
            ("--shadow m n --overload reject", ApplicationOptions(overload: .reject, shadows: ["m", "n"])),
            ("--no-shadow", ApplicationOptions(shadows: [])),
        ])
    func parsesSelection(options: String, expected: ApplicationOptions) throws {
        let change: AppCommand.SetOptions = try parse("app set a \(options)")
        #expect(change.settings.options == expected)
        let registration: AppCommand.Register = try parse(
            "app register a --input-type doubles --default-output x --slo 1s \(options)")
        #expect(registration.settings.options == expected)
    }

    @Test("A policy is set with what goes with it")
    func parsesPolicies() throws {
        let command: AppCommand.SetPolicy = try parse("app set-policy a exp4(share:0.1) --loss log --shadow m")
        #expect(command.name == "a")
        #expect(
            command.selection.options(command.policy)
                == ApplicationOptions(
                    policy: PolicyDescription("exp4", ["share": .number(0.1)]), loss: .log, shadows: ["m"]))
    }

    @Test("A state is shown or reset, for a user or without")
    func parsesStates() throws {
        let shown: AppCommand.State.Show = try parse("app state a --uid 7 --json")
        #expect(shown.name == "a")
        #expect(shown.uid == "7")
        #expect(!shown.reset)
        #expect(shown.options.json)
        let flag: AppCommand.State.Show = try parse("app state a --reset")
        #expect(flag.reset)
        #expect(flag.uid == nil)
        let reset: AppCommand.State.Reset = try parse("app state reset a --uid x")
        #expect(reset.name == "a")
        #expect(reset.uid == "x")
        let named: AppCommand.State.Show = try parse("app state show reset")
        #expect(named.name == "reset")
    }

    @Test("An application gets no options but those that are given")
    func leavesOptions() throws {
        let command: AppCommand.Register = try parse("app register a --input-type b --default-output x --slo 1s")
        #expect(command.settings.options == ApplicationOptions())
    }

    @Test("A drain names a version, or one of its replicas")
    func parsesDrain() throws {
        let all: ModelCommand.Drain = try parse("model drain m 1 --timeout 5s")
        #expect(all.model.id == ModelVersion(name: "m", version: "1"))
        #expect(all.replica == nil)
        #expect(all.timeout == .seconds(5))
        let one: ModelCommand.Drain = try parse("model drain m 1 3 --resume")
        #expect(one.replica == 3)
        #expect(one.resume)
    }

    @Test("The frontend's bounds are read with their units, and are those of the library otherwise")
    func parsesBounds() throws {
        let standard: Serve = try parse("serve")
        #expect(standard.configuration(store: "s").cacheBytes == 32 << 20)
        #expect(standard.configuration(store: "s").maxQueuedQueries == 100_000)
        #expect(standard.configuration(store: "s").maxQueuedBytes == 256 << 20)
        #expect(standard.configuration(store: "s").problem == nil)
        let other: Serve = try parse("serve --cache-size 0 --max-queue 7 --max-queue-bytes 1.5KiB")
        #expect(other.configuration(store: "s").cacheBytes == 0)
        #expect(other.configuration(store: "s").maxQueuedQueries == 7)
        #expect(other.configuration(store: "s").maxQueuedBytes == 1536)
    }

    @Test("Each option of the frontend is the setting that it names")
    func parsesSettings() throws {
        let serve: Serve = try parse(
            "serve --host [::1] --admin-host [::2] --query-port 1 --admin-port 2 --rpc-port 3 --max-inputs 4 "
                + "--max-connections 5 --idle-timeout 6s --max-containers 7 --batches-in-flight 8 --users-in-memory 9 "
                + "--users-in-store 10 --feedback-window 11 --feedback-age 12m --threads 13 "
                + "--max-body 1KiB --max-bodies 2KiB")
        let settings = serve.configuration(store: "s")
        #expect(settings.problem == nil)
        #expect(settings.host == "::1" && settings.adminHost == "::2")
        #expect([settings.queryPort, settings.adminPort, settings.rpcPort] == [1, 2, 3])
        #expect(settings.limits.largestBatch == 4 && settings.limits.connections == 5)
        #expect(settings.limits.idleTime == .seconds(6))
        #expect(settings.limits.largestBody == 1024 && settings.limits.bodies == 2048)
        #expect(settings.maxContainers == 7 && settings.batchesInFlight == 8)
        #expect(settings.usersInMemory == 9 && settings.usersInStore == 10)
        #expect(settings.feedbackQueries == 11 && settings.feedbackAge == .seconds(720))
        #expect(settings.threads == 13)
    }

    @Test("Where one body may be longer than all are by default, all may be as long")
    func parsesLongBodies() throws {
        let serve: Serve = try parse("serve --max-body 2GiB")
        #expect(serve.configuration(store: "s").limits.bodies == 2 << 30)
        #expect(serve.configuration(store: "s").problem == nil)
    }

    @Test("Inputs may be a dash, negative arrays and files of lines")
    func parsesInputs() throws {
        let command = try #require(
            try ClipperCommand.parseAsRoot(["predict", "a", "-", "[-1]", "@x", "--model-version", "2"])
                as? PredictCommand)
        #expect(command.inputs == ["-", "[-1]", "@x"])
        #expect(command.modelVersion == "2")
    }

    @Test(
        "What cannot be understood ends with 64 and says why",
        arguments: [
            (["app", "register", "a", "--input-type", "doubles", "--default-output", "x", "--slo", "100"], "100ms"),
            (["app", "register", "a", "--input-type", "tensors", "--default-output", "x", "--slo", "1s"], "floats"),
            (["model", "register", "m", "1", "--input-type", "doubles", "--batch-size", "0"], "adaptive"),
            (
                ["model", "register", "m", "1", "--input-type", "doubles", "--batch-size", "8", "--batching", "aimd"],
                "--batch-size 8 and --batching aimd(2,0.9) contradict each other"
            ),
            (
                ["model", "register", "m", "1", "--input-type", "doubles", "--batching", "best"],
                "aimd(INCREASE,BACKOFF)"
            ),
            (["model", "register", "m", "1", "--input-type", "doubles", "--max-batch", "0"], "at least 1"),
            (["model", "register", "m", "1", "--input-type", "doubles", "--max-delay", "2"], "2ms"),
            (["model", "drain", "m", "1", "--resume", "--timeout", "1s"], "--timeout"),
            (["model", "drain", "m", "1", "x"], "replica"),
            (["app", "set", "a"], "nothing to set"), (["app", "set", "a", "--hedge-after", "95%"], "needs --hedge"),
            (["app", "set", "a", "--no-hedge", "--hedge-budget", "5%"], "needs --hedge"),
            (["app", "set", "a", "--hedge", "--hedge-after", "100%"], "less than 100%"),
            (["app", "set", "a", "--hedge", "--hedge-after", "95"], "95%"),
            (["app", "set", "a", "--overload", "drop"], "default, reject"),
            (["app", "set", "a", "--policy", "weighted(90)"], "KEY: VALUE"),
            (["app", "set", "a", "--loss", "mse"], "zero-one, absolute, squared, log"),
            (["app", "set", "a", "--min-confidence", "60"], "60%"),
            (["app", "set", "a", "--shadow", "m", "--no-shadow"], "contradict each other"),
            (["app", "set-policy", "a"], "<policy>"), (["app", "set-policy", "a", "exp3("], "')' is missing"),
            (["app", "state", "reset"], "<name>"),
            (["serve", "--cache-size", "32mb"], "MiB"), (["serve", "--max-queue", "0"], "--max-queue is 0"),
            (["serve", "--max-queue-bytes", "0"], "--max-queue-bytes is 0"),
            (["serve", "--admin-port", "1337"], "--query-port and --admin-port are both 1337"),
            (["serve", "--max-body", "2MiB", "--max-bodies", "1MiB"], "expected at least --max-body, 2097152."),
            (["serve", "--threads", "1025"], "--threads is 1025; expected at most 1024."),
            (["serve", "--feedback-window=-1"], "--feedback-window is -1; expected at least 0."),
            (["serve", "--log-level", "loud"], "trace, debug, info"), (["serve", "--idle-timeout", "75"], "75s"),
            (["status", "--admin", "ftp://a"], "http://127.0.0.1:1338"),
            (["bench", "a", "--input", "1", "--step", "--tolerance", "0.01%"], "at least 0.1%"),
            (["predict", "a"], "at least one input"),
            (["predict", "a", "x", "--file", "y"], "not both"),
            (["frobnicate"], "frobnicate"),
        ])
    func refuses(arguments: [String], text: String) throws {
        let ending = try #require(refusal(arguments))
        #expect(ending.code == 64)
        #expect(ending.text.hasPrefix("error: "))
        #expect(ending.text.contains(text))
    }

    @Test("The help names exit codes and completions, and --version the version")
    func helps() {
        let help = ClipperCommand.helpMessage()
        #expect(help.contains("EXIT CODES"))
        #expect(help.contains("--generate-completion-script"))
        #expect(refusal(["--version"])?.text == "0.1.0")
    }

    @Test("Examples in help texts fit a terminal's line: wrapped, they would be two commands")
    func examples() {
        var commands: [any ParsableCommand.Type] = [ClipperCommand.self]
        var seen = 0
        while let command = commands.popLast() {
            commands += command.configuration.subcommands
            for line in command.configuration.discussion.split(separator: "\n") where line.hasPrefix("  ") {
                seen += 1
                #expect(line.count <= 80, "\(command): \(line)")
            }
        }
        #expect(seen > 10)
    }
}
