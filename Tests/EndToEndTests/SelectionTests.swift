import Testing

@Suite("Selection policies")
struct SelectionTests {
    /// A frontend whose application asks models that each answer a text of their own.
    private func frontend(
        in processes: Processes, store: String = ":memory:", models: [String] = ["a", "b"], policy: JSON,
        slo: Duration = .seconds(60), settings: [String: JSON] = [:]
    ) async throws -> Frontend {
        let frontend = try await Frontend(in: processes, store: store)
        for model in models { try await frontend.addModel(model) }
        try await frontend.addApplication("app", slo: slo, links: models)
        var options = settings
        options["name"] = "app"
        options["policy"] = policy
        try await frontend.admin("set_app_options", .object(options))
        for model in models { try await start(model, at: frontend) }
        return frontend
    }

    private func start(_ model: String, at frontend: Frontend) async throws {
        try await frontend.startContainer("faulty-container", model: model, arguments: ["--output", "\"\(model)\""])
    }

    /// What a policy has learned, as JSON.
    private func state(at frontend: Frontend, user: String? = nil) async throws -> JSON {
        var body: [String: JSON] = ["app_name": "app", "format": "json"]
        if let user { body["uid"] = .string(user) }
        return try await frontend.admin("get_state", .object(body))["state"] ?? "no state"
    }

    private func update(_ body: String, at frontend: Frontend) async throws -> (status: Int, text: String) {
        let response = try await frontend.query.post("/app/update", body)
        return (response.status, response.text)
    }

    @Test("An answer tells its models and their agreement after Clipper's keys")
    func answers() async throws {
        try await withProcesses { processes in
            let frontend = try await frontend(in: processes, models: ["a", "b", "c"], policy: "majority")
            let response = try await frontend.query.post("/app/predict", #"{"input": [1]}"#)
            let start = #"{"query_id":0,"output":"a","default":false,"models":["a:1","b:1","c:1"],"confidence":0.33"#
            #expect(response.text.hasPrefix(start))
            try await frontend.admin("set_app_options", ["name": "app", "min_confidence": 0.5])
            let unsure = try await frontend.predict(#"{"input": [1]}"#)
            #expect(unsure["default"] == true)
            #expect(unsure["output"] == -1)
            #expect(unsure["default_explanation"] == "The models agree less than the application demands")
            #expect(unsure["models"]?.elements?.count == 3)
        }
    }

    @Test("A model that is too slow for the SLO is left behind, and one that has no replica is not waited for")
    func stragglers() async throws {
        try await withProcesses { processes in
            let frontend = try await frontend(
                in: processes, models: ["a"], policy: "majority", slo: .seconds(20))
            try await frontend.addModel("slow")
            try await frontend.addModel("absent")
            try await frontend.admin(
                "add_model_links", ["app_name": "app", "model_names": ["slow", "absent"]])
            try await frontend.startContainer(
                "faulty-container", model: "slow", arguments: ["--milliseconds", "600000"])
            let answer = try await frontend.predict(#"{"input": [1]}"#)
            #expect(answer["output"] == "a")
            #expect(answer["default"] == false)
            #expect(answer["models"] == ["a:1"])
            #expect(answer["confidence"] == 0.5)
            let metrics = try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
            #expect(metrics.contains(#"clipper_selection_straggled_total{application="app",model="slow"} 1"#))
            #expect(metrics.contains(#"clipper_selection_straggled_total{application="app",model="absent"} 0"#))
        }
    }

    @Test("Feedback that was answered is there after kill -9, for the application and for its users")
    func durable() async throws {
        try await withProcesses { processes in
            let store = processes.path("catalog.sqlite")
            let first = try await frontend(in: processes, store: store, policy: "exp4")
            let fresh = try await state(at: first)
            for _ in 0..<5 {
                let answer = try await update(#"{"uid": 7, "input": [1], "label": "b"}"#, at: first)
                #expect(answer.status == 200)
                #expect(answer.text == "Feedback received? 1")
            }
            let query = try await first.predict(#"{"input": [1], "uid": 8}"#)["query_id"]
            #expect(query == 0)
            let counted = try await update(#"{"query_id": 0, "label": "b", "feedback_id": "f"}"#, at: first)
            #expect(counted.text == #"{"status":"counted"}"#)
            try await first.kill()
            let second = try await Frontend(in: processes, store: store)
            for user in [nil, "7", "8"] {
                let learned = try await state(at: second, user: user)
                #expect(learned != fresh)
                #expect(try await state(at: second, user: user) == learned)
            }
            // Five labels by input and one by query have taught the application.
            for model in ["a", "b"] { try await start(model, at: second) }
            let before = try await state(at: second)
            let again = try await update(#"{"input": [1], "label": "b", "feedback_id": "f"}"#, at: second)
            #expect(again.text == #"{"status":"duplicate"}"#)
            #expect(try await state(at: second) == before)
            // The ids of an earlier frontend's queries do not come again.
            #expect(try await update(#"{"query_id": 0, "label": "b"}"#, at: second).status == 404)
            let next = try await second.predict(#"{"input": [1]}"#)["query_id"]?.double ?? 0
            #expect(next >= 4_294_967_296)
        }
    }

    @Test("Feedback changes what is answered, for each user by themselves")
    func personal() async throws {
        try await withProcesses { processes in
            let frontend = try await frontend(in: processes, policy: "exp4")
            for (user, label) in [(1, "a"), (2, "b")] {
                let piece = #"{"uid": \#(user), "input": [1], "label": "\#(label)"}"#
                let batch = Array(repeating: piece, count: 40).joined(separator: ",")
                let answer = try await update(#"{"updates": [\#(batch)]}"#, at: frontend)
                #expect(answer.status == 200)
                #expect(answer.text.ranges(of: #"{"status":"counted"}"#).count == 40)
            }
            for (user, output) in [(1, "a"), (2, "b")] {
                let answer = try await frontend.predict(#"{"input": [1], "uid": \#(user)}"#)
                #expect(answer["output"] == .string(output))
            }
        }
    }

    @Test(
        "What is wrong with feedback is answered with its status",
        arguments: [
            (#"{"query_id": 5, "label": 1}"#, 404, "No query 5 of application 'app' is known"),
            (#"{"query_id": 0, "reward": 2}"#, 400, "reward: expected a number from 0 to 1"),
            (#"{"input": [1], "label": "a"}"#, 400, "label: expected a number or an array of numbers"),
            ("nonsense", 400, "malformed JSON"),
        ])
    func problems(body: String, status: Int, cause: String) async throws {
        try await withProcesses { processes in
            let frontend = try await frontend(in: processes, policy: "exp4", settings: ["loss": "absolute"])
            let answer = try await update(body, at: frontend)
            #expect(answer.status == status)
            #expect(answer.text.contains(cause), "\(answer.text)")
        }
    }

    @Test("An application without a policy takes Clipper's feedback as Clipper does, and says that it learns nothing")
    func standard() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let clippers = try await update(#"{"uid": 0, "input": [1], "label": 1}"#, at: frontend)
            #expect(clippers.status == 200)
            #expect(clippers.text == "Feedback received? 1")
            let other = try await update(#"{"query_id": 0, "label": 1}"#, at: frontend)
            #expect(other.status == 400)
            #expect(other.text.contains("has no policy that learns"))
            #expect(try await frontend.predict(#"{"input": [1], "uid": 1.5}"#)["models"] == nil)
        }
    }

    @Test("A policy is set and taken back while queries run, without a default output")
    func changes() async throws {
        try await withProcesses { processes in
            let frontend = try await frontend(in: processes, policy: "exp3")
            let policies: [JSON] = [
                "majority", "ucb1", ["name": "weighted", "parameters": ["a": 50, "b": 50]],
                "DefaultOutputSelectionPolicy", "exp3",
            ]
            for policy in policies {
                async let answers = (0..<20).asyncMap { _ in try await frontend.predict(#"{"input": [1]}"#) }
                try await frontend.admin("set_app_options", ["name": "app", "policy": policy])
                for answer in try await answers { #expect(answer["default"] == false) }
            }
        }
    }
}

extension Sequence where Self: Sendable, Element: Sendable {
    /// One after the other.
    fileprivate func asyncMap<Value: Sendable>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
