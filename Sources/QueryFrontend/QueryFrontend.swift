public import ContainerRPC
import Foundation
import Hummingbird
import LogQueue
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
    private let store: SQLiteCatalogStore
    let dispatcher: Dispatcher
    let published: Published
    let direct: (sink: DirectSink, number: Int)
    let queryServer: QueryServer
    private let administration: ServiceGroup
    private let administrationTask: Task<Void, any Error>
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger

    private init(
        addresses: FrontendAddresses, context: Context, catalog: CatalogService,
        configuration: FrontendConfiguration, store: SQLiteCatalogStore, dispatcher: Dispatcher, published: Published,
        direct: (sink: DirectSink, number: Int),
        queryServer: QueryServer, administration: ServiceGroup, administrationTask: Task<Void, any Error>,
        group: MultiThreadedEventLoopGroup, logger: Logger
    ) {
        self.addresses = addresses
        self.context = context
        self.catalog = catalog
        self.configuration = configuration
        self.store = store
        self.dispatcher = dispatcher
        self.published = published
        self.direct = direct
        self.queryServer = queryServer
        self.administration = administration
        self.administrationTask = administrationTask
        self.group = group
        self.logger = logger
    }

    /// Opens the store, binds all ports and begins to serve.
    ///
    /// - Parameter logger: its handler may block: lines wait for it on a thread of their own.
    /// - Throws: what the store says, and `FrontendError` for a setting that cannot be, or an address that cannot be bound.
    public static func start(_ configuration: FrontendConfiguration, logger: Logger) async throws -> QueryFrontend {
        try configuration.validate()
        let logger = logger.queued
        let store = try SQLiteCatalogStore(path: configuration.store)
        let context = try Context()
        let dispatcher = try Dispatcher(cacheBytes: configuration.cacheBytes)
        let published = Published()
        let selectionStore = SQLiteSelectionStore(store, userBound: configuration.usersInStore)
        // Query ids go on where no earlier frontend has been: feedback must not judge another query than it means.
        let firstQueryID = try firstQueryID(ofStart: selectionStore.nextStart(), store: configuration.store)
        let catalog = try CatalogService(store: store, policies: configuration.policies) { catalog in
            let uncached = await dispatcher.publish(catalog)
            let routes = Routes(catalog, handles: dispatcher.handles)
            await published.server?.publish(catalog, routes)
            published.take(catalog, routes)
            // Registered again, it may be another model. No query looks for it any more, and a large cache takes long to
            // search: no thread that serves queries does it.
            for model in uncached { dispatcher.cache.removeAll(of: model) }
        }
        let first = await catalog.catalog
        let endpoints = try await bindRPC(
            configuration, store: selectionStore, dispatcher: dispatcher, context: context, logger: logger)
        await dispatcher.publish(first)
        let sink = DirectSink()
        let direct = (sink, await dispatcher.addSink(sink))

        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
        for loop in group.makeIterator() { loop.execute { ThreadPolicy.gatherWork() } }
        let queryServer: QueryServer
        let administration: (group: ServiceGroup, task: Task<Void, any Error>, port: Int)
        do {
            queryServer = try await startQueries(
                configuration, group: group, dispatcher: dispatcher, catalog: first, firstQueryID: firstQueryID)
            published.server = queryServer
            published.take(first, Routes(first, handles: dispatcher.handles))
            administration = try await startAdministration(
                AdministrationAPI(service: catalog, observer: dispatcher), queryServer.monitoring, configuration,
                logger: logger)
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
                admin: "http://\(bracketed(configuration.adminHost ?? configuration.host)):\(administration.port)",
                rpc: endpoints[0], inProcess: endpoints[1]),
            context: context, catalog: catalog, configuration: configuration, store: store, dispatcher: dispatcher,
            published: published, direct: direct,
            queryServer: queryServer, administration: administration.group, administrationTask: administration.task,
            group: group, logger: logger)
    }

    /// Room for 2³⁶ queries in each start, and for 2¹⁷ starts before ids are beyond what JavaScript holds exactly.
    private static func firstQueryID(ofStart start: Int, store: String) throws -> UInt64 {
        guard (0..<1 << 27).contains(start) else {
            throw CatalogStoreError(.corrupt, "the store '\(store)' says that it was opened \(start) times")
        }
        return UInt64(start) << 36
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }

    private static func bindRPC(
        _ configuration: FrontendConfiguration, store: any SelectionStore, dispatcher: Dispatcher, context: Context,
        logger: Logger
    ) async throws -> [String] {
        // libzmq takes addresses of interfaces, not names of hosts.
        let host = configuration.host == "localhost" ? "127.0.0.1" : bracketed(configuration.host)
        let port = configuration.rpcPort == 0 ? "*" : String(configuration.rpcPort)
        do {
            return try await dispatcher.start(
                Dispatcher.Configuration(
                    endpoints: ["tcp://\(host):\(port)", "inproc://query-frontend"],
                    core: DispatchCore.Configuration(
                        timing: configuration.timing, mostConnections: configuration.maxContainers,
                        bounds: Scheduler.Bounds(
                            slotsPerReplica: configuration.batchesInFlight,
                            queuedQueries: configuration.maxQueuedQueries,
                            queuedBytes: configuration.maxQueuedBytes),
                        selection: Selector.Bounds(
                            usersInMemory: configuration.usersInMemory, feedbackQueries: configuration.feedbackQueries,
                            feedbackAge: configuration.feedbackAge))),
                store: store, policies: configuration.policies, context: context, logger: logger)
        } catch {
            throw FrontendError.cannotBind("RPC", configuration.host, configuration.rpcPort, reason(error))
        }
    }

    private static func startQueries(
        _ configuration: FrontendConfiguration, group: any EventLoopGroup, dispatcher: Dispatcher, catalog: Catalog,
        firstQueryID: UInt64
    ) async throws -> QueryServer {
        do {
            return try await QueryServer.start(
                host: configuration.host, port: configuration.queryPort, group: group, dispatcher: dispatcher,
                catalog: catalog, limits: configuration.limits, firstQueryID: firstQueryID)
        } catch {
            throw FrontendError.cannotBind("query", configuration.host, configuration.queryPort, reason(error))
        }
    }

    /// Runs the administration API in a service group of its own, which `run` shuts down last, and on the process's own
    /// event loops: Hummingbird may still ask something of a loop after its end, and these go on.
    private static func startAdministration(
        _ api: AdministrationAPI, _ monitoring: Monitoring, _ configuration: FrontendConfiguration, logger: Logger
    ) async throws -> (group: ServiceGroup, task: Task<Void, any Error>, port: Int) {
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = api.server(
            host: configuration.adminHost ?? configuration.host, port: configuration.adminPort,
            limits: configuration.limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
            routes: monitoring.addRoutes, onServerRunning: { port.yield($0) })
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
                "administration", configuration.adminHost ?? configuration.host, configuration.adminPort, reason(error))
        }
        throw CancellationError()
    }

    /// The system's words, where it has refused something; NIO's own name its functions.
    private static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }

    // MARK: Serving

    /// Serves until the group shuts down or the task is cancelled: then says that it is not ready any more, stops accepting
    /// after the configuration's `stopDelay`, answers what is in flight, and returns.
    ///
    /// - Throws: what the threads that serve HTTP throw where they cannot be ended; everything has been answered then.
    public func run() async throws {
        // Ends early only by cancellation, which asks for the same.
        try? await gracefulShutdown()
        // In a task that is cancelled every wait ends at once, and nothing in flight would be answered.
        try await Task { try await stop() }.value
    }

    private func stop() async throws {
        if configuration.stopDelay > .zero {
            logger.info(
                "stopping: not ready any more, serving on for a while",
                metadata: ["delay_ms": "\(configuration.stopDelay.wholeNanoseconds / 1_000_000)"])
            queryServer.announceStop()
            try await Task.sleep(for: configuration.stopDelay)
        }
        logger.info("stopping: answering what is in flight")
        let end = ContinuousClock.now + configuration.drainLimit
        await queryServer.drain(within: configuration.drainLimit)
        await administration.triggerGracefulShutdown()
        // Bounded, too: a client of it that never ends its request would hold the stop up.
        await withTaskGroup { [administrationTask] group in
            group.addTask { try? await administrationTask.value }
            group.addTask {
                // What the query port has left of the time; where its clients took all, a request may still end.
                try? await Task.sleep(until: max(end, .now + .seconds(1)))
                administrationTask.cancel()
            }
            await group.next()
            group.cancelAll()
        }
        await dispatcher.stop()
        try await group.shutdownGracefully()
        closeStore()
        logger.info("stopped")
        await LogQueue.standard.flush(within: .seconds(1))
    }

    private func closeStore() {
        do {
            try store.close()
        } catch {
            logger.warning("closing the store: \(error)")
        }
        guard let log = store.leftLog else { return }
        logger.warning(
            "the store could not be written to its end, as on a full disk: its file needs the log beside it, copy both",
            metadata: ["store": "\(store.path)", "log": "\(log)"])
    }

    /// What the frontend serves and how it does at this moment.
    public func status() async -> FrontendStatus {
        await dispatcher.status()
    }
}

/// What has been made known, to be read from everywhere without waiting.
final class Published: Sendable {
    private let stored = Locked<(server: QueryServer?, catalog: Catalog, routes: Routes)>(
        (nil, Catalog(), Routes(handles: Handles())))

    /// The query server, once it is there: the catalog is there before it.
    var server: QueryServer? {
        get { stored.withLock { $0.server } }
        set { stored.withLock { $0.server = newValue } }
    }

    /// The catalog that queries go by.
    var catalog: Catalog { stored.withLock { $0.catalog } }

    /// What that says to queries.
    var routes: Routes { stored.withLock { $0.routes } }

    func take(_ catalog: Catalog, _ routes: Routes) {
        stored.withLock { ($0.catalog, $0.routes) = (catalog, routes) }
    }
}

/// Why a frontend cannot start.
public enum FrontendError: Error, Sendable {
    /// A port cannot be bound: its name, the address, the port, and the system's reason.
    case cannotBind(String, String, Int, String)
    /// A setting has a value that cannot be.
    case invalid(String)
}

extension FrontendError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalid(let text): text
        case .cannotBind(let name, let host, let port, let reason):
            """
            cannot bind the \(name) port to \(host):\(port): \(reason).\(Self.advice(for: reason))
            """
        }
    }

    private static func advice(for reason: String) -> String {
        let reason = reason.lowercased()
        if reason.contains("in use") {
            return " Is another frontend running? Choose another port; 0 lets the system pick one."
        }
        if reason.contains("permission") { return " Choose a port above 1023; 0 lets the system pick one." }
        // What libzmq, getaddrinfo and the system say of names and addresses that are not this machine's.
        let isElsewhere = ["no such device", "cannot assign", "name or service", "host"].contains {
            reason.contains($0)
        }
        return isElsewhere ? " The host must be an address of this machine, or 0.0.0.0 for all of them." : ""
    }
}
