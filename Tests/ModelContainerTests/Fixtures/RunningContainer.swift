import ContainerRPC
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import ModelContainer

/// A container at work, as a service that can be told to stop.
final class RunningContainer: Sendable {
    private let group: ServiceGroup
    private let result = Locked<Result<Void, any Error>?>(nil)

    private init(
        _ container: ModelContainer, at endpoint: String, in context: Context, offering version: RPCVersion,
        timing: SessionTiming
    ) {
        let configuration = ContainerConfiguration(
            registration: Registration(
                modelName: "test", modelVersion: "1", inputType: container.inputType, rpcVersion: version),
            endpoint: endpoint, timing: timing)
        let service = ContainerService(container, configuration: configuration, context: context, logger: .silent)
        group = ServiceGroup(services: [service], logger: .silent)
    }

    /// Runs a container, and ends it when the test has ended.
    ///
    /// - Parameters:
    ///   - version: the best that it offers.
    ///   - timing: by default so short that heartbeats come at once, and without long pauses.
    static func run(
        _ container: ModelContainer, at endpoint: String, in context: Context, offering version: RPCVersion = .three,
        timing: SessionTiming = .short, _ test: (RunningContainer) async throws -> Void
    ) async throws {
        let running = RunningContainer(container, at: endpoint, in: context, offering: version, timing: timing)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                let result: Result<Void, any Error>
                do { result = .success(try await running.group.run()) } catch { result = .failure(error) }
                running.result.withLock { $0 = result }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await test(running)) } catch { result = .failure(error) }
            await running.stop()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    /// Asks it to end, as SIGTERM does.
    func stop() async {
        await group.triggerGracefulShutdown()
    }

    /// Whether it has ended.
    var hasEnded: Bool { result.withLock { $0 != nil } }

    /// Waits for its end.
    /// - Throws: what it ended with.
    func waitForEnd() async throws {
        try await eventually("the container ends") { result.withLock { $0 } }.get()
    }
}

extension SessionTiming {
    /// Times so short that a test sees heartbeats, and pauses that keep no test waiting.
    static let short = SessionTiming(
        heartbeatInterval: .milliseconds(20), silenceLimit: .seconds(600), firstBackoff: .milliseconds(1),
        longestBackoff: .milliseconds(20))
}
