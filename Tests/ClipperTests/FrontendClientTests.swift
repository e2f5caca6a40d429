import ContainerRPC
import QueryFrontend
import Testing

@testable import clipper

/// Answers every request with the same reply, or fails to.
struct CannedTransport: FrontendTransport {
    let result: Result<FrontendReply, NoAnswerError>

    init(_ status: Int, _ body: String) { result = .success(FrontendReply(status: status, body: body)) }
    init(_ error: NoAnswerError) { result = .failure(error) }

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        try result.get()
    }
}

@Suite("Asking a frontend")
struct FrontendClientTests {
    private func administration(_ transport: CannedTransport) throws -> AdministrationClient {
        AdministrationClient(address: try FrontendAddress("http://127.0.0.1:1338"), transport: transport)
    }

    private func query(_ transport: CannedTransport) throws -> QueryClient {
        QueryClient(address: try FrontendAddress("http://127.0.0.1:1337"), patience: .seconds(60), transport: transport)
    }

    private func predict(_ transport: CannedTransport, _ texts: [String]) async throws -> PredictAnswer {
        let inputs = texts.map { PredictInput(text: $0) }
        return try await query(transport).predict(inputs, application: "a").answer
    }

    @Test("Where nobody listens the failure says how to start a frontend, and the exit code is 2")
    func explainsRefusedConnections() async throws {
        let client = try administration(CannedTransport(.refused))
        let failure = await #expect(throws: CommandFailure.self) { try await client.status() }
        #expect(failure?.exitCode == 2)
        #expect(
            failure?.text == """
                error: no frontend answers at http://127.0.0.1:1338; start one with `clipper serve`, or name its \
                address with --admin
                """)
    }

    @Test(
        "Every way of not being answered is exit code 2",
        arguments: [NoAnswerError.unknownHost, .silent, .lost, .noFrontend("y"), .other("x")])
    func countsAsUnreachable(error: NoAnswerError) async throws {
        let failure = await #expect(throws: CommandFailure.self) { try await predict(CannedTransport(error), ["[1]"]) }
        #expect(failure?.exitCode == 2)
        #expect(failure?.message.contains("http://127.0.0.1:1337") == true)
    }

    @Test("Something that answers is not told to be started")
    func tellsWhatAnswers() async throws {
        let client = try administration(CannedTransport(.noFrontend("its answer is longer than 512MiB")))
        let failure = await #expect(throws: CommandFailure.self) { try await client.status() }
        #expect(
            failure?.text == """
                error: what answers at http://127.0.0.1:1338 is no administration API of a frontend: its answer is \
                longer than 512MiB; name the frontend's address with --admin
                """)
    }

    @Test("A frontend that dies while it is asked is not taken for something else")
    func tellsLost() async throws {
        let failure = await #expect(throws: CommandFailure.self) { try await predict(CannedTransport(.lost), ["[1]"]) }
        #expect(
            failure?.text == """
                error: the frontend at http://127.0.0.1:1337 closed the connection before its answer was complete; \
                it may have stopped
                """)
    }

    @Test("Where the environment names the address, every failure to find a frontend says so")
    func namesVariable() async throws {
        let address = try FrontendAddress.resolve(
            nil, face: .administration, environment: ["CLIPPER_ADMIN": "http://foo"])
        for error in [NoAnswerError.unknownHost, .refused, .noFrontend("x"), .other("x")] {
            let client = AdministrationClient(address: address, transport: CannedTransport(error))
            let failure = await #expect(throws: CommandFailure.self) { try await client.status() }
            #expect(failure?.message.contains("CLIPPER_ADMIN names that address") == true, "\(error)")
            #expect(failure?.message.contains("--admin") == true, "\(error)")
        }
    }

    @Test("A refusal is told in the frontend's words, and the exit code is 1")
    func explainsRefusals() async throws {
        let client = try administration(CannedTransport(400, "application 'a' already exists"))
        let failure = await #expect(throws: CommandFailure.self) {
            try await client.change(AdministrationRequest.deleteApplication(name: "a"))
        }
        #expect(failure?.exitCode == 1)
        #expect(failure?.text == "error: application 'a' already exists")
        #expect(
            failure?.json.text == "{\"ok\":false,\"error\":\"application 'a' already exists\",\"status\":400}")
    }

    @Test("A refusal in JSON is told by its error and its cause")
    func explainsJSONRefusals() async throws {
        let body = "{\"error\":\"Json error\",\"cause\":\"an array of doubles is expected\"}"
        let failure = await #expect(throws: CommandFailure.self) {
            try await predict(CannedTransport(400, body), ["x"])
        }
        #expect(failure?.message == "Json error: an array of doubles is expected")
    }

    @Test("A refused input that begins like an array is pointed out")
    func advisesOnBrokenArrays() async throws {
        let failure = await #expect(throws: CommandFailure.self) {
            try await predict(CannedTransport(400, "no"), ["[1, 2"])
        }
        #expect(failure?.advice?.contains("no valid JSON") == true)
    }

    @Test("That a query is unknown is no reason to look for another application or address")
    func keepsToTheQuery() async throws {
        let client = try query(CannedTransport(404, "{\"error\":\"Unknown query\",\"cause\":\"No query 9\"}"))
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await client.update(FeedbackPiece(subject: .reward(queryID: 9, 1)), application: "a")
        }
        #expect(failure?.text == "error: Unknown query: No query 9")
    }

    @Test("A page that is no refusal of a frontend is cut to one line")
    func shortensPages() async throws {
        let page = "<html>\n" + String(repeating: "x", count: 10_000)
        let failure = await #expect(throws: CommandFailure.self) {
            try await predict(CannedTransport(502, page), ["x"])
        }
        #expect((failure?.message.count ?? .max) <= 1000)
        #expect(failure?.message.contains("\n") == false)
    }

    @Test("An answer of another form is exit code 2, and names the option for the address")
    func refusesOtherAnswers() async throws {
        let client = try administration(CannedTransport(200, "{\"uptime_seconds\":1}"))
        let failure = await #expect(throws: CommandFailure.self) { try await client.status() }
        #expect(failure?.exitCode == 2)
        #expect(failure?.message.contains("'applications' is missing") == true)
        #expect(failure?.advice?.contains("--admin") == true)
    }

    @Test("An answer with too few outputs is refused")
    func countsOutputs() async throws {
        let body = "{\"output\":1,\"default\":false}"
        let failure = await #expect(throws: CommandFailure.self) {
            try await predict(CannedTransport(200, body), ["a", "b"])
        }
        #expect(failure?.exitCode == 2)
    }

    @Test("An unknown application or model is a refusal", arguments: ["{}", " {\n} "])
    func refusesNothing(body: String) async throws {
        let client = try administration(CannedTransport(200, body))
        let first = await #expect(throws: CommandFailure.self) { try await client.application("a") }
        #expect(first?.exitCode == 1)
        #expect(first?.message == "no application is named 'a'")
        let second = await #expect(throws: CommandFailure.self) {
            try await client.model(ModelVersion(name: "m", version: "1"))
        }
        #expect(second?.exitCode == 1)
    }

    @Test("Models are read from frontends that do not tell the batch size too")
    func readsModels() async throws {
        let body = """
            [{"model_name":"m","model_version":"1","input_type":"doubles","labels":["x"],"container_name":"c",
            "model_data_path":"","is_current_version":true}]
            """
        let models = try await administration(CannedTransport(200, body)).models().models
        #expect(models.map(\.name) == ["m"])
        #expect(models.map(\.batchSize) == [nil])
    }

    @Test("Control characters from elsewhere do not reach the terminal")
    func escapesMessages() {
        #expect(CommandFailure.usage("a\u{1B}[2J").text == "error: a\\u{1B}[2J")
    }
}

@Suite("Requests of the administration API")
struct AdministrationRequestTests {
    @Test("An application is registered with its SLO in microseconds")
    func registersApplications() {
        let request = AdministrationRequest.registerApplication(
            name: "a", inputType: .float64, defaultOutput: "-1.0", latencySLO: .milliseconds(100))
        #expect(request.method == "POST")
        #expect(request.path == ["admin", "add_app"])
        #expect(
            request.body?.text == """
                {"name":"a","input_type":"doubles","default_output":"-1.0","latency_slo_micros":100000}
                """)
    }

    @Test("The models to link go with the application, in one request")
    func registersLinks() {
        let request = AdministrationRequest.registerApplication(
            name: "a", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1), models: ["m", "n"])
        #expect(request.body?.text.hasSuffix(#","latency_slo_micros":1000000,"model_names":["m","n"]}"#) == true)
    }

    @Test("A latency objective and a default output are set in the units of a registration")
    func setsObjective() {
        let options = ApplicationOptions(latencySLO: .milliseconds(50), defaultOutput: "-2")
        #expect(
            AdministrationRequest.setOptions(ofApplication: "a", options).body?.text
                == #"{"name":"a","default_output":"-2","latency_slo_micros":50000}"#)
    }

    @Test("A model is registered with every key that Clipper demands")
    func registersModels() {
        let request = AdministrationRequest.registerModel(
            ModelVersion(name: "m", version: "1"), inputType: .string, batching: Batching(), labels: ["x"])
        #expect(request.path == ["admin", "add_model"])
        #expect(
            request.body?.text == """
                {"model_name":"m","model_version":"1","input_type":"strings","labels":["x"],\
                "container_name":"NO_CONTAINER","model_data_path":"","batch_size":-1}
                """)
    }

    @Test("A model's settings go beside Clipper's keys only where those cannot tell them")
    func registersSettings() throws {
        func end(_ batching: Batching, cache: Bool = true) throws -> String {
            let request = AdministrationRequest.registerModel(
                ModelVersion(name: "m", version: "1"), inputType: .string, batching: batching,
                cachesPredictions: cache, labels: [])
            let text = try #require(request.body?.text)
            return String(text[try #require(text.firstRange(of: "\"batch_size\"")).lowerBound...])
        }
        #expect(try end(Batching(.fixed(8))) == "\"batch_size\":8}")
        #expect(try end(Batching(.fixed(10_000))) == "\"batch_size\":10000}")
        #expect(try end(Batching(), cache: false) == "\"batch_size\":-1,\"cache\":false}")
        #expect(
            try end(Batching(limit: .fixed(8), maxDelay: .milliseconds(2))) == """
                "batch_size":8,"batching":{"policy":"fixed","size":8,"max_delay_micros":2000,"max_batch":4096}}
                """)
        #expect(
            try end(Batching(limit: .aimd(increase: 4, backoff: 0.9), maxBatch: 512)) == """
                "batch_size":-1,"batching":{"policy":"aimd","increase":4,"backoff":0.9,"max_delay_micros":0,\
                "max_batch":512}}
                """)
    }

    @Test("An application's options are sent where they are given, and no others")
    func sendsOptions() {
        let hedging = HedgingSetting.on(Hedging(quantile: 0.99, maxExtraWork: 0.1))
        let request = AdministrationRequest.registerApplication(
            name: "a", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1),
            options: ApplicationOptions(overload: .reject, hedging: hedging))
        #expect(
            request.body?.text.hasSuffix(
                #","overload":"reject","hedging":{"quantile":0.99,"max_extra_work":0.1}}"#) == true)
        let change = AdministrationRequest.setOptions(ofApplication: "a", ApplicationOptions(hedging: .off))
        #expect(change.path == ["admin", "set_app_options"])
        #expect(change.body?.text == #"{"name":"a","hedging":false}"#)
    }

    @Test("A model's options are sent where they are given, and no others")
    func sendsModelOptions() {
        func body(_ options: ModelOptions) -> String? {
            let request = AdministrationRequest.setOptions(of: ModelVersion(name: "m", version: "1"), options)
            #expect(request.path == ["admin", "set_model_options"])
            return request.body?.text
        }
        let start = #"{"model_name":"m","model_version":"1","#
        #expect(body(ModelOptions(maxBatch: 8)) == start + #""batching":{"max_batch":8}}"#)
        #expect(
            body(ModelOptions(limit: .aimd(increase: 4, backoff: 0.9), maxDelay: .milliseconds(2)))
                == start + #""batching":{"policy":"aimd","increase":4,"backoff":0.9,"max_delay_micros":2000}}"#)
        #expect(body(ModelOptions(cachesPredictions: false, labels: [])) == start + #""cache":false,"labels":[]}"#)
    }

    @Test("How an application selects is sent where it is given, a policy without parameters by its name")
    func sendsSelection() {
        func body(_ options: ApplicationOptions) -> String? {
            AdministrationRequest.setOptions(ofApplication: "a", options).body?.text
        }
        #expect(body(ApplicationOptions(policy: PolicyDescription("exp3"))) == #"{"name":"a","policy":"exp3"}"#)
        let weighted = PolicyDescription("weighted", ["b": .number(10), "a": .number(90.5), "c": .text("x\"")])
        #expect(
            body(ApplicationOptions(policy: weighted, loss: .zeroOne, minConfidence: 0.5, shadows: ["m"]))
                == #"{"name":"a","policy":{"name":"weighted","parameters":{"a":90.5,"b":10.0,"c":"x\""}},"#
                + #""loss":"zero-one","min_confidence":0.5,"shadow":["m"]}"#)
        #expect(body(ApplicationOptions(shadows: [])) == #"{"name":"a","shadow":[]}"#)
    }

    @Test("A state is asked for, and reset, with the user where there is one")
    func asksForStates() {
        let asked = AdministrationRequest.selectionState(ofApplication: "a", user: nil)
        #expect(asked.path == ["admin", "get_state"])
        #expect(asked.body?.text == #"{"app_name":"a","format":"json"}"#)
        let reset = AdministrationRequest.resetState(ofApplication: "a", user: "7")
        #expect(reset.path == ["admin", "reset_state"])
        #expect(reset.body?.text == #"{"app_name":"a","uid":"7"}"#)
        #expect(AdministrationRequest.resetState(ofApplication: "a", user: nil).body?.text == #"{"app_name":"a"}"#)
    }

    @Test("Links name the application and the models")
    func links() {
        let body = "{\"app_name\":\"a\",\"model_names\":[\"m\",\"n\"]}"
        #expect(AdministrationRequest.link(application: "a", models: ["m", "n"]).body?.text == body)
        #expect(AdministrationRequest.unlink(application: "a", models: ["m", "n"]).body?.text == body)
    }
}
