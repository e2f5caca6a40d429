public import ArgumentParser
public import ContainerRPC
import LogQueue
public import Logging

/// The flags that every container takes; a command with flags of its own includes them with `@OptionGroup`.
///
/// They can be set in code as well, for `ModelContainer.run(with:)`:
///
///     var options = ContainerOptions()
///     options.frontend = "tcp://10.0.0.1:7000"
public struct ContainerOptions: ParsableArguments, Sendable {
    /// The model's name; `nil` leaves it to the environment and to the code, as with the next ones.
    public var name: String?

    /// The model's version: the flag `--version` is that of the model, not of the program.
    public var modelVersion: String?

    /// The model's input type by its name, such as `doubles`.
    public var inputType: String?

    /// The frontend's host.
    public var host: String?

    /// The frontend's RPC port.
    public var port: UInt16?

    /// The frontend's RPC endpoint, instead of host and port.
    public var frontend: String?

    /// The most inputs in one batch; `nil` for what the code says, or no bound.
    public var largestBatch: Int?

    /// The most batches that the frontend sends before one is answered; `nil` for what the code says, or what the
    /// frontend likes.
    public var batchesInFlight: Int?

    /// What people see of the container in the frontend's status, beside what the code says.
    public var metadata: [String: String] = [:]

    /// The protocol's version, 3 or 4.
    public var rpc: UInt32 = 4

    /// What is logged on standard error.
    public var logLevel: Logger.Level = .info

    /// How that is written.
    public var logFormat: LogFormat = .text

    /// What the parser sees. Its values are above once they are parsed, where code may set them, too.
    @OptionGroup private var flags: ContainerFlags

    private enum CodingKeys: CodingKey {
        case flags
    }

    /// Options that leave everything to the environment, to the container and to the defaults.
    public init() {}

    /// Options set in code instead of by flags; `nil` leaves a setting to the environment and to the container.
    public init(
        name: String? = nil, modelVersion: String? = nil, inputType: String? = nil, host: String? = nil,
        port: UInt16? = nil, frontend: String? = nil, largestBatch: Int? = nil, batchesInFlight: Int? = nil,
        metadata: [String: String] = [:], rpc: UInt32 = 4, logLevel: Logger.Level = .info,
        logFormat: LogFormat = .text
    ) {
        self.name = name
        self.modelVersion = modelVersion
        self.inputType = inputType
        self.host = host
        self.port = port
        self.frontend = frontend
        self.largestBatch = largestBatch
        self.batchesInFlight = batchesInFlight
        self.metadata = metadata
        self.rpc = rpc
        self.logLevel = logLevel
        self.logFormat = logFormat
    }

    /// For the parser.
    /// - Throws: what it finds wrong.
    public init(from decoder: any Decoder) throws {
        let parsed = try decoder.container(keyedBy: CodingKeys.self)
            .decode(OptionGroup<ContainerFlags>.self, forKey: .flags).wrappedValue
        self.init(
            name: parsed.name, modelVersion: parsed.version, inputType: parsed.inputType, host: parsed.host,
            port: parsed.port, frontend: parsed.frontend, largestBatch: parsed.largestBatch,
            batchesInFlight: parsed.batchesInFlight,
            metadata: Dictionary(parsed.metadata.map { ($0.key, $0.value) }) { $1 }, rpc: parsed.rpc,
            logLevel: parsed.logLevel, logFormat: parsed.logFormat)
    }

    /// A logger for a model's closure, whose lines go where the container's go, in the same form.
    ///
    /// - Parameter label: what the lines are from.
    public func logger(label: String) -> Logger {
        Logger(label: label, format: logFormat, level: logLevel)
    }

    /// - Throws: `ValidationError` for values that cannot be. Where the log is JSON, it is left to the container to say that
    ///   in the log's form.
    public func validate() throws {
        guard logFormat != .json else { return }
        do { try check() } catch { throw ValidationError("\(error).") }
    }

    /// The same for options that were set in code, which no parser has validated.
    func check() throws(ContainerError) {
        guard RPCVersion(rawValue: rpc) != nil else {
            throw .invalid(what: "the protocol's version (--rpc)", value: "\(rpc)", expected: "3 or 4")
        }
        try ContainerConfiguration.checkLimit(largestBatch, "the largest batch (--largest-batch)", "inputs")
        try ContainerConfiguration.checkLimit(
            batchesInFlight, "the number of batches in flight (--batches-in-flight)", "batches")
    }
}
