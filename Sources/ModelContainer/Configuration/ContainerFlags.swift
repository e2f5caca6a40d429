import ArgumentParser
import ContainerRPC
import LogQueue
import Logging

/// What the parser fills in for `ContainerOptions`: the parser's own properties can be read only after parsing.
struct ContainerFlags: ParsableArguments {
    @Option(help: "The model's name. (environment: CLIPPER_MODEL_NAME)")
    var name: String?

    @Option(help: "The model's version, not the program's. (environment: CLIPPER_MODEL_VERSION)")
    var version: String?

    @Option(
        help: """
            The model's input type: bytes, integers, floats, doubles or strings. The model decides it; a \
            contradiction is an error. (environment: CLIPPER_INPUT_TYPE)
            """)
    var inputType: String?

    @Option(help: "The frontend's host. (environment: CLIPPER_IP; default: 127.0.0.1)")
    var host: String?

    @Option(help: "The frontend's RPC port. (environment: CLIPPER_PORT; default: 7000)")
    var port: UInt16?

    @Option(help: ArgumentHelp("The frontend's RPC endpoint, instead of host and port.", valueName: "tcp://host:port"))
    var frontend: String?

    @Option(help: ArgumentHelp("The most inputs that the container takes in one batch.", valueName: "inputs"))
    var largestBatch: Int?

    @Option(
        help: ArgumentHelp("The most batches that the frontend sends before one is answered.", valueName: "batches"))
    var batchesInFlight: Int?

    @Option(
        help: ArgumentHelp(
            "What a person may want to see of this container in the frontend's status; may be repeated.",
            valueName: "key=value"),
        transform: ContainerFlags.pair)
    var metadata: [MetadataPair] = []

    @Option(
        help: ArgumentHelp(
            "The protocol's version: 4 falls back to 3 with a frontend that speaks only that; 3 speaks only 3.",
            valueName: "3|4"))
    var rpc: UInt32 = 4

    @Option(
        help: "trace, debug, info, notice, warning, error or critical. (default: info)",
        transform: ContainerFlags.logLevel)
    var logLevel: Logger.Level = .info

    @Option(
        help: "text, or json: an object a line, with time, level, logger, message and metadata. (default: text)",
        transform: ContainerFlags.logFormat)
    var logFormat: LogFormat = .text

    private static func pair(_ text: String) throws -> MetadataPair {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ValidationError("'\(text)' is no pair; expected key=value.")
        }
        return MetadataPair(String(parts[0]), String(parts[1]))
    }

    private static func logLevel(_ text: String) throws -> Logger.Level {
        try Logger.Level(name: text)
    }

    private static func logFormat(_ text: String) throws -> LogFormat {
        try LogFormat(name: text)
    }
}
