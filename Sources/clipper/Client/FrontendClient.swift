/// Sends requests to one of a frontend's addresses and tells answers from failures.
struct FrontendClient: Sendable {
    /// Which of the frontend's addresses it is.
    let face: FrontendFace
    /// Where the frontend listens.
    let address: FrontendAddress
    /// How long a request may take, to the last byte of its answer.
    let patience: Duration
    /// What carries the requests.
    let transport: any FrontendTransport

    /// The body of a 200.
    ///
    /// - Throws: ``CommandFailure`` where none comes.
    func body(of request: FrontendRequest) async throws -> String {
        let reply: FrontendReply
        do {
            reply = try await transport.reply(to: request, at: address, patience: patience)
        } catch let error as NoAnswerError {
            throw unreachable(error)
        } catch {
            throw unreachable(.other("\(error)"))
        }
        guard reply.status == 200 else { throw Self.refusal(reply, face: face) }
        return reply.body
    }

    /// The failure for an answer that is not what the frontend's API gives.
    func unreadable(_ what: String) -> CommandFailure {
        CommandFailure(
            cause: .unreachable,
            message: "what answers at \(address) is no \(Self.name(of: face)) of a frontend: \(what)",
            advice: address.variable.map { "\($0) names that address; \(face.option) names another." }
                ?? "Name the address of the frontend with \(face.option).")
    }

    private func unreachable(_ error: NoAnswerError) -> CommandFailure {
        // Whoever has forgotten the variable would look for the mistake in the command.
        let naming =
            (address.variable.map { "\($0) names that address; " } ?? "")
            + "name the frontend's address with \(face.option)"
        let starting =
            address.variable.map { "start one with `clipper serve`; \($0) names that address, \(face.option) another" }
            ?? "start one with `clipper serve`, or name its address with \(face.option)"
        let message =
            switch error {
            case .refused:
                "no frontend answers at \(address); \(starting)"
            case .unknownHost:
                "the host of \(address) is not known; \(naming)"
            case .silent:
                "the frontend at \(address) did not answer in time"
            case .lost:
                "the frontend at \(address) closed the connection before its answer was complete; it may have stopped"
            case .noFrontend(let what):
                unreadable(what).message + "; \(naming)"
            case .other(let detail):
                "no frontend answers at \(address) (\(detail)); \(starting)"
            }
        return CommandFailure(cause: .unreachable, message: message)
    }

    /// The failure for an answer with a status other than 200.
    static func refusal(_ reply: FrontendReply, face: FrontendFace) -> CommandFailure {
        var advice: String?
        if reply.status == 404 {
            advice =
                switch face {
                case .administration: "--admin must name the administration address, not the query address."
                case .query: "`clipper app list` lists the applications; --query must name the query address."
                }
        }
        return CommandFailure(
            cause: .refused(status: reply.status), message: explanation(of: reply), advice: advice)
    }

    /// What the frontend says: plain text, or JSON with the keys `error` and `cause`.
    private static func explanation(of reply: FrontendReply) -> String {
        if let json = RawJSON(reply.body), let error = json["error"]?.stringValue {
            return json["cause"]?.stringValue.map { "\(error): \($0)" } ?? error
        }
        let text = reply.body.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(1000)
        return text.isEmpty ? "the frontend answered with HTTP status \(reply.status)" : String(text)
    }

    private static func name(of face: FrontendFace) -> String {
        face == .administration ? "administration API" : "query API"
    }
}
