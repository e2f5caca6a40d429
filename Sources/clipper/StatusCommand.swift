import ArgumentParser

/// `clipper status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show applications, models and replicas: rates, batch sizes, latencies.",
        discussion: """
            An application's latency is that of its queries, from arrival to answer; a model's that of its batches, \
            from dispatch to answer. P50 is the median, P99 the 99th percentile, of the last half minute, or of all \
            where nothing came in that.

            A replica is active; draining, after `clipper model drain`; stuck, while its batch takes far longer than ever \
            before: it gets at most a query to try it with until it answers or registers anew; or unsuitable, if its model \
            is not registered, or with another input type.

            With --watch, rates, shares of default outputs, batch sizes and hit ratios are those since the last look, \
            and a number after a + is how much a count rose since then. The latency of a replica's batches is what \
            was learned for a batch of n queries. Ctrl-C ends it.
            """)

    @OptionGroup var options: AdministrationOptions

    @Flag(help: "Look again and again; on a terminal in place, else one block after the other.")
    var watch = false

    @Option(
        help: ArgumentHelp(
            "How often to look with --watch, such as 500ms; at least 100ms. (default: 2s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var interval: Duration?

    func validate() throws {
        guard let interval else { return }
        guard watch else { throw ValidationError("--interval says how often to look with --watch.") }
        guard interval >= .milliseconds(100) else {
            throw ValidationError("--interval is \(DurationText.format(interval)); expected at least 100ms.")
        }
    }

    func run() async throws {
        try await options.run { client in
            if watch {
                let loop = StatusWatchLoop(
                    address: client.address, interval: interval ?? .seconds(2), printsJSON: options.json)
                return await loop.run()
            }
            let (status, json) = try await client.status()
            options.report(json: json, lines: StatusReport.lines(status, address: client.address.description))
        }
    }
}
