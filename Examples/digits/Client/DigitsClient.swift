import ArgumentParser
import DigitsModel

@main
struct DigitsClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digits-client",
        abstract: "Sends every held-out digit to the application 'digits', one per request, and judges the answers.",
        discussion: "Exits with 1 if fewer than 95 of 100 answers are right, or if one of them is the default output.")

    @Option(help: "The frontend's query address.")
    var query = "http://127.0.0.1:1337"

    @Option(help: "The frontend's administration address; asked only why there is no answer.")
    var admin = "http://127.0.0.1:1338"

    @Option(help: "How many requests are under way at a time.")
    var concurrency = 32

    @Option(help: "How many seconds to wait for the application's first answer.")
    var wait = 60

    func validate() throws {
        guard concurrency > 0 else { throw ValidationError("--concurrency must be at least 1") }
        guard wait >= 0 else { throw ValidationError("--wait must not be negative") }
    }

    func run() async throws {
        let frontend = Frontend(
            query: try httpAddress(query), admin: try httpAddress(admin), connections: concurrency)
        let digits = try Digit.heldOut()
        guard let first = digits.first else { throw ClientError("there are no held-out digits") }
        try await frontend.waitUntilReady(asking: first, atMost: .seconds(wait))

        log("sending \(digits.count) digits to \(query), \(concurrency) at a time")
        let report = try await frontend.predict(digits, concurrency: concurrency)
        print(report.drawings)
        print(report.summary)
        print("largest batch     \(await frontend.largestBatch())")
        try report.judge()
    }
}
