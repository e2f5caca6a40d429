import Foundation
import PlainHTTP

/// Who is asked: found, and tried with one request, before the load starts.
struct BenchTarget: Sendable {
    /// The URL that the requests go to.
    let url: String
    /// Its path, percent-encoded.
    let path: String
    /// The value of the header `Host`.
    let hostHeader: String
    private let host: String
    private let port: Int

    /// - Throws: ``CommandFailure`` for an address that makes no URL.
    init(address: FrontendAddress, application: String) throws {
        guard let url = address.url(path: [application, "predict"]), let host = url.host else {
            throw CommandFailure.usage("\(address) makes no URL")
        }
        self.url = url.absoluteString
        path = url.path(percentEncoded: true)
        port = url.port ?? 80
        let plain = host.trimmingCharacters(in: ["[", "]"])
        hostHeader = FrontendAddress.hostHeader(plain, port)
        self.host = plain
    }

    /// The first of the host's addresses that takes a connection.
    ///
    /// - Throws: ``CommandFailure``.
    func endpoint() throws -> ServerEndpoint {
        do {
            for endpoint in try ServerEndpoint.resolve(host: host, port: port) where try endpoint.isReachable() {
                return endpoint
            }
        } catch {
            throw CommandFailure(cause: .unreachable, message: "\(url) cannot be reached: \(error)")
        }
        throw CommandFailure(cause: .unreachable, message: "\(url) takes no connection")
    }
}

/// What the frontend says before the load starts.
struct BenchInquiry {
    let application: String
    /// The query API's address.
    let query: FrontendAddress
    /// The administration API, where it is known to be the same frontend's.
    let administration: AdministrationClient?

    /// The application's latency objective.
    ///
    /// - Throws: ``CommandFailure``: without the frontend's word only the command line can tell.
    func latencySLO() async throws -> Duration {
        guard let administration else {
            throw CommandFailure.usage(
                "--slo is needed, such as --slo 20ms; or name the administration address with --admin")
        }
        do {
            return try await administration.application(application).application.latencySLO
        } catch let failure as CommandFailure {
            if case .unreachable = failure.cause {
                throw CommandFailure(
                    cause: .unreachable,
                    message: "the application's SLO is not known, as \(failure.message)",
                    advice: "--slo, such as --slo 20ms, says what to measure against without it.")
            }
            throw await naming(failure)
        }
    }

    /// Sends one request, so that mistakes show before thousands of them do.
    ///
    /// - Parameters:
    ///   - patience: how long it may take.
    ///   - acceptsAny: any 200 will do.
    /// - Throws: ``CommandFailure``, for an unknown application with those that there are.
    func tryOnce(_ body: RawJSON, patience: Duration, acceptsAny: Bool) async throws {
        let request = FrontendRequest(method: "POST", path: [application, "predict"], body: body)
        let client = FrontendClient(face: .query, address: query, patience: patience, transport: HTTPTransport())
        do {
            let answer = try await client.body(of: request)
            if !acceptsAny, case .error(let text) = BenchAnswer(status: 200, body: Array(answer.utf8)[...]) {
                throw client.unreadable(text)
            }
        } catch let failure as CommandFailure {
            // It answers, and takes no more for now: that is what a load may be there to see.
            if failure.cause == .refused(status: 503) { return }
            throw failure.cause == .refused(status: 404) ? await naming(failure) : failure
        }
    }

    /// The failure with the applications that there are.
    private func naming(_ failure: CommandFailure) async -> CommandFailure {
        guard let applications = try? await administration?.applications().applications else { return failure }
        var failure = failure
        let names = applications.map(\.name).sorted().map { Printable.line($0) }
        failure.advice =
            names.isEmpty
            ? "No application is registered; `clipper app register` adds one."
            : "The applications are: \(names.joined(separator: ", "))."
        return failure
    }
}
