import DigitsModel
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The REST side of a query frontend, as far as this client needs it.
struct Frontend: Sendable {
    let query: URL
    let admin: URL
    private let session: URLSession

    init(query: URL, admin: URL, connections: Int) {
        self.query = query
        self.admin = admin
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = connections
        configuration.timeoutIntervalForRequest = 10
        configuration.urlCache = nil
        configuration.httpShouldSetCookies = false
        session = URLSession(configuration: configuration)
    }

    /// Asks which digit an image shows.
    func predict(_ digit: Digit) async throws -> Answer {
        // Clipper refuses whole numbers where doubles are due. A Double's description has a point, JSONEncoder's has not.
        let numbers = digit.pixels.map(\.description).joined(separator: ",")
        let body = try await post(query.appending(path: "digits/predict"), body: Data("{\"input\":[\(numbers)]}".utf8))
        return try JSONDecoder().decode(Answer.self, from: body)
    }

    /// Answers when the application answers with something else than its default.
    func waitUntilReady(asking digit: Digit, atMost patience: Duration) async throws {
        let start = ContinuousClock.now
        var lastReason = ""
        var lastLog = start
        while true {
            let reason: String
            do {
                let answer = try await predict(digit)
                guard answer.isDefault else { return }
                reason = "default output: \(answer.explanation ?? "no explanation")"
            } catch {
                reason = description(of: error)
            }
            let now = ContinuousClock.now
            if reason != lastReason || now - lastLog >= .seconds(5) {
                log("waiting for the application 'digits' (\((now - start).components.seconds) s): \(reason)")
                (lastReason, lastLog) = (reason, now)
            }
            guard now - start < patience else {
                throw ClientError(
                    "the application 'digits' gave no answer within \(patience.components.seconds) s: \(reason)\n"
                        + (await stateOfApplication()))
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Sends every digit in a request of its own, at most `concurrency` at a time.
    func predict(_ digits: [Digit], concurrency: Int) async throws -> Report {
        let start = ContinuousClock.now
        let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
            var outcomes: [Outcome] = []
            for (index, digit) in digits.enumerated() {
                if index >= concurrency, let outcome = try await group.next() {
                    outcomes.append(outcome)
                }
                group.addTask {
                    let sent = ContinuousClock.now
                    let answer = try await predict(digit)
                    return Outcome(index: index, digit: digit, answer: answer, latency: ContinuousClock.now - sent)
                }
            }
            for try await outcome in group {
                outcomes.append(outcome)
            }
            return outcomes
        }
        let time = ContinuousClock.now - start
        return Report(outcomes: outcomes.sorted { $0.index < $1.index }, time: time)
    }

    /// The most queries that the model has been given at once, or why that is unknown.
    func largestBatch() async -> String {
        do {
            let metrics = try await send(URLRequest(url: query.appending(path: "metrics")))
            return try largestBatchSize(inMetrics: metrics, model: "digits").map { "\($0) queries" }
                ?? "unknown: the metrics hold no batch sizes of the model 'digits'"
        } catch {
            return "unknown: \(description(of: error))"
        }
    }

    /// What the frontend knows of the application and its containers; for whoever has to find out what is missing.
    private func stateOfApplication() async -> String {
        var lines: [String] = []
        for (name, path, body) in [
            ("models linked to it", "admin/get_linked_models", #"{"app_name":"digits"}"#),
            ("containers connected", "admin/get_all_containers", #"{"verbose":false}"#),
        ] {
            do {
                let answer = try await post(admin.appending(path: path), body: Data(body.utf8))
                lines.append("  \(name): \(String(decoding: answer, as: UTF8.self))")
            } catch {
                lines.append("  \(name): \(description(of: error))")
            }
        }
        return lines.joined(separator: "\n")
    }

    private func post(_ url: URL, body: Data) async throws -> Data {
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = body
        return try await send(request)
    }

    private func send(_ request: URLRequest) async throws -> Data {
        let (body, response) = try await session.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status == 200 else {
            let text = String(decoding: body.prefix(300), as: UTF8.self)
            throw ClientError("\(request.url?.absoluteString ?? "the frontend") answered \(status): \(text)")
        }
        return body
    }

    /// One line for a person: Foundation describes its errors best in `localizedDescription`, where that is set.
    private func description(of error: any Error) -> String {
        (error as? ClientError)?.description ?? error.localizedDescription
    }
}

/// What the frontend answers to one query.
struct Answer: Sendable, Decodable {
    /// The model's output; `nil` if it is no whole number.
    let digit: Int?
    let isDefault: Bool
    let explanation: String?

    private enum CodingKeys: String, CodingKey {
        case digit = "output"
        case isDefault = "default"
        case explanation = "default_explanation"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        digit = (try? values.decode(Double.self, forKey: .digit)).flatMap(Int.init(exactly:))
        isDefault = try values.decode(Bool.self, forKey: .isDefault)
        explanation = try? values.decode(String.self, forKey: .explanation)
    }
}

/// Says why the client cannot go on, or why it is not content.
struct ClientError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
