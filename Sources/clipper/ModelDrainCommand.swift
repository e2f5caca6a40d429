import ArgumentParser
import QueryFrontend

extension ModelCommand {
    /// `clipper model drain`
    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop sending queries to a replica, and wait until it has answered those that it has.",
            discussion: """
                Names one replica, or all that are connected of a version. It gets nothing new, and once nothing is in \
                flight on it the command ends: its container can be stopped then without a query noticing. Queries go \
                to the other replicas meanwhile; where there are none, they get the default output. A container that \
                connects later is a new replica, and is not drained.

                The command can be interrupted, and run again: the draining goes on until --resume ends it. It is the \
                replica's: one whose container connects anew, or whose version is deleted and registered again, is another \
                and gets queries, and so do all once the frontend has restarted.
                """)

        /// What passes between two looks at the replicas.
        private static let pause = Duration.milliseconds(100)

        @OptionGroup var model: ModelVersionArguments

        @Argument(help: "The replica's number, as `clipper status` shows it after the version. (default: all)")
        var replica: Int?

        @Option(
            help: ArgumentHelp(
                "How long to wait for the last answer; then the exit code is 1, and the draining goes on. "
                    + "(default: 60s)", valueName: "duration"),
            transform: { text in try DurationText.parse(text) })
        var timeout: Duration?

        @Flag(
            help: """
                Tell its container to end once it has answered everything. One that speaks RPC 3 cannot be told, and stays.
                """)
        var stop = false

        @Flag(help: "Take it back instead: it gets queries again.")
        var resume = false

        @OptionGroup var options: AdministrationOptions

        func validate() throws {
            if let replica, replica < 0 { throw ValidationError("The replica is \(replica); expected 0 or more.") }
            if resume, stop { throw ValidationError("--resume takes the replica back, --stop ends it: leave one out.") }
            if resume, timeout != nil { throw ValidationError("--resume waits for nothing; leave out --timeout.") }
        }

        func run() async throws {
            try await options.run { client in
                if resume {
                    let (replicas, json) = try await client.drain(model.id, replica: replica, .end)
                    return options.report(
                        json: json, lines: replicas.map { "\(model.id):\($0.replica) gets queries again" })
                }
                try await drain(client)
            }
        }

        private func drain(_ client: AdministrationClient) async throws {
            var progress = DrainProgress(model.id, replica: replica, timeout: timeout ?? .seconds(60), stops: stop)
            let start = ContinuousClock.now
            var (replicas, json) = try await client.drain(model.id, replica: replica, stop ? .beginAndStop : .begin)
            // The order is for these, and not for one that connects later, their replacement perhaps.
            let numbers = Set(replicas.map(\.replica))
            while true {
                switch progress.note(replicas, after: .now - start) {
                case .wait(let news):
                    if let news, !options.json { Terminal.note(news) }
                    try await Task.sleep(for: Self.pause)
                case .done(let lines, let advice):
                    return options.report(
                        json: advice.flatMap { RawJSON(json)?.with("advice", $0).text } ?? json, lines: lines)
                case .tooLate(let failure):
                    throw failure
                }
                (replicas, json) = try await client.replicas(of: model.id, numbers)
            }
        }
    }
}
