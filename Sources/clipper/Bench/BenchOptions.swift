import ArgumentParser
import Foundation

/// How much load, and how long.
struct LoadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Requests per second.", valueName: "rate"), transform: BenchText.rate)
    var rate: Double?

    @Option(
        help: ArgumentHelp("Several rates, one run after the other: 500,1000,2000.", valueName: "rates"),
        transform: { text in
            try text.split(separator: ",", omittingEmptySubsequences: false).map { try BenchText.rate(String($0)) }
        })
    var rates: [Double] = []

    @Option(
        help: ArgumentHelp("A closed loop with so many connections instead of a rate.", valueName: "connections"),
        transform: BenchText.count)
    var closed: Int?

    @Option(help: ArgumentHelp("How the requests of an open loop follow one another: poisson or constant."))
    var arrivals = ArrivalSchedule.Process.poisson

    @Option(
        help: ArgumentHelp(
            """
            How long requests are sent that count. (default: 10s; with --step up to 60s, where 10s have too few \
            requests for the goal)
            """, valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var duration: Duration?

    /// How long requests are sent where nothing says otherwise.
    static let usualDuration = Duration.seconds(10)

    @Option(
        help: ArgumentHelp(
            "How long requests are sent before those that count. (default: 2s; with --step the SLO where that is longer, up "
                + "to 60s, lest answers be missed that only take their time)", valueName: "duration"),
        transform: { text in try DurationText.parse(text, allowsZero: true) })
    var warmup: Duration?

    /// How long the warm-up takes where nothing says otherwise: in a search answers have to come as fast as requests by its
    /// end.
    static func usualWarmup(slo: Duration, isSearch: Bool) -> Duration {
        isSearch ? max(.seconds(2), min(slo, .seconds(60))) : .seconds(2)
    }

    @Option(
        help: ArgumentHelp("How long the last answers are waited for. (default: 5s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text, allowsZero: true) })
    var grace = Duration.seconds(5)

    @Option(
        help: ArgumentHelp(
            """
            Connections of an open loop. (default: 64, or twice as many as the rate keeps busy while answers take as \
            long as the SLO)
            """, valueName: "connections"),
        transform: BenchText.count)
    var connections: Int?

    @Option(help: ArgumentHelp("The seed of arrivals and random inputs. (default: another each time)", valueName: "n"))
    var seed: UInt64?

    @Option(
        name: .customLong("slo"),
        help: ArgumentHelp("The latency objective. (default: the application's)", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var latencySLO: Duration?

    @Option(
        help: ArgumentHelp(
            "A deadline to send with each request (`timeout_micros`), shorter than the application's SLO.",
            valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var deadline: Duration?
}

/// What is sent.
struct BenchInputOptions: ParsableArguments {
    @Option(
        name: .customLong("input"),
        help: ArgumentHelp("An input, as `clipper predict` takes it; several are sent in turn.", valueName: "input"))
    var inputs: [String] = []

    @Option(
        name: .customLong("input-file"),
        help: ArgumentHelp("A file with an input on each line; '-' is standard input.", valueName: "path"),
        completion: .file())
    var inputFile: String?

    @Option(
        help: ArgumentHelp("Arrays of so many random numbers from 0 to 1, no two alike.", valueName: "n"),
        transform: BenchText.count)
    var randomDoubles: Int?

    @Flag(
        help: """
            Vary the inputs, so that no cache answers: of an array the last two numbers are replaced, of a text the \
            first twelve characters.
            """)
    var distinct = false

    func validate() throws {
        guard [!inputs.isEmpty, inputFile != nil, randomDoubles != nil].count(where: { $0 }) == 1 else {
            throw ValidationError(
                "Give one, and only one, of --input (such as '[1.0, 2.0]'), --input-file and --random-doubles.")
        }
    }
}

/// The search for the highest rate.
struct SearchOptions: ParsableArguments {
    @Flag(help: "Search the highest rate that keeps the SLO, a run for each step.")
    var step = false

    @Option(
        help: ArgumentHelp(
            """
            The share of all requests that has to be answered inside the SLO. Without --step, where it is given, a run \
            that misses it makes the exit code 1. (default: 99%)
            """, valueName: "share"),
        transform: { text in try ShareText.parse(text) })
    var goal: Double?

    @Option(
        help: ArgumentHelp("The first rate. (default: 100, or --stop where that is lower)", valueName: "rate"),
        transform: BenchText.rate)
    var start: Double?

    @Option(help: ArgumentHelp("The highest rate. (default: 100000)", valueName: "rate"), transform: BenchText.rate)
    var stop: Double?

    @Option(
        help: ArgumentHelp("How near the result has to be to a rate that missed. (default: 5%)", valueName: "share"),
        transform: { text in try ShareText.parse(text) })
    var tolerance: Double?

    /// The goal, given or not.
    var share: Double { goal ?? 0.99 }

    /// The search as the options describe it.
    func search(slo: Duration) -> RateSearch {
        RateSearch(
            start: start ?? min(100, stop ?? 100), stop: stop ?? max(100_000, start ?? 0), tolerance: tolerance ?? 0.05,
            goal: RateSearch.Goal(share: share, slo: slo))
    }

    func validate() throws {
        guard step || (start ?? stop ?? tolerance) == nil else {
            throw ValidationError("--start, --stop and --tolerance belong to --step.")
        }
        if let start, let stop, start > stop { throw ValidationError("--start must not be above --stop.") }
        // Bisecting a difference of nothing would not end.
        if let tolerance, tolerance < 0.001 { throw ValidationError("--tolerance must be at least 0.1%.") }
    }
}

/// Where the figures go.
struct BenchOutputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write the figures as JSON; '-' is standard output, without tables.", valueName: "path"),
        completion: .file())
    var json: String?

    @Option(
        help: ArgumentHelp(
            "Draw them: over the offered rate for several rates, else the latency's distribution.", valueName: "path"),
        completion: .file())
    var svg: String?

    @Flag(help: "Tell every second how it goes, on standard error, if that is a terminal.")
    var live = false

    /// Makes sure, before a load that takes its time, that its figures can be written.
    ///
    /// - Throws: ``CommandFailure`` for a file that cannot be written.
    func check() throws {
        for path in [json == "-" ? nil : json, svg].compactMap(\.self) { try OutputFile.checkCanWrite(path) }
    }

    /// Prints and writes the report.
    ///
    /// - Throws: ``CommandFailure`` for a file that cannot be written.
    func write(_ report: BenchReport) throws {
        let text = try report.json
        // Before the text: whoever reads that may stop, which ends the process. One that fails costs the other nothing.
        let written = [
            Result { if let json, json != "-" { try OutputFile.write(text + "\n", to: json) } },
            Result { if let svg { try OutputFile.write(PlotSVG.document(BenchPlots.plot(report)), to: svg) } },
        ]
        Terminal.write(json == "-" ? [text] : BenchTables.lines(report))
        for result in written { try result.get() }
    }
}

/// Who is asked.
struct BenchFrontendOptions: ParsableArguments {
    @Option(
        name: .customLong("query"),
        help: ArgumentHelp(
            "The frontend's query address. (environment: CLIPPER_QUERY; default: http://127.0.0.1:1337)",
            valueName: "url"),
        transform: { text in try FrontendAddress(text) })
    var query: FrontendAddress?

    @Option(
        name: .customLong("admin"),
        help: ArgumentHelp(
            """
            The frontend's administration address, asked for the SLO where --slo does not tell. (environment: \
            CLIPPER_ADMIN; default: http://127.0.0.1:1338, unless --query names another frontend)
            """, valueName: "url"),
        transform: { text in try FrontendAddress(text) })
    var administration: FrontendAddress?

    @Flag(
        help: """
            Count every answer with status 200 as a prediction, whatever it holds: to measure a server that is no \
            frontend, such as an echo, in the same way.
            """)
    var acceptAny = false
}
