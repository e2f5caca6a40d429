import ArgumentParser
import ContainerConformance
import ContainerRPC
import Foundation

/// `clipper conformance frontend`
struct ConformanceFrontendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frontend",
        abstract: "Play containers against a running frontend.",
        discussion: """
            The kit registers applications and models of its own, under names that begin with `conformance-`, by Clipper's \
            administration API, asks their queries, and deletes them in the end. Give it a frontend of its own all the \
            same: it sends what no container should.

              clipper conformance frontend
              clipper conformance frontend --rpc 3 --rpc-port 7001 \\
                  --query http://127.0.0.1:1437 --admin http://127.0.0.1:1438
            """)

    @OptionGroup var options: ConformanceOptions

    @Option(help: ArgumentHelp("The host that containers connect to. (default: that of --query)", valueName: "host"))
    var host: String?

    @Option(
        name: .customLong("rpc-port"), help: ArgumentHelp("The port that containers connect to.", valueName: "port"))
    var rpcPort = 7000

    @Option(
        help: ArgumentHelp(
            "The frontend's query address. (environment: CLIPPER_QUERY; default: http://127.0.0.1:1337)",
            valueName: "url"),
        transform: { text in try FrontendAddress(text) })
    var query: FrontendAddress?

    @Option(
        help: ArgumentHelp(
            "Its administration address. (environment: CLIPPER_ADMIN; default: http://127.0.0.1:1338)", valueName: "url"
        ),
        transform: { text in try FrontendAddress(text) })
    var admin: FrontendAddress?

    func validate() throws {
        guard (1...65_535).contains(rpcPort) else {
            throw ValidationError("--rpc-port is \(rpcPort); 1 to 65535 is expected.")
        }
    }

    func run() async throws {
        let scenarios = ListedScenario.ofFrontends
        if options.list { return options.printList(scenarios) }
        try await options.run(suite: "frontend") {
            let run = FrontendRun(try runOptions(options.chosen(from: scenarios)))
            let progress = ConformanceProgress(total: run.count)
            return await run.run { progress.note($0) }
        }
    }

    private func runOptions(_ names: [String]) throws -> FrontendRun.Options {
        let environment = ProcessInfo.processInfo.environment
        let query = try httpAddress(FrontendAddress.resolve(query, face: .query, environment: environment))
        let admin = try httpAddress(FrontendAddress.resolve(admin, face: .administration, environment: environment))
        let host = host ?? query.host
        var run = FrontendRun.Options(
            rpcEndpoint: "tcp://\(host.contains(":") ? "[\(host)]" : host):\(rpcPort)", query: query,
            administration: admin)
        run.versions = options.versions
        run.requiresVersion4 = options.version == .four
        run.requiresVersion3 = options.version == .three
        run.only = names
        run.bounds = options.bounds(start: nil)
        run.jobs = options.jobs
        return run
    }

    private func httpAddress(_ address: FrontendAddress) throws -> HTTPAddress {
        guard let url = URLComponents(string: address.description), var host = url.host, url.path.isEmpty else {
            throw CommandFailure.usage(
                "\(address) has a path; the kit needs the frontend itself, without a proxy before it")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return HTTPAddress(host: host, port: url.port ?? 80)
    }
}
