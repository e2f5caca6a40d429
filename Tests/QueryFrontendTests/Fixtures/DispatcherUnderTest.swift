import ContainerRPC
import Logging
import Synchronization
import TestSupport
import Testing

@testable import QueryFrontend

/// A dispatch thread with real sockets, a catalog that knows `sum:1`, and a sink.
final class DispatcherUnderTest: Sendable {
    let context: Context
    let dispatcher: Dispatcher
    /// Where containers connect over TCP.
    let endpoint: String
    /// Where they connect within the process.
    let inProcess: String
    private let sink = CollectingSink()
    private let sinkNumber: Int
    private let requests = Atomic<UInt64>(0)
    private let containers = Locked<[PlayedContainer]>([])

    private init(batchSize: BatchSize, slotsPerReplica: Int) async throws {
        context = try Context()
        dispatcher = try Dispatcher()
        let endpoints = try await dispatcher.start(
            Dispatcher.Configuration(
                endpoints: ["tcp://127.0.0.1:*", "inproc://query-frontend"],
                core: DispatchCore.Configuration(bounds: Scheduler.Bounds(slotsPerReplica: slotsPerReplica))),
            store: SQLiteSelectionStore(try SQLiteCatalogStore(path: ":memory:")), policies: .standard,
            context: context, logger: .silent)
        endpoint = endpoints[0]
        inProcess = endpoints[1]
        sinkNumber = await dispatcher.addSink(sink)
        await dispatcher.publish(Catalog.serving(makeModel("sum", batchSize: batchSize)))
    }

    /// Starts one, and ends it and its containers when the test has ended.
    static func run(
        batchSize: BatchSize = .fixed(64), slotsPerReplica: Int = 2,
        _ test: (DispatcherUnderTest) async throws -> Void
    ) async throws {
        let dispatcher = try await DispatcherUnderTest(batchSize: batchSize, slotsPerReplica: slotsPerReplica)
        let result: Result<Void, any Error>
        do { result = .success(try await test(dispatcher)) } catch { result = .failure(error) }
        for container in dispatcher.containers.withLock({ $0 }) { try await container.vanish() }
        await dispatcher.dispatcher.stop()
        try result.get()
    }

    /// A container that has connected and said nothing.
    func container(to endpoint: String? = nil) throws -> PlayedContainer {
        let container = try PlayedContainer(to: endpoint ?? self.endpoint, in: context)
        containers.withLock { $0.append(container) }
        return container
    }

    /// A container that is a replica.
    func replica(of registration: Registration = .sum, to endpoint: String? = nil) async throws -> PlayedContainer {
        let container = try container(to: endpoint)
        try await container.register(registration)
        return container
    }

    /// Hands over a request with these numbers as its inputs, and returns its number.
    @discardableResult
    func submit(
        _ numbers: Double..., model: ModelVersion? = .sum, as inputType: InputType = .float64,
        within time: Duration = .seconds(600)
    ) -> UInt64 {
        let number = requests.wrappingAdd(1, ordering: .relaxed).newValue
        let payloads = InputValues(elements: .float64(numbers), rowEnds: Array(1...numbers.count)).payloads
        let now = MonotonicTime.now()
        _ = dispatcher.submit(
            Submission(
                sink: sinkNumber, request: number, application: dispatcher.handles.handle(forApplication: "app"),
                model: model.map { dispatcher.handles.handle(for: $0) }, inputType: inputType,
                inputs: payloads.count == 1 ? .one(payloads[0]) : .many(payloads), arrived: now, deadline: now + time))
        return number
    }

    /// Waits for the outcomes of a request, in the order of its inputs.
    func outcomes(of request: UInt64, count: Int = 1) async throws -> [Got] {
        try await eventually("request \(request) has its outcomes") {
            let outcomes = sink.outcomes(of: request)
            guard outcomes.count >= count else { return nil }
            #expect(Set(outcomes.map(\.item)) == Set(0..<count))
            return outcomes.sorted { $0.item < $1.item }.map(\.got)
        }
    }

    /// Outcomes of a request that are there.
    func outcomeCount(of request: UInt64) -> Int { sink.outcomes(of: request).count }

    /// The replicas that are listed, as "model:version:number".
    func listed() async -> [String] {
        await dispatcher.replicas().map { "\($0.modelName):\($0.modelVersion):\($0.replica)" }
    }
}

/// Keeps outcomes.
private final class CollectingSink: OutcomeSink {
    private let kept = Locked<[UInt64: [(item: Int, got: Got)]]>([:])

    func deliver(_ deliveries: [Delivery]) {
        kept.withLock { kept in
            for delivery in deliveries {
                kept[delivery.request, default: []].append((delivery.item, Got(delivery.outcome)))
            }
        }
    }

    func outcomes(of request: UInt64) -> [(item: Int, got: Got)] {
        kept.withLock { $0[request] ?? [] }
    }
}

extension Catalog {
    /// A catalog of these models, each the current version of its name, and of these applications.
    static func serving(_ models: Model..., applications: [Application] = []) -> Catalog {
        Catalog(
            applications: Dictionary(uniqueKeysWithValues: applications.map { ($0.name, $0) }),
            models: Dictionary(uniqueKeysWithValues: models.map { ($0.id, $0) }),
            currentVersions: Dictionary(models.map { ($0.id.name, $0.id.version) }) { _, last in last })
    }
}
