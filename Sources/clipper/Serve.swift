import ArgumentParser
import ContainerRPC
import Foundation
import LogQueue
import Logging
import PlainHTTP
import QueryFrontend
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#endif

/// `clipper serve`: runs the query frontend.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the query frontend.",
        discussion: """
            Serves the query API, the administration API and the port that containers connect to, until SIGTERM: then \
            it stops accepting (after --stop-delay), answers what is in flight and ends with 0. When all ports are bound it prints one line \
            on standard output:

              ready query=http://… admin=http://… rpc=tcp://…

            Logs go to standard error; with --log-format json also what keeps it from starting. Applications, models and links are kept in the store and restored from it; \
            containers register again by themselves.
            """)

    @Option(help: "The address to bind to; 0.0.0.0 for all interfaces. Nothing is authenticated: mind who can connect.")
    var host = Self.standard.host

    @Option(
        help: ArgumentHelp(
            "The address of the administration API, where it is another: 127.0.0.1 keeps it on this machine.",
            valueName: "host"))
    var adminHost: String?

    @Option(help: "The query API's port; 0 lets the system pick one.")
    var queryPort = Self.standard.queryPort

    @Option(help: "The administration API's port; 0 lets the system pick one.")
    var adminPort = Self.standard.adminPort

    @Option(help: "The port that containers connect to; 0 lets the system pick one.")
    var rpcPort = Self.standard.rpcPort

    @Option(
        help: """
            Where applications, models and links are kept: a file, or :memory:. \
            (default: clipper.sqlite in the state directory, which is $STATE_DIRECTORY, $XDG_STATE_HOME/clipper or \
            ~/.local/state/clipper)
            """)
    var store: String?

    @Option(
        help: "trace, debug, info, notice, warning, error or critical. (default: info)",
        completion: .list(Logger.Level.allCases.map(\.rawValue)), transform: { text in try Logger.Level(name: text) })
    var logLevel = Logger.Level.info

    @Option(
        help: "text, or json: an object a line, with time, level, logger, message and metadata. (default: text)",
        completion: .list(LogFormat.allCases.map(\.rawValue)), transform: { text in try LogFormat(name: text) })
    var logFormat = LogFormat.text

    @Option(
        help: ArgumentHelp(
            "The longest body of a query: bytes, or a number with KiB, MiB or GiB (1024s), k, M or G (1000s). "
                + "(default: \(ByteCountText.format(Self.standard.limits.largestBody)))", valueName: "bytes"),
        transform: { text in try ByteCountText.parse(text) })
    var maxBody: Int?

    @Option(
        help: ArgumentHelp(
            "Memory for the bodies of all queries that are being read or not answered yet, and for long answers until they "
                + "are written, as --max-body is written; what comes beyond is refused with 503. (default: \(ByteCountText.format(Self.standard.limits.bodies)))",
            valueName: "bytes"),
        transform: { text in try ByteCountText.parse(text) })
    var maxBodies: Int?

    @Option(help: "The most inputs of one query.")
    var maxInputs = Self.standard.limits.largestBatch

    @Option(help: "Connections to the query API at a time.")
    var maxConnections = Self.standard.limits.connections

    @Option(
        help: ArgumentHelp(
            "After how long a connection without requests is closed. "
                + "(default: \(DurationText.format(Self.standard.limits.idleTime)))", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var idleTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            "Connections to the RPC port at a time, one a container. What comes beyond costs the connection that has "
                + "been silent for longest.", valueName: "number"))
    var maxContainers = Self.standard.maxContainers

    @Option(
        help:
            "Batches that one container may have in flight; more than 2 only for containers that compute several at once."
    )
    var batchesInFlight = Self.standard.batchesInFlight

    @Option(
        help: ArgumentHelp(
            "Memory for outputs that are kept to answer equal inputs, over all models, as --max-body is written; 0 "
                + "turns the cache off. One output and its input may take an eighth. "
                + "(default: \(ByteCountText.format(Self.standard.cacheBytes)))", valueName: "bytes"),
        transform: { text in try ByteCountText.parse(text) })
    var cacheSize: Int?

    @Option(
        help: ArgumentHelp(
            "Queries that may wait for one model; what comes beyond is turned away at once.", valueName: "number"))
    var maxQueue = Self.standard.maxQueuedQueries

    @Option(
        help: ArgumentHelp(
            "Memory for the inputs of the queries that wait for one model, as --max-body is written; what comes "
                + "beyond is turned away at once. (default: \(ByteCountText.format(Self.standard.maxQueuedBytes)))",
            valueName: "bytes"),
        transform: { text in try ByteCountText.parse(text) })
    var maxQueueBytes: Int?

    @Option(
        help: ArgumentHelp(
            "Queries that feedback can name by their ids, the last ones over all applications that choose models by a "
                + "policy; 0 for none.", valueName: "number"))
    var feedbackWindow = Self.standard.feedbackQueries

    @Option(
        help: ArgumentHelp(
            "How long feedback can name a query: 10m, 600s. "
                + "(default: \(DurationText.format(Self.standard.feedbackAge)))", valueName: "duration"),
        transform: { text in try DurationText.parse(text) })
    var feedbackAge: Duration?

    @Option(
        help: ArgumentHelp(
            "Users of each application whose selection states are held in memory; the others are read from the store.",
            valueName: "number"))
    var usersInMemory = Self.standard.usersInMemory

    @Option(
        help: ArgumentHelp(
            "Users whose selection states are in the store, over all applications; beyond that those are forgotten whose "
                + "last feedback was on the earliest day.",
            valueName: "number"))
    var usersInStore = Self.standard.usersInStore

    @Option(
        help: ArgumentHelp(
            "How long SIGTERM leaves everything as it is, but for /health/ready, which answers 503 from then on: what a "
                + "balancer takes to notice and send its queries elsewhere. (default: 0s)", valueName: "duration"),
        transform: { text in try DurationText.parse(text, allowsZero: true) })
    var stopDelay: Duration?

    @Option(help: "Threads that serve HTTP. (default: one a core)")
    var threads: Int?

    private var largestBody: Int { maxBody ?? Self.standard.limits.largestBody }

    /// Where the defaults come from.
    private static let standard = FrontendConfiguration()

    /// The options that set the properties of a configuration.
    private static let options = [
        "queryPort": "--query-port", "adminPort": "--admin-port", "rpcPort": "--rpc-port",
        "maxContainers": "--max-containers", "batchesInFlight": "--batches-in-flight", "cacheBytes": "--cache-size",
        "maxQueuedQueries": "--max-queue", "maxQueuedBytes": "--max-queue-bytes", "usersInMemory": "--users-in-memory",
        "usersInStore": "--users-in-store", "feedbackQueries": "--feedback-window", "feedbackAge": "--feedback-age",
        "threads": "--threads", "limits.largestBody": "--max-body", "limits.bodies": "--max-bodies",
        "limits.largestBatch": "--max-inputs", "limits.connections": "--max-connections",
        "limits.idleTime": "--idle-timeout", "stopDelay": "--stop-delay",
    ]

    func validate() throws {
        // The store has no rule, and is looked for only when the frontend starts.
        guard let problem = configuration(store: store ?? ":memory:").problem else { return }
        let words = problem.split(separator: " ", omittingEmptySubsequences: false).map { word in
            let name = word.hasSuffix(",") ? word.dropLast() : word
            return Self.options[String(name)].map { $0 + word.dropFirst(name.count) } ?? String(word)
        }
        throw ValidationError(words.joined(separator: " ") + ".")
    }

    func run() async throws {
        let logger = Logger(label: "clipper", format: logFormat, level: logLevel)
        do {
            try await serve(logger)
        } catch let error where logFormat == .json && !(error is ExitCode) {
            // What collects the log reads objects, and this is its last one.
            logger.critical("\(Self.message(for: error))")
            await LogQueue.standard.flush(within: .seconds(1))
            throw Self.exitCode(for: error)
        }
    }

    private func serve(_ logger: Logger) async throws {
        let store = try store ?? Self.defaultStore()
        var configuration = configuration(store: store)
        if let descriptors = DescriptorLimit.raise() {
            let connections = DescriptorLimit.connections(wanted: maxConnections, descriptors: descriptors)
            let containers = DescriptorLimit.containers(wanted: maxContainers, descriptors: descriptors)
            for (whose, option, wanted, given) in [
                ("clients", "--max-connections", maxConnections, connections),
                ("containers", "--max-containers", maxContainers, containers),
            ] where given < wanted {
                logger.warning(
                    "\(whose) get fewer connections than \(option): too few descriptors (ulimit -n)",
                    metadata: ["connections": "\(given)", "descriptors": "\(descriptors)"])
            }
            configuration.limits.connections = connections
            configuration.limits.administrationConnections = DescriptorLimit.administration(descriptors: descriptors)
            configuration.maxContainers = containers
        }
        let frontend: QueryFrontend
        do {
            for (option, host) in [("--host", configuration.host), ("--admin-host", configuration.adminHost)] {
                try Self.check(host, of: option)
            }
            frontend = try await QueryFrontend.start(configuration, logger: logger)
        } catch {
            if logFormat == .json { logger.critical("\(error)") }
            if await !LogQueue.standard.flush(within: .seconds(1)) { _exit(1) }
            guard logFormat == .text else { throw ExitCode(1) }
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            throw ExitCode(1)
        }
        logger.info("serving", metadata: ["store": "\(store)"])
        var groupLogger = logger
        groupLogger.logLevel = .error
        let group = ServiceGroup(
            services: [
                ReadyLine(
                    addresses: frontend.addresses, frontend: frontend,
                    manager: ServiceManager(environment: ProcessInfo.processInfo.environment), logger: logger)
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: groupLogger)
        try await group.run()
        // What containers are told at the end leaves before the process does.
        frontend.context.terminate()
        // An orderly exit would wait for standard error, which the one who writes there holds.
        if await !LogQueue.standard.flush(within: .seconds(1)) { _exit(0) }
    }

    /// Whoever binds a port says only that there is no such device.
    ///
    /// - Throws: ``ArgumentTextError`` for a host whose name has no address.
    private static func check(_ host: String?, of option: String) throws {
        guard let host, (try? ServerEndpoint.resolve(host: host, port: 0)) == nil else { return }
        throw ArgumentTextError(
            "\(option): the host '\(host)' is not known; expected an address of this machine, or 0.0.0.0 for all")
    }

    /// What the arguments say, with that store.
    func configuration(store: String) -> FrontendConfiguration {
        // As they stand in a URL, too.
        func plain(_ host: String) -> String {
            host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        }
        return FrontendConfiguration(
            host: plain(host), adminHost: adminHost.map(plain), queryPort: queryPort, adminPort: adminPort,
            rpcPort: rpcPort,
            store: store,
            limits: HTTPLimits(
                largestBody: largestBody, bodies: maxBodies ?? max(Self.standard.limits.bodies, largestBody),
                largestBatch: maxInputs, idleTime: idleTimeout ?? Self.standard.limits.idleTime,
                connections: maxConnections),
            maxContainers: maxContainers, batchesInFlight: batchesInFlight,
            cacheBytes: cacheSize ?? Self.standard.cacheBytes,
            maxQueuedQueries: maxQueue, maxQueuedBytes: maxQueueBytes ?? Self.standard.maxQueuedBytes,
            usersInMemory: usersInMemory, usersInStore: usersInStore, feedbackQueries: feedbackWindow,
            feedbackAge: feedbackAge ?? Self.standard.feedbackAge, threads: threads,
            stopDelay: stopDelay ?? Self.standard.stopDelay)
    }

    /// The store in the state directory, which is made if it is missing.
    private static func defaultStore() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let directory: String
        if let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first {
            directory = String(given)
        } else if let base = environment["XDG_STATE_HOME"], !base.isEmpty {
            directory = base + "/clipper"
        } else if let home = environment["HOME"], !home.isEmpty {
            directory = home + "/.local/state/clipper"
        } else {
            throw ValidationError("there is no home directory for the store: name a file with --store, or :memory:.")
        }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw ValidationError(
                "the state directory \(directory) cannot be made (\(error.localizedDescription)): name a file with --store."
            )
        }
        return directory + "/clipper.sqlite"
    }
}
