import ArgumentParser

/// `clipper status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show applications, models and replicas: rates, batch sizes, latencies.",
        discussion: """
            An application's latency is that of its queries, from arrival to answer; a model's that of its batches, \
            from dispatch to answer. P50 is the median, P99 the 99th percentile.
            """)

    @OptionGroup var options: AdministrationOptions

    func run() async throws {
        try await options.run { client in
            let (status, json) = try await client.status()
            options.report(json: json, lines: StatusReport.lines(status, address: client.address.description))
        }
    }
}
