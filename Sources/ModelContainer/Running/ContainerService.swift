import ArgumentParser
public import ContainerRPC
import Foundation
import LogQueue
public import Logging
public import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A container at work, as a service of a larger program: ends gracefully with its group, and at once where its task is
/// cancelled besides.
public struct ContainerService: Service {
    private let container: ModelContainer
    private let configuration: ContainerConfiguration
    private let context: Context?
    private let logger: Logger

    /// - Parameter context: shared with the frontend where the endpoint is `inproc`; `nil` for one of the service's own,
    ///   which ends with it when the last answer has left.
    package init(
        _ container: ModelContainer, configuration: ContainerConfiguration, context: Context? = nil, logger: Logger
    ) {
        self.container = container
        self.configuration = configuration
        self.context = context
        self.logger = logger.queued
    }

    /// Serves until the group shuts down or the task is cancelled.
    ///
    /// - Throws: `TransportError` for what libzmq or the system refuses, such as one more socket; not for a frontend that is away.
    public func run() async throws {
        let context = try context ?? Context()
        let loop = try ContainerLoop(configuration, model: container.model, context: context, logger: logger)
        let result: Result<Void, any Error>
        do { result = .success(try await loop.serveUntilCancelled()) } catch { result = .failure(error) }
        // A context that others use is theirs to end.
        if self.context == nil { await loop.end(context) }
        try result.get()
        // The process may end right after this.
        await LogQueue.standard.flush(within: .seconds(1))
    }
}

extension ContainerLoop {
    /// Serves until it is stopped, its group shuts down or its task is cancelled.
    func serveUntilCancelled() async throws {
        try await withGracefulShutdownHandler {
            try await withTaskCancellationHandler {
                try await serve()
            } onCancel: {
                self.stop("its task is cancelled")
            }
        } onGracefulShutdown: {
            self.stop("its program shuts down")
        }
    }

    /// Ends the context that it has served in; it waits for the last answers, where there can be any.
    func end(_ context: Context, hurry: AsyncStream<Never>? = nil) async {
        let (nobody, now) = AsyncStream.makeStream(of: Never.self)
        now.finish()
        await context.end(hurry: hasRegistered ? hurry : nobody)
    }
}

extension ModelContainer {
    /// The container as a service of a larger program, under the name and version that the code gives it.
    ///
    /// - Parameters:
    ///   - endpoint: the frontend's, such as `tcp://127.0.0.1:7000`, or a frontend's `addresses.inProcess`.
    ///   - context: the frontend's where it is in the same process; otherwise it may be left out.
    /// - Throws: `ContainerError` where the code gives no name or version, and for a name, an endpoint or a bound that
    ///   cannot be.
    public func service(endpoint: String, context: Context? = nil, logger: Logger) throws -> ContainerService {
        let endpoint = try FrontendEndpoint.checked(Setting(value: endpoint))
        let configuration = try ContainerConfiguration(
            of: self, options: ContainerOptions(frontend: endpoint), environment: [:])
        return ContainerService(self, configuration: configuration, context: context, logger: logger)
    }

    /// Serves until SIGTERM or SIGINT, under flags that were parsed elsewhere: then answers what was read and returns.
    /// A second signal makes it return at once, also while the model is at work. Where nobody reads standard error any more,
    /// it ends the process instead, with 0: else that would keep it.
    ///
    /// - Parameters:
    ///   - options: flags, which beat the environment (`CLIPPER_MODEL_NAME`, `CLIPPER_MODEL_VERSION`, `CLIPPER_IP`,
    ///     `CLIPPER_PORT`, `CLIPPER_INPUT_TYPE`), which beats what the code says; `nil` where no flags were parsed.
    ///     Its closure logs by ``ContainerOptions/logger(label:)``.
    /// - Throws: for settings that are missing, impossible or contradictory `ContainerError`, or where flags were parsed
    ///   `ValidationError`, with which a command ends with 64; `TransportError` where the system refuses a socket. Where
    ///   the log is JSON, they are its last line, at `critical`, and `ExitCode` is thrown, with which a command says no more.
    public func run(with options: ContainerOptions?) async throws {
        let logger = (options ?? ContainerOptions()).logger(label: "container")
        do {
            try await run(with: options, logger)
        } catch let error where options?.logFormat == .json {
            logger.critical("\(ContainerOptions.message(for: error))")
            await LogQueue.standard.flush(within: .seconds(1))
            throw ContainerOptions.exitCode(for: error)
        }
    }

    private func run(with options: ContainerOptions?, _ logger: Logger) async throws {
        let configuration: ContainerConfiguration
        do {
            configuration = try ContainerConfiguration(
                of: self, options: options, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw options == nil ? error : ValidationError("\(error).")
        }
        let context = try Context()
        let loop = try ContainerLoop(configuration, model: model, context: context, logger: logger)
        // No service group: one takes notice of the first signal alone, and a model that hangs would keep the process.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let (hurry, isToldAgain) = AsyncStream.makeStream(of: Never.self)
        let isStopping = Locked(false)
        let listener = Task {
            for await _ in signals {
                loop.stop("told to stop by a signal")
                let wasStopping = isStopping.withLock { isStopping in
                    defer { isStopping = true }
                    return isStopping
                }
                if wasStopping { isToldAgain.finish() }
            }
        }
        defer { listener.cancel() }
        logger.info(
            "connecting, to serve \(configuration.registration)", metadata: ["frontend": "\(configuration.endpoint)"])
        do {
            try await loop.serveUntilCancelled()
            // It may have ended by itself.
            isStopping.withLock { $0 = true }
        } catch {
            await LogQueue.standard.flush(within: .seconds(1))
            await loop.end(context, hurry: hurry)
            throw error
        }
        // The process may end right after this, and must not take the last answer with it.
        await loop.end(context, hurry: hurry)
        // An orderly exit would wait for standard error, which the one who writes there holds.
        if await !LogQueue.standard.flush(within: .seconds(1)) { _exit(0) }
    }
}
