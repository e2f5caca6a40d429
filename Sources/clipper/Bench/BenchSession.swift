import ContainerRPC
import Foundation
import PlainHTTP
import QueryFrontend

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One call of `clipper bench run`: finds the frontend, runs the loads one after the other, ends them at a signal.
struct BenchSession: Sendable {
    private let command: BenchRunCommand
    private let target: BenchTarget
    private let endpoint: ServerEndpoint
    private let slo: Duration
    private let seed: UInt64
    private let bodies: [BenchBody]
    private let stop = StopSignal()

    /// The signal that has ended the load.
    var signal: Int32? { stop.signal }

    /// - Throws: ``CommandFailure`` where no load can be run.
    init(_ command: BenchRunCommand) async throws {
        self.command = command
        let environment = ProcessInfo.processInfo.environment
        let query = try FrontendAddress.resolve(command.frontend.query, face: .query, environment: environment)
        target = try BenchTarget(address: query, application: command.application)
        seed = command.load.seed ?? UInt64.random(in: 1...999_999_999)
        bodies = try Self.bodies(command, seed: seed)
        let inquiry = BenchInquiry(
            application: command.application, query: query,
            administration: try Self.administration(command.frontend, environment: environment))
        if let slo = command.load.latencySLO {
            self.slo = slo
        } else {
            slo = try await inquiry.latencySLO()
        }
        guard let body = RawJSON(String(decoding: bodies[0].bytes, as: UTF8.self)) else {
            throw CommandFailure.usage("the input makes no JSON")
        }
        try await inquiry.tryOnce(body, patience: slo + .seconds(30), acceptsAny: command.frontend.acceptAny)
        endpoint = try target.endpoint()
        DescriptorLimit.raise()
    }

    /// The administration API: the one that is named; the default one only where the query address is the default too,
    /// as another frontend may stand there.
    private static func administration(
        _ options: BenchFrontendOptions, environment: [String: String]
    ) throws -> AdministrationClient? {
        let isNamed =
            options.administration != nil || environment[FrontendFace.administration.variable]?.isEmpty == false
        let isElsewhere = options.query != nil || environment[FrontendFace.query.variable]?.isEmpty == false
        guard isNamed || !isElsewhere, !options.acceptAny || isNamed else { return nil }
        return AdministrationClient(
            address: try FrontendAddress.resolve(
                options.administration, face: .administration, environment: environment))
    }

    // MARK: - Inputs

    /// Random bodies are made beforehand; more than this would only fill memory.
    private static let mostRandomBytes = 16 << 20
    private static let mostRandomBodies = 256

    private static func bodies(_ command: BenchRunCommand, seed: UInt64) throws -> [BenchBody] {
        let deadline = command.load.deadline
        if let count = command.inputs.randomDoubles {
            var generator = SplitMix64(seed: seed)
            let first = BenchBody(randomDoubles: count, by: &generator, deadline: deadline)
            let total = max(1, min(mostRandomBodies, mostRandomBytes / first.bytes.count))
            return [first]
                + (1..<total).map { _ in BenchBody(randomDoubles: count, by: &generator, deadline: deadline) }
        }
        let texts = try command.inputs.inputFile.map(lines) ?? command.inputs.inputs
        guard !texts.isEmpty else { throw CommandFailure.usage("there is no input: every line is blank") }
        return try texts.map { text in
            try BenchBody(
                input: PredictInput(text: text).json, isVaried: command.inputs.distinct, deadline: deadline)
        }
    }

    /// What is sent, for whoever reads the figures.
    private var input: BenchInput {
        let inputs = command.inputs
        return BenchInput(
            source: inputs.randomDoubles != nil ? .randomDoubles : inputs.inputFile != nil ? .file : .given,
            count: bodies.count, bodyBytes: bodies[0].bytes.count,
            isDistinct: inputs.randomDoubles != nil || inputs.distinct)
    }

    private static func lines(of path: String) throws -> [String] {
        let source = path == "-" ? InputSource.standardInput : .file(path: path)
        return try source.texts(read: InputSource.contents)
    }

    // MARK: - Runs

    /// Runs the loads; a signal, or a run that cannot begin, ends them early, with what was measured so far.
    ///
    /// - Throws: ``CommandFailure`` where nothing was measured.
    func report() async throws -> BenchReport {
        var report = BenchReport(
            application: command.application, url: target.url,
            arrivals: command.load.closed == nil ? command.load.arrivals.rawValue : "closed", connections: 0,
            seed: seed, sloMicros: slo.wholeNanoseconds / 1000, goal: command.search.share, runs: [],
            startedAt: Date().formatted(.iso8601), clipperVersion: Software.version,
            warmupSeconds: warmup.inSeconds, graceSeconds: command.load.grace.inSeconds, input: input,
            isGoalRequired: command.search.goal != nil)
        let signals = Signals([SIGINT, SIGTERM]) { [stop] number in
            // The second signal does not wait for answers any more.
            if stop.isSet { exit(128 + number) }
            stop.set(number)
        }
        defer { withExtendedLifetime(signals) {} }
        do {
            try await load(&report)
        } catch let failure as CommandFailure {
            // Who ends it while its connections are being opened knows why there are too few.
            if !stop.isSet {
                guard !report.runs.isEmpty else { throw failure }
                let count = report.runs.count
                report.failure = failure.after(count == 1 ? "one run was done" : "\(count) runs were done")
            }
        }
        report.connections = report.runs.map(\.connections).max() ?? 0
        return report
    }

    private func load(_ report: inout BenchReport) async throws {
        if command.search.step {
            try await search(&report)
        } else if let connections = command.load.closed {
            report.runs.append(try await run(pace: .closed, connections: connections, duration: duration, index: 0))
        } else {
            for rate in command.load.rate.map({ [$0] }) ?? command.load.rates where !stop.isSet {
                let run = try await run(rate: rate, duration: duration, index: report.runs.count)
                if run.sent == 0, !run.isInterrupted { Terminal.note(Self.nothingDue(rate, duration).text) }
                report.runs.append(run)
            }
        }
    }

    private var duration: Duration { command.load.duration ?? LoadOptions.usualDuration }

    private var warmup: Duration {
        command.load.warmup ?? LoadOptions.usualWarmup(slo: slo, isSearch: command.search.step)
    }

    private func search(_ report: inout BenchReport) async throws {
        var search = command.search.search(slo: slo)
        // Also where a signal ends it while connections are opened.
        defer {
            report.search = BenchSearch(search)
            report.highestRateWithinSLO = search.highestKept
        }
        while let rate = search.next, !stop.isSet {
            let duration = command.load.duration ?? search.duration(at: rate, usual: LoadOptions.usualDuration)
            let run = try await run(rate: rate, duration: duration, index: report.runs.count)
            report.runs.append(run)
            guard !run.isInterrupted else { break }
            guard run.sent > 0 else { return Terminal.note(Self.nothingDue(rate, duration).text) }
            let verdict = search.record(
                RateSearch.Step(
                    requests: run.sent, inside: run.inSLO, keepsUp: run.keepsUp,
                    lag: .seconds((run.sendLag?.p99 ?? 0) * 1e-6)))
            Terminal.note(BenchTables.line(step: report.runs.count, rate: rate, run: run, verdict))
        }
    }

    /// Of no request nothing can be said.
    private static func nothingDue(_ rate: Double, _ duration: Duration) -> CommandFailure {
        .usage(
            "no request was due in \(DurationText.format(duration)) at \(Figures.rate(rate)): "
                + "give a longer --duration")
    }

    private func run(rate: Double, duration: Duration, index: Int) async throws -> BenchRun {
        let schedule = ArrivalSchedule(process: command.load.arrivals, rate: rate, seed: seed &+ UInt64(index))
        return try await run(
            pace: .open(schedule, rate: rate),
            connections: command.load.connections ?? LoadPlan.connections(forRate: rate, slo: slo),
            duration: duration, index: index)
    }

    private func run(
        pace: LoadPlan.Pace, connections: Int, duration: Duration, index: Int
    ) async throws -> BenchRun {
        let plan = LoadPlan(
            pace: pace, connections: connections, warmup: warmup.wholeNanoseconds,
            duration: duration.wholeNanoseconds, grace: command.load.grace.wholeNanoseconds,
            slo: slo.wholeNanoseconds,
            templates: bodies.map { RequestTemplate(path: target.path, host: target.hostHeader, body: $0) },
            firstNumber: Self.firstNumber(), acceptsAny: command.frontend.acceptAny)
        guard command.output.live, isatty(STDERR_FILENO) == 1 else {
            return try await LoadEngine.run(plan, endpoint: endpoint, stop: stop)
        }
        // Writing to a terminal may wait; the load must not.
        let (seconds, continuation) = AsyncStream.makeStream(of: LoadSecond.self)
        let printing = Task {
            for await second in seconds { Terminal.note(BenchTables.line(second)) }
        }
        defer { continuation.finish() }
        let run = try await LoadEngine.run(plan, endpoint: endpoint, stop: stop) { continuation.yield($0) }
        continuation.finish()
        await printing.value
        return run
    }

    /// Microseconds since 1970: higher than any number of an earlier run, as no load has a million requests per second.
    private static func firstNumber() -> UInt64 {
        UInt64(max(0, Date().timeIntervalSince1970 * 1e6))
    }
}
