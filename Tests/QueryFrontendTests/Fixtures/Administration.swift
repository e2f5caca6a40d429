import ContainerRPC
import Synchronization
import Testing

@testable import QueryFrontend

/// A frontend in which two containers are connected, and one application has learned something.
final class FixedObserver: FrontendObserver {
    /// The application that has learned something.
    static let learned = "learned"

    private let noted = Mutex<[String]>([])

    /// Whose states were reset: an application, and a user after it.
    var resets: [String] { noted.withLock { $0 } }

    func selectionState(application: String, user: String?) async -> SelectionStateDescription? {
        guard application == Self.learned else { return nil }
        return SelectionStateDescription(
            application: application, user: user, policy: PolicyDescription("exp3", ["share": .number(0.5)]),
            loss: .zeroOne, isOwn: user == nil,
            models: [
                .init(
                    model: "m", version: "1", weight: 0.75, chosen: 8, combined: 7, straggled: 1, meanLoss: 0.25),
                .init(model: "n", weight: 0.25),
            ], feedbacks: 12, state: #"{"weights":[1.5,0.5]}"#)
    }

    func resetSelectionState(application: String, user: String?) async throws {
        noted.withLock { $0.append(application + (user.map { " \($0)" } ?? "")) }
    }

    func replicas() async -> [ReplicaStatus] {
        [
            ReplicaStatus(modelName: "m", modelVersion: "1", replica: 1, inputType: "doubles"),
            ReplicaStatus(modelName: "m", modelVersion: "1", replica: 0, inputType: "doubles"),
        ]
    }

    func status() async -> FrontendStatus {
        FrontendStatus(
            uptimeSeconds: 1.5,
            applications: [
                ApplicationStatus(
                    name: "digits", inputType: "doubles", linkedModels: ["m"], sloMilliseconds: 100,
                    defaultOutput: "-1.0", queries: 3, defaults: 1)
            ],
            models: [ModelStatus(name: "m", version: "1", isCurrent: true, replicas: 2, largestBatch: 7)],
            replicas: await replicas())
    }

    /// Knows the replicas of one version; those that are asked for drain, with as many queries as their number in flight.
    func drain(_ model: ModelVersion, replica: Int?, _ draining: Draining) async -> [ReplicaStatus]? {
        let concerned = await replicas().filter { status in
            model == ModelVersion(name: status.modelName, version: status.modelVersion)
                && (replica == nil || replica == status.replica)
        }
        guard !concerned.isEmpty else { return nil }
        return concerned.map { status in
            var status = status
            status.state = draining == .end ? "active" : draining == .begin ? "draining" : "stopping"
            status.queriesInFlight = status.replica
            return status
        }
    }
}

/// An administration API over an empty catalog in memory.
struct Administration {
    let api: AdministrationAPI
    let observer = FixedObserver()

    init(store: (any CatalogStore)? = nil) throws {
        let service = try CatalogService(store: store ?? SQLiteCatalogStore(path: ":memory:")) { _ in }
        api = AdministrationAPI(service: service, observer: observer)
    }

    @discardableResult
    func post(_ path: String, _ body: String) async -> AdministrationReply {
        await api.respond(method: "POST", path: "/admin/\(path)", body: Array(body.utf8))
    }

    func get(_ path: String) async -> AdministrationReply {
        await api.respond(method: "GET", path: path, body: [])
    }

    /// Registers an application; the call must succeed.
    func addApplication(_ name: String = "digits", type: String = "doubles") async {
        let reply = await post("add_app", Self.application(name, type: type))
        #expect(reply.status == 200, "\(reply.body)")
    }

    /// Registers a model; the call must succeed.
    func addModel(_ name: String = "m", version: String = "1", type: String = "doubles") async {
        let reply = await post("add_model", Self.model(name, version: "\"\(version)\"", type: type))
        #expect(reply.status == 200, "\(reply.body)")
    }

    /// The body that registers an application, as `clipper_admin` sends it, and further keys.
    static func application(_ name: String = "digits", type: String = "doubles", and additions: String = "") -> String {
        """
        {"name": "\(name)", "input_type": "\(type)", "default_output": "-1.0", "latency_slo_micros": 100000\(additions)}
        """
    }

    /// The body that registers a model, as `clipper_admin` sends it, and further keys.
    static func model(
        _ name: String = "m", version: String = "\"1\"", type: String = "doubles", labels: String = "[]",
        batchSize: String = "-1", and additions: String = ""
    ) -> String {
        """
        {"model_name": "\(name)", "model_version": \(version), "labels": \(labels), "input_type": "\(type)", \
        "container_name": "NO_CONTAINER", "model_data_path": "DEPRECATED", "batch_size": \(batchSize)\(additions)}
        """
    }
}
