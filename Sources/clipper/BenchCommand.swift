import ArgumentParser
import Foundation

/// `clipper bench`
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Load an application and measure its latencies; draw what was measured.",
        discussion: """
            `clipper bench APP …` is `clipper bench run APP …`. Its options are shown by `clipper bench run --help`.

              clipper bench digits --rate 2000 --duration 30s --random-doubles 784
              clipper bench digits --rates 500,1000,2000,4000 \\
                  --random-doubles 784 --json load.json --svg load.svg
              clipper bench digits --step --goal 99% --slo 20ms --random-doubles 784
              clipper bench plot --out goodput.svg --y goodput \\
                  --label deadline=a.json --label aimd=b.json
            """,
        subcommands: [BenchRunCommand.self, BenchPlotCommand.self], defaultSubcommand: BenchRunCommand.self)
}

/// `clipper bench run`, the command that `clipper bench` stands for.
struct BenchRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Send an application requests at a given rate; measure latencies and the share inside the SLO.",
        discussion: """
            An open loop: requests are due at times decided beforehand (--rate, --rates, --step), whatever becomes of \
            the answers, and each latency counts from when its request was due, also where it had to wait for a \
            connection or for the generator itself. So an overloaded frontend cannot hide its delays by slowing the \
            load down (coordinated omission). --closed is the other kind: a request on each connection as soon as the \
            last one is answered, for the highest throughput.

            Goodput is the number of predictions (not default outputs) inside the SLO that come within the run's time, \
            per second. LAG is how late the generator came to its requests: where its 99th percentile passes a \
            millisecond, the generator or its machine is the bottleneck. Requests without an answer when --grace is \
            over count as unanswered, and among the latencies with the time from when they were due to the run's end. \
            Refusals (answers with status 503 and other errors, connections that were refused or broke) are mostly \
            quick, and kept apart. One query goes before everything, also with --warmup 0s, to see whether the \
            application answers: it is in none of the figures, and the frontend counts it.

            With --step a rate is kept only where answers keep up with requests besides: a run that is short beside \
            the SLO would measure what fits into the queue. A rate that misses is tried once more, and counts as \
            missed where it misses again. A step needs some 10 / (1 - goal) requests to tell of the goal: without \
            --duration it is made longer for them, up to 60s, and where they are fewer all the same the result says so. \
            It also says where the generator was late, by more than a tenth of the SLO, at the lowest rate that missed.

            JSON (--json), one object: application, url, started_at, clipper_version, arrivals (poisson, constant, \
            closed), connections, seed, slo_micros, goal, warmup_seconds, grace_seconds, input {source (given, file, \
            random-doubles), count, body_bytes, distinct}, runs, and with --step highest_rate_within_slo and search \
            {complete (where false, the search was ended before its end, and the rate is a lower bound), \
            requests_needed, rests_on_too_few, requests, generator_late}. Each run: rate (none for --closed), \
            duration_seconds, connections, interrupted, sent (= predictions + defaults + rejected + errors + \
            unanswered), answered (HTTP answers of any kind), predictions, defaults {reason: count}, rejected (503), \
            errors {text: count}, unanswered, unsent (those of them that never got a connection), in_slo, share_in_slo \
            (in_slo / sent), goodput, achieved_rate (answers per second), bytes_sent, bytes_received, \
            waited_for_connection, late_sends (more than 1 ms), generator_cpu_share (of one core), latency_micros (of \
            all but refusals), prediction_latency_micros and refusal_latency_micros {p50, p90, p95, p99, p999, p9999, \
            max, mean}, send_lag_micros {p50, p99, max}, latency_curve [[percentile, micros], …], silent_seconds (without a \
            prediction, default output or 503 at the run's end, though requests failed or waited). What there is none of is \
            absent: latencies of no answer, highest_rate_within_slo where no rate kept the SLO, requests where no step had \
            too few, requests_needed for a goal of 100%.

            The exit code is 1 where a run kept less than --goal, if that is given; where in a run no request got a \
            prediction, a default output or a 503, or more than half of them failed or got no answer, or none came any more \
            in the run's last second (or twice the SLO, where that is longer) though requests failed or waited; with --step \
            where no rate keeps the SLO, or a step ended the search as no request was due; where the frontend does not \
            take all connections of a run; and where a result cannot be written. It is 2 where no frontend answers. What \
            was measured before is printed and written all the same. SIGINT and SIGTERM end the load, and the process, once what \
            was measured is printed, with 130 and 143.
            """)

    @Argument(help: ArgumentHelp("The application's name.", valueName: "app"))
    var application: String

    @OptionGroup(title: "Load") var load: LoadOptions
    @OptionGroup(title: "Inputs") var inputs: BenchInputOptions
    @OptionGroup(title: "Search (--step)") var search: SearchOptions
    @OptionGroup(title: "Output") var output: BenchOutputOptions
    @OptionGroup(title: "Frontend") var frontend: BenchFrontendOptions

    func validate() throws {
        let kinds = [load.rate != nil, !load.rates.isEmpty, load.closed != nil, search.step].count { $0 }
        guard kinds == 1 else {
            throw ValidationError("Give one, and only one, of --rate, --rates, --closed and --step.")
        }
        guard load.closed == nil || load.connections == nil else {
            throw ValidationError("--closed says how many connections there are; leave out --connections.")
        }
    }

    func run() async throws {
        do {
            try output.check()
            let session = try await BenchSession(self)
            let report = try await session.report()
            try output.write(report)
            // As others end that a signal has ended.
            if let signal = session.signal { throw ExitCode(128 + signal) }
            if let failure = report.failure { throw failure }
            guard report.isSuccess else { throw ExitCode(1) }
        } catch let failure as CommandFailure {
            Terminal.note(output.json == "-" ? failure.json.text : failure.text)
            throw ExitCode(failure.exitCode)
        }
    }
}

/// `clipper bench plot`
struct BenchPlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw the JSON files of several loads in one plot.",
        discussion: """
            Files with the same label count as repetitions: the median of the runs with the same rate is drawn, and \
            their range.

              clipper bench plot --out goodput.svg --label deadline=a.json \\
                  --label 'fixed(1)=b.json' --optimum 6000
            """)

    @Option(name: .customLong("out"), help: ArgumentHelp("The SVG to write.", valueName: "path"), completion: .file())
    var outputPath: String

    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("A file of `clipper bench --json`, and its name in the plot.", valueName: "name=path"))
    var files: [LabelledFile]

    @Option(
        name: .customLong("y"), help: "What to draw: \(BenchFigure.allCases.map(\.rawValue).joined(separator: ", ")).")
    var figure = BenchFigure.goodput

    @Option(help: ArgumentHelp("The title.", valueName: "text"))
    var title: String?

    @Option(
        help: ArgumentHelp("A goodput to draw a line at: what would be best.", valueName: "rate"),
        transform: { text in try BenchText.rate(text) })
    var optimum: Double?

    @Flag(help: "A logarithmic axis of rates.")
    var logX = false

    @Flag(help: "A logarithmic axis of what is drawn.")
    var logY = false

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("Give at least one --label NAME=PATH.") }
        if logX, figure == .latency {
            throw ValidationError("--log-x is for axes of rates; --y latency has one of percentiles.")
        }
        if optimum != nil, figure != .goodput {
            throw ValidationError("--optimum is a goodput: it belongs to --y goodput.")
        }
    }

    func run() async throws {
        do {
            let reports = try files.map { LabelledReport(label: $0.label, report: try $0.read()) }
            let plot = BenchPlots.plot(
                figure, reports, title: title, optimum: optimum, x: logX ? .logarithmic : .linear,
                y: logY ? .logarithmic : .linear)
            try OutputFile.write(PlotSVG.document(plot), to: outputPath)
        } catch let failure as CommandFailure {
            Terminal.note(failure.text)
            throw ExitCode(failure.exitCode)
        }
    }
}
