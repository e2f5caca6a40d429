public import ArgumentParser
import ContainerRPC
public import Logging

/// The flags that every container takes; a command with flags of its own includes them with `@OptionGroup`.
public struct ContainerOptions: ParsableArguments, Sendable {
    /// The model's name; `nil` leaves it to the environment and to the code, as with the next ones.
    @Option(help: "The model's name. (environment: CLIPPER_MODEL_NAME)")
    public var name: String?

    /// The model's version.
    @Option(name: .customLong("version"), help: "The model's version. (environment: CLIPPER_MODEL_VERSION)")
    public var modelVersion: String?

    /// The model's input type by its name, such as `doubles`.
    @Option(
        help: """
            The model's input type: bytes, integers, floats, doubles or strings. The model decides it; a \
            contradiction is an error. (environment: CLIPPER_INPUT_TYPE)
            """)
    public var inputType: String?

    /// The frontend's host.
    @Option(help: "The frontend's host. (environment: CLIPPER_IP; default: 127.0.0.1)")
    public var host: String?

    /// The frontend's RPC port.
    @Option(help: "The frontend's RPC port. (environment: CLIPPER_PORT; default: 7000)")
    public var port: UInt16?

    /// The frontend's RPC endpoint, instead of host and port.
    @Option(help: ArgumentHelp("The frontend's RPC endpoint, instead of host and port.", valueName: "tcp://host:port"))
    public var frontend: String?

    /// The most inputs in one batch; `nil` for no bound.
    @Option(help: ArgumentHelp("The most inputs that the container takes in one batch.", valueName: "inputs"))
    public var largestBatch: Int?

    /// The protocol's version, 3 or 4.
    @Option(
        help: ArgumentHelp(
            "The protocol's version: 4 falls back to 3 with a frontend that speaks only that; 3 speaks only 3.",
            valueName: "3|4"))
    public var rpc: UInt32 = 4

    /// What is logged on standard error.
    @Option(
        help: "trace, debug, info, notice, warning, error or critical. (default: info)",
        transform: ContainerOptions.logLevel)
    public var logLevel: Logger.Level = .info

    /// For the parser; its values can be read only after parsing.
    public init() {}

    /// Options set in code instead of by flags; `nil` leaves a setting to the environment and to the container.
    public init(
        name: String?, modelVersion: String? = nil, inputType: String? = nil, host: String? = nil,
        port: UInt16? = nil, frontend: String? = nil, largestBatch: Int? = nil, rpc: UInt32 = 4,
        logLevel: Logger.Level = .info
    ) {
        self.name = name
        self.modelVersion = modelVersion
        self.inputType = inputType
        self.host = host
        self.port = port
        self.frontend = frontend
        self.largestBatch = largestBatch
        self.rpc = rpc
        self.logLevel = logLevel
    }

    /// - Throws: `ValidationError` for values that cannot be.
    public func validate() throws {
        do { try check() } catch { throw ValidationError("\(error).") }
    }

    /// The same for options that were set in code, which no parser has validated.
    func check() throws(ContainerError) {
        guard RPCVersion(rawValue: rpc) != nil else {
            throw .invalid(what: "the protocol's version", value: "\(rpc)", expected: "3 or 4")
        }
        if let largestBatch, !(1...Int(UInt32.max)).contains(largestBatch) {
            throw .invalid(what: "the largest batch", value: "\(largestBatch)", expected: "1 to \(UInt32.max) inputs")
        }
    }

    private static func logLevel(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw ValidationError(
                "'\(text)' is no level; expected \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return level
    }
}
