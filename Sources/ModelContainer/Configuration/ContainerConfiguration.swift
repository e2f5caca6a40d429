public import ContainerRPC
import Foundation

/// Where a container connects, and what it registers as: from flags, else the environment, else code, else defaults.
public struct ContainerConfiguration: Hashable, Sendable {
    /// What the container says of itself.
    public var registration: Registration
    /// The frontend's RPC endpoint, such as `tcp://127.0.0.1:7000` or `inproc://name`.
    public var endpoint: String
    /// The times of the sessions.
    public var timing: SessionTiming

    /// A configuration of these parts.
    public init(registration: Registration, endpoint: String, timing: SessionTiming = .standard) {
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
        func setting(_ key: String) -> String? {
            guard let value = environment[key], !value.isEmpty else { return nil }
            return value
        }
        try options?.check()
        guard let name = options?.name ?? setting(Variable.name) ?? container.name else {
            throw .missing(what: "the model's name", flag: "--name", variable: Variable.name)
        }
        guard let version = options?.modelVersion ?? setting(Variable.version) ?? container.version else {
            throw .missing(what: "the model's version", flag: "--version", variable: Variable.version)
        }
        try Self.check(name, "the model's name")
        try Self.check(version, "the model's version")
        if let stated = options?.inputType ?? setting(Variable.inputType) {
            guard let type = InputType(name: stated) else {
                throw .invalid(
                    what: "the input type", value: stated,
                    expected: "one of \(InputType.allCases.map(\.name).joined(separator: ", "))")
            }
            guard type == container.inputType else {
                throw .contradiction(
                    "the input type is stated as \(type), but the model's closure takes \(container.inputType)")
            }
        }
        var details = container.details
        details.software = Software.nameAndVersion
        details.beatsWhileBusy = true
        if let largest = options?.largestBatch { details.largestBatch = largest }
        details.metadata += [
            MetadataPair("language", "swift"), MetadataPair("sdk", Software.nameAndVersion),
            MetadataPair("host", ProcessInfo.processInfo.hostName),
            MetadataPair("pid", String(ProcessInfo.processInfo.processIdentifier)),
        ]
        let rpcVersion = options.flatMap { RPCVersion(rawValue: $0.rpc) } ?? .four
        self.init(
            registration: Registration(
                modelName: name, modelVersion: version, inputType: container.inputType, rpcVersion: rpcVersion,
                details: details),
            endpoint: try Self.endpoint(
                options, host: setting(Variable.host), port: setting(Variable.port)))
    }

    private static func check(_ name: String, _ what: String) throws(ContainerError) {
        let forbidden = name.utf8.contains(where: RPC3.isForbiddenInNames)
        guard !name.isEmpty, !forbidden, name.utf8.count <= RPC3.longestName else {
            throw .invalid(
                what: what, value: name,
                expected: "1 to \(RPC3.longestName) bytes without ',', ':' and control characters")
        }
    }

    private static func endpoint(
        _ options: ContainerOptions?, host: String?, port: String?
    ) throws(ContainerError) -> String {
        if let endpoint = options?.frontend {
            guard options?.host == nil, options?.port == nil else {
                throw .contradiction("--frontend already says where the frontend is: leave --host and --port out")
            }
            guard endpoint.contains("://") else {
                throw .invalid(
                    what: "--frontend", value: endpoint, expected: "an endpoint such as tcp://127.0.0.1:7000")
            }
            return endpoint
        }
        let port = options?.port.map(String.init) ?? port ?? "7000"
        guard let number = UInt16(port), number > 0 else {
            throw .invalid(what: "the frontend's port", value: port, expected: "a number from 1 to 65535")
        }
        let host = options?.host ?? host ?? "127.0.0.1"
        return host.contains(":") && !host.hasPrefix("[") ? "tcp://[\(host)]:\(number)" : "tcp://\(host):\(number)"
    }
}
