import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// `clipper serve` at work, on ports that the system picked.
final class Frontend: Sendable {
    let process: ChildProcess
    let query: Address
    let admin: Address
    /// Where containers connect, as the ready line says.
    let rpc: String

    private let processes: Processes

    /// Starts a frontend and waits for its ready line.
    ///
    /// - Parameters:
    ///   - store: where it keeps its catalog.
    ///   - rpcPort: 0 for one that the system picks.
    init(
        in processes: Processes, store: String = ":memory:", rpcPort: UInt16 = 0, arguments: [String] = []
    ) async throws {
        self.processes = processes
        process = try processes.start(
            "clipper",
            [
                "serve", "--query-port", "0", "--admin-port", "0", "--rpc-port", "\(rpcPort)", "--store", store,
                "--log-level", "debug",
            ] + arguments)
        var addresses: [Substring: Substring] = [:]
        for field in try await process.line("ready ").split(separator: " ") {
            let parts = field.split(separator: "=", maxSplits: 1)
            addresses[parts[0]] = parts.last
        }
        query = try Address(#require(addresses["query"]))
        admin = try Address(#require(addresses["admin"]))
        rpc = String(try #require(addresses["rpc"]))
    }

    /// A frontend with an application `app`, linked to a model `sum`, whose version 1 one container serves.
    static func servingSum(
        in processes: Processes, slo: Duration = .seconds(60), inputType: String = "doubles", batchSize: Int = -1,
        caches: Bool = false, arguments: [String] = []
    ) async throws -> Frontend {
        let frontend = try await Frontend(in: processes, arguments: arguments)
        try await frontend.addModel("sum", inputType: inputType, batchSize: batchSize, caches: caches)
        try await frontend.addApplication("app", inputType: inputType, slo: slo, links: ["sum"])
        try await frontend.startContainer(arguments: ["--input-type", inputType])
        return frontend
    }

    // MARK: Containers

    /// Starts a container that connects to this frontend, and waits until it is listed.
    @discardableResult
    func startContainer(
        _ executable: String = "sum-container", model: String = "sum", version: String = "1",
        arguments: [String] = []
    ) async throws -> ChildProcess {
        let listed = try await containers(of: model, version)
        let container = try launchContainer(executable, model: model, version: version, arguments: arguments)
        try await eventually("another \(model):\(version) is listed beside \(listed)") {
            try await containers(of: model, version).contains { !listed.contains($0) }
        }
        return container
    }

    /// Starts a container that connects to this frontend.
    func launchContainer(
        _ executable: String = "sum-container", model: String = "sum", version: String = "1",
        arguments: [String] = []
    ) throws -> ChildProcess {
        try processes.start(executable, ["--frontend", rpc, "--name", model, "--version", version] + arguments)
    }

    /// The containers that are listed, as `name:version:replica`.
    func containers() async throws -> [String] {
        let list = try await admin("get_all_containers", ["verbose": false])
        return try #require(list.elements).compactMap(\.text)
    }

    /// The listed containers of one version.
    func containers(of model: String, _ version: String = "1") async throws -> [String] {
        try await containers().filter { $0.hasPrefix("\(model):\(version):") }
    }

    // MARK: Administration

    /// Sends an administration request that must succeed; a text for an answer becomes a JSON string.
    @discardableResult
    func admin(
        _ operation: String, _ body: JSON, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        let response = try await admin.post("/admin/\(operation)", body.encoded)
        try #require(response.status == 200, "\(operation) \(body): \(response)", sourceLocation: sourceLocation)
        return response["Content-Type"] == "application/json" ? try response.json : .string(response.text)
    }

    func addApplication(
        _ name: String, inputType: String = "doubles", defaultOutput: String = "-1.0", slo: Duration = .seconds(60),
        links: [String] = []
    ) async throws {
        try await admin(
            "add_app",
            [
                "name": .string(name), "input_type": .string(inputType), "default_output": .string(defaultOutput),
                "latency_slo_micros": .number(slo / .microseconds(1)),
            ])
        if !links.isEmpty {
            try await admin(
                "add_model_links", ["app_name": .string(name), "model_names": .array(links.map(JSON.string))])
        }
    }

    func addModel(
        _ name: String, version: String = "1", inputType: String = "doubles", batchSize: Int = -1,
        caches: Bool = false
    ) async throws {
        try await admin(
            "add_model",
            [
                "model_name": .string(name), "model_version": .string(version), "input_type": .string(inputType),
                "labels": [], "container_name": "NO_CONTAINER", "model_data_path": "none",
                "batch_size": .number(Double(batchSize)), "cache": .boolean(caches),
            ])
    }

    // MARK: Queries

    /// Asks an application; the answer must be a 200.
    func predict(
        _ body: String, application: String = "app", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        let response = try await query.post("/\(application)/predict", body)
        try #require(response.status == 200, "\(body): \(response)", sourceLocation: sourceLocation)
        return try response.json
    }

    /// Sees that it still serves: its application `app` answers sums.
    func expectSum(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let answer = try await predict(#"{"input": [1, 2, 3.5]}"#, sourceLocation: sourceLocation)
        #expect(answer["output"] == 6.5, sourceLocation: sourceLocation)
        #expect(answer["default"] == false, sourceLocation: sourceLocation)
    }

    // MARK: Ends

    /// Asks it to stop, and waits until it has.
    func terminate() async throws -> Int32 {
        process.signal(SIGTERM)
        return try await process.exitStatus()
    }

    /// Ends it without a chance to do anything.
    func kill() async throws {
        process.signal(SIGKILL)
        #expect(try await process.exitStatus() == -SIGKILL)
    }
}
