package import ContainerRPC
import Foundation

/// Where a container connects, and what it registers as: from flags, else the environment, else code, else defaults.
package struct ContainerConfiguration: Hashable, Sendable {
    /// What the container says of itself.
    package var registration: Registration
    /// The frontend's RPC endpoint, such as `tcp://127.0.0.1:7000` or `inproc://name`.
    package var endpoint: String
    /// The times of the sessions.
    package var timing: SessionTiming

    /// A configuration of these parts.
    package init(registration: Registration, endpoint: String, timing: SessionTiming = .standard) {
        self.registration = registration
        self.endpoint = endpoint
        self.timing = timing
    }

    /// Clipper's variables, which its containers are started with.
    enum Variable {
        static let name = "CLIPPER_MODEL_NAME"
        static let version = "CLIPPER_MODEL_VERSION"
        static let host = "CLIPPER_IP"
        static let port = "CLIPPER_PORT"
        static let inputType = "CLIPPER_INPUT_TYPE"
    }

    /// Brings together what flags, environment and code say.
    ///
    /// - Throws: `ContainerError` for what is missing, impossible or contradictory, with what to do about it.
    init(
        of container: ModelContainer, options: ContainerOptions? = nil, environment: [String: String]
    ) throws(ContainerError) {
        try options?.check()
        guard
            let name = Setting.first(
                ("--name", options?.name), Variable.name, of: environment, code: container.name)
        else {
            throw .missing(what: "the model's name", flag: "--name", variable: Variable.name)
        }
        guard
            let version = Setting.first(
                ("--version", options?.modelVersion), Variable.version, of: environment, code: container.version)
        else {
            throw .missing(what: "the model's version", flag: "--version", variable: Variable.version)
        }
        try Self.check(name, "the model's name")
        try Self.check(version, "the model's version")
        if let stated = Setting.first(("--input-type", options?.inputType), Variable.inputType, of: environment) {
            try Self.check(stated, against: container.inputType)
        }
        let rpcVersion = options.flatMap { RPCVersion(rawValue: $0.rpc) } ?? .four
        self.init(
            registration: Registration(
                modelName: name.value, modelVersion: version.value, inputType: container.inputType,
                rpcVersion: rpcVersion, details: try Self.details(of: container, options)),
            endpoint: try Self.endpoint(options, environment))
    }

    private static func check(_ name: Setting, _ what: String) throws(ContainerError) {
        let forbidden = name.value.utf8.contains(where: RPC3.isForbiddenInNames)
        guard !name.value.isEmpty, !forbidden, name.value.utf8.count <= RPC3.longestName else {
            throw name.invalid(
                what, expected: "1 to \(RPC3.longestName) bytes without ',', ':' and control characters")
        }
    }

    private static func check(_ stated: Setting, against known: InputType) throws(ContainerError) {
        guard let type = InputType(name: stated.value) else {
            throw stated.invalid(
                "the input type", expected: "one of \(InputType.allCases.map(\.name).joined(separator: ", "))")
        }
        guard type == known else {
            throw .contradiction(
                "\(stated.source ?? "the code") states the input type as \(type), but the model's closure takes \(known)"
            )
        }
    }

    /// What the container says of itself beside its model; a flag beats the code.
    private static func details(
        of container: ModelContainer, _ options: ContainerOptions?
    ) throws(ContainerError) -> RegistrationDetails {
        var details = container.details
        try checkLimit(details.largestBatch, "the largest batch", "inputs")
        try checkLimit(details.batchesInFlight, "the number of batches in flight", "batches")
        details.software = Software.nameAndVersion
        details.beatsWhileBusy = true
        if let largest = options?.largestBatch { details.largestBatch = largest }
        if let batches = options?.batchesInFlight { details.batchesInFlight = batches }
        let own = [
            MetadataPair("language", "swift"), MetadataPair("sdk", Software.nameAndVersion),
            MetadataPair("host", ProcessInfo.processInfo.hostName),
            MetadataPair("pid", String(ProcessInfo.processInfo.processIdentifier)),
        ]
        // Of pairs with one key the last one counts: a flag's before the code's, either before what is found out here.
        details.metadata = own + details.metadata
        details.metadata += (options?.metadata ?? [:]).sorted { $0.key < $1.key }.map { MetadataPair($0.key, $0.value) }
        return details
    }

    /// - Throws: `ContainerError.invalid` for a bound that the protocol cannot state.
    static func checkLimit(_ limit: Int?, _ what: String, _ unit: String) throws(ContainerError) {
        guard let limit, !(1...Int(UInt32.max)).contains(limit) else { return }
        throw .invalid(what: what, value: "\(limit)", expected: "1 to \(UInt32.max) \(unit)")
    }

    private static func endpoint(
        _ options: ContainerOptions?, _ environment: [String: String]
    ) throws(ContainerError) -> String {
        if let endpoint = options?.frontend {
            guard options?.host == nil, options?.port == nil else {
                throw .contradiction("--frontend already says where the frontend is: leave --host and --port out")
            }
            return try FrontendEndpoint.checked(Setting(value: endpoint, source: "--frontend"))
        }
        let host = Setting.first(("--host", options?.host), Variable.host, of: environment)
        let port = Setting.first(("--port", options?.port.map(String.init)), Variable.port, of: environment)
        return try FrontendEndpoint.tcp(
            host: host ?? Setting(value: "127.0.0.1"), port: port ?? Setting(value: "7000"))
    }
}
