import ContainerRPC
import Foundation
import QueryFrontend

/// A frontend's administration API.
struct AdministrationClient: Sendable {
    /// How long a frontend may take: a change is on disk before it is answered.
    static let patience = Duration.seconds(30)

    private let client: FrontendClient

    init(address: FrontendAddress, transport: any FrontendTransport = PatientTransport(base: HTTPTransport())) {
        client = FrontendClient(
            face: .administration, address: address, patience: Self.patience, transport: transport)
    }

    /// Where the frontend listens.
    var address: FrontendAddress { client.address }

    /// Makes a change.
    ///
    /// - Returns: The frontend's words for it.
    /// - Throws: ``CommandFailure``, as all that follow.
    func change(_ request: FrontendRequest) async throws -> String {
        try await client.body(of: request)
    }

    /// All applications, and the answer that tells them.
    func applications() async throws -> (applications: [RegisteredApplication], json: String) {
        try await answer(to: AdministrationRequest.allApplications())
    }

    /// One application; unknown ones are refused.
    func application(_ name: String) async throws -> (application: RegisteredApplication, json: String) {
        let body = try await client.body(of: AdministrationRequest.application(name: name))
        guard !Self.isNothing(body) else {
            throw CommandFailure(
                cause: .refused(status: nil), message: "no application is named '\(name)'",
                advice: "`clipper app list` lists the applications.")
        }
        return (try decode(body), body)
    }

    /// All versions of all models, and the answer that tells them.
    func models() async throws -> (models: [RegisteredModel], json: String) {
        try await answer(to: AdministrationRequest.allModels())
    }

    /// One version of a model; unknown ones are refused.
    func model(_ id: ModelVersion) async throws -> (model: RegisteredModel, json: String) {
        let body = try await client.body(of: AdministrationRequest.model(id))
        guard !Self.isNothing(body) else {
            throw CommandFailure(
                cause: .refused(status: nil),
                message: "no version '\(id.version)' of a model '\(id.name)' is registered",
                advice: "`clipper model list` lists the models.")
        }
        return (try decode(body), body)
    }

    /// Stops work from going to one replica, or all, of a version, or takes them back.
    ///
    /// - Returns: Those replicas as they are now, and the answer that tells them.
    func drain(
        _ id: ModelVersion, replica: Int?, _ draining: Draining
    ) async throws -> (replicas: [ReplicaStatus], json: String) {
        let (answer, json): (DrainDescription, String) = try await answer(
            to: AdministrationRequest.drain(id, replica: replica, draining))
        return (answer.replicas, json)
    }

    /// Those of a version's replicas that are still there, by their numbers, and how `drain` would tell it.
    func replicas(
        of id: ModelVersion, _ numbers: Set<Int>
    ) async throws -> (replicas: [ReplicaStatus], json: String) {
        let replicas = try await status().status.replicas
            .filter { $0.modelName == id.name && $0.modelVersion == id.version && numbers.contains($0.replica) }
            .sorted { $0.replica < $1.replica }
        let json = try AdministrationReply.json(DrainDescription(replicas: replicas)).body
        return (replicas, json)
    }

    /// What an application's policy has learned, and the answer that tells it.
    ///
    /// - Parameter user: For whom; `nil`: for the application itself.
    func selectionState(
        ofApplication name: String, user: String?
    ) async throws -> (state: SelectionStateDescription, json: String) {
        try await answer(to: AdministrationRequest.selectionState(ofApplication: name, user: user))
    }

    /// The whole frontend at this moment.
    func status() async throws -> (status: FrontendStatus, json: String) {
        try await answer(to: AdministrationRequest.status())
    }

    private func answer<Value: Decodable>(to request: FrontendRequest) async throws -> (Value, String) {
        let body = try await client.body(of: request)
        return (try decode(body), body)
    }

    private func decode<Value: Decodable>(_ body: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return try ForeignJSON.decode(Value.self, from: Data(body.utf8), by: decoder)
        } catch {
            throw client.unreadable("its answer has another form (\(Self.summary(of: error)))")
        }
    }

    /// `{}` stands for "there is none".
    private static func isNothing(_ body: String) -> Bool {
        RawJSON(body)?.compact.text == "{}"
    }

    private static func summary(of error: any Error) -> String {
        func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
            (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, let context): "'\(path(context, key))' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(path(context))' is of another type"
        default: "it is no JSON"
        }
    }
}
