public import ContainerRPC
import Hummingbird
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle

/// A query frontend: takes queries over HTTP, sends them in batches to containers, and answers in time.
///
///     let frontend = try await QueryFrontend.start(FrontendConfiguration(), logger: logger)
///     try await ServiceGroup(services: [frontend], gracefulShutdownSignals: [.sigterm], logger: logger).run()
///
/// A program can embed it and serve closures of its own: a container service connects to `addresses.inProcess` with
/// this frontend's `context`.
public final class QueryFrontend: Service {
    /// Where it can be reached.
    public let addresses: FrontendAddresses
    /// The context that containers in this process connect with.
    public let context: Context
    /// Applications, models and links: changes go through it.
    public let catalog: CatalogService

    private let configuration: FrontendConfiguration
    private let dispatcher: Dispatcher
    private let direct: (sink: DirectSink, number: Int)
    private let queryServer: QueryServer
    private let administration: ServiceGroup
    private let administrationTask: Task<Void, any Error>
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger

    private init(
        addresses: FrontendAddresses, context: Context, catalog: CatalogService,
        configuration: FrontendConfiguration, dispatcher: Dispatcher, direct: (sink: DirectSink, number: Int),
        queryServer: QueryServer, administration: ServiceGroup, administrationTask: Task<Void, any Error>,
        group: MultiThreadedEventLoopGroup, logger: Logger
    ) {
        self.addresses = addresses
        self.context = context
        self.catalog = catalog
        self.configuration = configuration
        self.dispatcher = dispatcher
        self.direct = direct
        self.queryServer = queryServer
        self.administration = administration
        self.administrationTask = administrationTask
        self.group = group
        self.logger = logger
    }

    /// Opens the store, binds all ports and begins to serve.
    ///
    /// - Throws: what the store says, and `FrontendError` for an address that cannot be bound.
    public static func start(_ configuration: FrontendConfiguration, logger: Logger) async throws -> QueryFrontend {
        let store = try SQLiteCatalogStore(path: configuration.store)
        let context = try Context()
        let dispatcher = try Dispatcher()
        let published = PublishedServer()
        let catalog = try CatalogService(store: store) { catalog in
            await dispatcher.publish(catalog)
            await published.server?.publish(catalog)
        }
        let first = await catalog.catalog
        let endpoints = try await bindRPC(configuration, dispatcher: dispatcher, context: context, logger: logger)
        await dispatcher.publish(first)
        let sink = DirectSink()
        let direct = (sink, await dispatcher.addSink(sink))

        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        let queryServer: QueryServer
        let administration: (group: ServiceGroup, task: Task<Void, any Error>, port: Int)
        do {
            queryServer = try await startQueries(configuration, group: group, dispatcher: dispatcher, catalog: first)
            published.set(queryServer)
            administration = try await startAdministration(
                AdministrationAPI(service: catalog, observer: dispatcher), configuration, group: group, logger: logger)
        } catch {
            // A program that embeds the frontend may go on without it.
            await dispatcher.stop()
            try? await group.shutdownGracefully()
            throw error
        }
        let host = bracketed(configuration.host)
        return QueryFrontend(
            addresses: FrontendAddresses(
                query: "http://\(host):\(queryServer.address?.port ?? configuration.queryPort)",
                admin: "http://\(host):\(administration.port)", rpc: endpoints[0], inProcess: endpoints[1]),
            context: context, catalog: catalog, configuration: configuration, dispatcher: dispatcher, direct: direct,
            queryServer: queryServer, administration: administration.group, administrationTask: administration.task,
            group: group, logger: logger)
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }

    private static func bindRPC(
        _ configuration: FrontendConfiguration, dispatcher: Dispatcher, context: Context, logger: Logger
    ) async throws -> [String] {
        // libzmq takes addresses of interfaces, not names of hosts.
        let host = configuration.host == "localhost" ? "127.0.0.1" : bracketed(configuration.host)
        let port = configuration.rpcPort == 0 ? "*" : String(configuration.rpcPort)
        do {
            return try await dispatcher.start(
                Dispatcher.Configuration(
                    endpoints: ["tcp://\(host):\(port)", "inproc://query-frontend"], timing: configuration.timing,
                    slotsPerReplica: configuration.batchesInFlight),
                context: context, logger: logger)
        } catch {
            throw FrontendError.cannotBind("RPC", configuration.host, configuration.rpcPort, "\(error)")
        }
    }

    private static func startQueries(
        _ configuration: FrontendConfiguration, group: any EventLoopGroup, dispatcher: Dispatcher, catalog: Catalog
    ) async throws -> QueryServer {
        do {
            return try await QueryServer.start(
                host: configuration.host, port: configuration.queryPort, group: group, dispatcher: dispatcher,
                catalog: catalog, limits: configuration.limits)
        } catch {
            throw FrontendError.cannotBind("query", configuration.host, configuration.queryPort, "\(error)")
        }
    }

    /// Runs the administration API in a group of its own, which `run` shuts down last.
    private static func startAdministration(
        _ api: AdministrationAPI, _ configuration: FrontendConfiguration, group: any EventLoopGroup, logger: Logger
    ) async throws -> (group: ServiceGroup, task: Task<Void, any Error>, port: Int) {
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = api.server(
            host: configuration.host, port: configuration.adminPort, eventLoopGroup: group, logger: logger,
            onServerRunning: { port.yield($0) })
        var quiet = logger
        quiet.logLevel = .critical
        let services = ServiceGroup(services: [server], logger: quiet)
        let task = Task {
            defer { port.finish() }
            try await services.run()
        }
        for await port in ports { return (services, task, port) }
        do {
            try await task.value
        } catch {
            throw FrontendError.cannotBind(
                "administration", configuration.host, configuration.adminPort, "\(error)")
        }
        throw CancellationError()
    }

    // MARK: Serving

    /// Serves until the group shuts down or the task is cancelled: then stops accepting, answers what is in flight,
    /// and returns.
    public func run() async throws {
        // Ends early only by cancellation, which asks for the same.
        try? await gracefulShutdown()
        logger.info("stopping: answering what is in flight")
        await queryServer.drain(within: configuration.drainLimit)
        await administration.triggerGracefulShutdown()
        // Bounded, too: a client of it that never ends its request would hold the stop up.
        await withTaskGroup { [administrationTask, configuration] group in
            group.addTask { try? await administrationTask.value }
            group.addTask {
                try? await Task.sleep(for: configuration.drainLimit)
                administrationTask.cancel()
            }
            await group.next()
            group.cancelAll()
        }
        await dispatcher.stop()
        try await group.shutdownGracefully()
        logger.info("stopped")
    }

    /// What the frontend serves and how it does at this moment.
    public func status() async -> FrontendStatus {
        await dispatcher.status()
    }

    /// Asks an application, from within this process.
    ///
    /// - Returns: one prediction for each input, in order, each within the application's SLO.
    /// - Throws: `QueryError`.
    public func predict(_ application: String, _ inputs: InputValues) async throws -> [Prediction] {
        let arrived = MonotonicTime.now()
        let catalog = await catalog.catalog
        guard let registered = catalog.applications[application] else {
            throw QueryError.unknownApplication(application)
        }
        guard registered.inputType == inputs.type else {
            throw QueryError.wrongInputType(expected: registered.inputType.name, found: inputs.type.name)
        }
        let route = Route(registered, catalog: catalog, handles: dispatcher.handles)
        let outcomes = await direct.sink.outcomes(of: inputs.count) { number in
            let submission = Submission(
                sink: direct.number, request: number, application: route.handle, model: route.current,
                inputs: .many(inputs.payloads), arrived: arrived, deadline: arrived + route.slo)
            if !dispatcher.submit(submission) {
                direct.sink.deliver(submission.deliveries(.defaultOutput(.stopping)))
            }
        }
        return outcomes.map { outcome in
            switch outcome {
            case .output(let text): Prediction(output: String(decoding: text, as: UTF8.self))
            case .defaultOutput(let reason):
                Prediction(output: registered.defaultOutput, defaultExplanation: reason.explanation)
            }
        }
    }
}

/// The query server, once it is there: the catalog is there before it.
private final class PublishedServer: Sendable {
    private let stored = Locked<QueryServer?>(nil)

    var server: QueryServer? { stored.withLock { $0 } }

    func set(_ server: QueryServer) {
        stored.withLock { $0 = server }
    }
}

/// Why a frontend cannot start.
public enum FrontendError: Error, Sendable {
    /// A port cannot be bound: its name, the address, the port, and the system's reason.
    case cannotBind(String, String, Int, String)
}

extension FrontendError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .cannotBind(let name, let host, let port, let reason):
            """
            cannot bind the \(name) port to \(host):\(port): \(reason). \
            Is another frontend running? Choose another port; 0 lets the system pick one.
            """
        }
    }
}
