import ContainerRPC

/// A query under way, whose answer is awaited later.
final class AskedQuery {
    private let exchange: HTTPExchange
    private let play: FrontendPlay

    fileprivate init(_ exchange: HTTPExchange, _ play: FrontendPlay) {
        self.exchange = exchange
        self.play = play
    }

    /// The answer: an object with `output` and `default`, or one with `batch_predictions`.
    func answer() throws -> JSONValue {
        let limit = play.options.latencyObjective + play.bounds.answer
        guard let reply = try exchange.reply(until: .now() + limit) else {
            throw Fault(expected: "an answer to the query", but: "none came within \(limit.text)")
        }
        play.remark("the query's answer: \(reply.status) \(reply.body.shortened(to: 400))")
        guard reply.status == 200, let json = JSONValue(reply.body) else {
            throw Fault(
                expected: "200 with JSON", but: "the answer is \(reply.status) \(reply.body.shortened(to: 200))")
        }
        return json
    }

    /// The answers to a request of several inputs, one for each.
    func predictions(count: Int) throws -> [JSONValue] {
        try FrontendPlay.predictions(in: try answer(), count: count)
    }

    /// The answers to a request of several inputs, which must be these numbers.
    func expect(numbers: [Double]) throws {
        for (number, answer) in zip(numbers, try predictions(count: numbers.count)) {
            try FrontendPlay.expect(answer, .number(number))
        }
    }

    /// The answer, which must be this prediction.
    func expect(_ output: JSONValue) throws {
        try FrontendPlay.expect(try answer(), output)
    }

    /// The answer, which must be the default output.
    ///
    /// - Parameter text: what the explanation must hold.
    func expectDefault(explained text: String? = nil) throws {
        try FrontendPlay.expectDefault(try answer(), explained: text)
    }
}

/// A running frontend, an application and a model of the kit's own there, and the containers that are played.
final class FrontendPlay {
    let version: RPCVersion
    let options: FrontendRun.Options
    let context: Context
    private(set) var transcript = Transcript()
    private let names: RegisteredNames
    private let cleanUpNumber: Int
    private let start = MonotonicTime.now()

    init(_ options: FrontendRun.Options, version: RPCVersion) throws {
        self.options = options
        self.version = version
        context = try Context()
        var generator = SystemRandomNumberGenerator()
        let suffix = String(UInt64.random(in: 0...UInt64.max, using: &generator), radix: 36)
        (names, cleanUpNumber) = try CleanUps.shared.add {
            let names = RegisteredNames(suffix: suffix)
            return (
                names,
                undo: { names.delete { operation, body in _ = try Self.ask(operation, .object(body), options) } }
            )
        }
    }

    var bounds: Bounds { options.bounds }
    /// The names of the application and of the model.
    var application: String { names.application }
    var model: String { names.model }

    // MARK: The transcript

    func record(_ direction: Transcript.Direction, _ peer: String, _ name: String, _ frames: [[UInt8]]) {
        transcript.append(
            .message(at: .now() - start, direction, peer: peer, name: name, frames: ShownFrames(frames)))
    }

    func remark(_ text: String) {
        transcript.append(.remark(at: .now() - start, text))
    }

    // MARK: Administration

    /// Registers a model, an application and their link.
    func registerAll(_ type: InputType = .float64) throws {
        try registerModel(type)
        try names.register(.application) {
            try administer(
                "add_app",
                [
                    "name": .string(application), "input_type": .string(type.name), "default_output": .string("-1.0"),
                    "latency_slo_micros": .number(Double(options.latencyObjective.inMilliseconds * 1_000)),
                ])
        }
        try administer("add_model_links", ["app_name": .string(application), "model_names": .array([.string(model)])])
    }

    func registerModel(_ type: InputType = .float64) throws {
        try names.register(.model) {
            try administer(
                "add_model",
                [
                    "model_name": .string(model), "model_version": .string(RegisteredNames.modelVersion),
                    "input_type": .string(type.name), "labels": .array([]), "container_name": .string("NO_CONTAINER"),
                    "model_data_path": .string(""), "batch_size": .number(-1),
                ])
        }
    }

    /// Removes what was registered, as far as it goes.
    func cleanUp() {
        names.delete { operation, body in try administer(operation, body) }
        CleanUps.shared.remove(cleanUpNumber)
    }

    /// Asks the administration, which must do it.
    @discardableResult
    func administer(_ operation: String, _ body: [String: JSONValue]) throws -> String {
        let reply = try reply(of: operation, body)
        guard reply.status == 200 else {
            throw Fault("the administration refused \(operation): \(reply.status) \(reply.body.shortened(to: 200))")
        }
        return reply.body
    }

    func reply(of operation: String, _ body: [String: JSONValue]) throws -> HTTPExchange.Reply {
        let body = JSONValue.object(body)
        let reply = try Self.ask(operation, body, options)
        remark("/admin/\(operation) \(body.json.shortened(to: 200)): \(reply.status) \(reply.body.shortened(to: 300))")
        return reply
    }

    private static func ask(
        _ operation: String, _ body: JSONValue, _ options: FrontendRun.Options
    ) throws -> HTTPExchange.Reply {
        let exchange = try HTTPExchange(post: "/admin/\(operation)", body.json, to: options.administration)
        let limit = options.bounds.answer
        guard let reply = try exchange.reply(until: .now() + limit) else {
            throw Fault(expected: "an answer to /admin/\(operation)", but: "none came within \(limit.text)")
        }
        return reply
    }

    /// How many replicas of a model the frontend lists.
    func replicas(of name: String? = nil) throws -> Int {
        try listed(of: name).count
    }

    /// The numbers by which the frontend lists the replicas of the play's model; `nil` where one has none.
    func replicaNumbers() throws -> [Int]? {
        let numbers = try listed().map { entry -> Int? in
            guard case .integer(let number) = entry["model_replica_id"] else { return nil }
            return number
        }
        return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
    }

    private func listed(of name: String? = nil) throws -> [JSONValue] {
        let body = try administer("get_all_containers", ["verbose": .boolean(true)])
        guard let list = JSONValue(body)?.elements else {
            throw Fault(expected: "a list of containers", but: "the answer is \(body.shortened(to: 200))")
        }
        return list.filter { $0["model_name"]?.text == name ?? model }
    }

    /// Waits until so many replicas are listed.
    func expectReplicas(_ count: Int, of name: String? = nil, _ why: String) throws {
        let deadline = MonotonicTime.now() + bounds.answer
        while true {
            let listed = try replicas(of: name)
            if listed == count { return }
            guard MonotonicTime.now() < deadline else {
                throw Fault(
                    expected: "\(counted(count, "replica")) in the frontend's listing: \(why)",
                    but: "there are \(listed)")
            }
            _ = try waitForInput([], timeout: .milliseconds(20))
        }
    }

    // MARK: Containers

    /// What containers of this play register.
    func registration(_ type: InputType = .float64, _ change: (inout RegistrationDetails) -> Void = { _ in })
        -> Registration
    {
        var details = RegistrationDetails()
        details.software = "conformance"
        change(&details)
        return Registration(
            modelName: model, modelVersion: RegisteredNames.modelVersion, inputType: type, details: details)
    }

    /// A container that is registered and listed.
    func container(_ name: String, _ registration: Registration? = nil, version: RPCVersion? = nil) throws
        -> PlayedContainer
    {
        let before = try replicas()
        let container = try PlayedContainer(name, version ?? self.version, in: self)
        try container.register(registration ?? self.registration())
        try expectReplicas(before + 1, "\(name) has registered")
        return container
    }

    // MARK: Queries

    /// Asks a query, whose answer is awaited later.
    ///
    /// - Parameter fields: header fields that it has besides the usual ones.
    func ask(_ input: JSONValue, fields: [(String, String)] = []) throws -> AskedQuery {
        try ask("input", input, fields)
    }

    /// Asks several queries in one request.
    func ask(batch inputs: [JSONValue]) throws -> AskedQuery {
        try ask("input_batch", .array(inputs))
    }

    private func ask(_ key: String, _ value: JSONValue, _ fields: [(String, String)] = []) throws -> AskedQuery {
        let body = JSONValue.object([key: value]).json
        let shown = fields.map { " with \($0.0): \($0.1)" }.joined()
        remark("a query is asked\(shown): \(body.shortened(to: 200))")
        return AskedQuery(
            try HTTPExchange(post: "/\(application)/predict", body, fields: fields, to: options.query), self)
    }

    /// The members of `batch_predictions`, which must be so many.
    static func predictions(in answer: JSONValue, count: Int) throws(Fault) -> [JSONValue] {
        guard let predictions = answer["batch_predictions"]?.elements else {
            throw Fault(
                expected: "an object with batch_predictions", but: "the caller got \(answer.json.shortened(to: 300))")
        }
        guard predictions.count == count else {
            throw Fault(expected: counted(count, "prediction"), but: "there are \(predictions.count)")
        }
        return predictions
    }

    static func expect(_ answer: JSONValue, _ output: JSONValue) throws {
        guard answer["default"] == .boolean(false), answer["output"] == output else {
            throw Fault(
                expected: "the prediction \(output.json)", but: "the caller got \(answer.json.shortened(to: 300))")
        }
    }

    static func expectDefault(_ answer: JSONValue, explained text: String? = nil) throws {
        guard answer["default"] == .boolean(true) else {
            throw Fault(expected: "the default output", but: "the caller got \(answer.json.shortened(to: 300))")
        }
        guard let text else { return }
        guard answer["default_explanation"]?.text?.contains(text) == true else {
            throw Fault(
                expected: "an explanation with '\(text)'",
                but: "it is \(answer["default_explanation"]?.json.shortened(to: 300) ?? "not there")")
        }
    }

    /// Sees that this container, the only one, serves: a query comes to it, and its answer to the caller.
    func serves(_ container: PlayedContainer) throws {
        marker += 1
        let query = try ask(.array([.number(Double(marker)), .number(0.5)]))
        let batch = try container.batch()
        try container.answer(batch, batch.items.map { _ in "\(marker).25" })
        try query.expect(.number(Double(marker) + 0.25))
    }

    /// What makes the inputs of a play differ, lest answers come from a cache.
    private var marker = 1_000
}
