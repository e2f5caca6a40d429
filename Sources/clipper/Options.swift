import ArgumentParser
import Foundation

/// What every command takes that asks the administration API.
struct AdministrationOptions: ParsableArguments {
    @Option(
        name: .customLong("admin"),
        help: ArgumentHelp(
            "The frontend's administration address. (environment: CLIPPER_ADMIN; default: http://127.0.0.1:1338)",
            valueName: "url"),
        transform: { text in try FrontendAddress(text) })
    var address: FrontendAddress?

    @Flag(
        help: "Print JSON; errors too, on standard error, but for those that the parser finds in the command line.")
    var json = false

    /// Runs a command's body with a client; a failure is printed and becomes the exit code.
    func run(_ body: (AdministrationClient) async throws -> Void) async throws {
        try await reportingFailures(asJSON: json) {
            let environment = ProcessInfo.processInfo.environment
            let address = try FrontendAddress.resolve(address, face: .administration, environment: environment)
            try await body(AdministrationClient(address: address))
        }
    }

    /// Prints what change was made, in the frontend's words; beside it what to do next, if there is something.
    func report(_ message: String, advice: String? = nil) {
        Terminal.write([json ? RawJSON.done(message, advice: advice).text : Printable.text(message)])
        if !json, let advice { Terminal.note(Printable.line(advice)) }
    }

    /// Prints the frontend's JSON, or the same for people.
    func report(json text: String, lines: @autoclosure () -> [String]) {
        Terminal.write(json ? [text] : lines())
    }
}

/// What every command takes that asks the query API.
struct QueryOptions: ParsableArguments {
    @Option(
        name: .customLong("query"),
        help: ArgumentHelp(
            "The frontend's query address. (environment: CLIPPER_QUERY; default: http://127.0.0.1:1337)",
            valueName: "url"),
        transform: { text in try FrontendAddress(text) })
    var address: FrontendAddress?

    @Flag(
        help: """
            Print the frontend's answer, JSON, as it is; errors as JSON too, on standard error, but for those that the \
            parser finds in the command line.
            """)
    var json = false

    /// Runs a command's body with a client; a failure is printed and becomes the exit code.
    ///
    /// - Parameter patience: how long an answer may take.
    func run(patience: Duration, _ body: (QueryClient) async throws -> Void) async throws {
        try await reportingFailures(asJSON: json) {
            let environment = ProcessInfo.processInfo.environment
            let address = try FrontendAddress.resolve(address, face: .query, environment: environment)
            try await body(QueryClient(address: address, patience: patience))
        }
    }
}

/// Runs the body of a command; prints a failure on standard error and turns it into the exit code.
private func reportingFailures(asJSON: Bool, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let failure as CommandFailure {
        Terminal.note(asJSON ? failure.json.text : failure.text)
        throw ExitCode(failure.exitCode)
    }
}
