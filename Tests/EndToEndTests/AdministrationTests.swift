import TestSupport
import Testing

@Suite("Administration over HTTP")
struct AdministrationTests {
    @Test("What clipper_admin does in a session works, answer for answer")
    func session() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            #expect(try await frontend.admin.get("/admin/ping").text == "PONG")
            try await frontend.addApplication("app", slo: .seconds(60))
            try await frontend.addModel("sum", version: "1")
            try await frontend.addModel("sum", version: "2", batchSize: 8)
            try await frontend.admin("add_model_links", ["app_name": "app", "model_names": ["sum"]])
            #expect(try await frontend.admin("get_linked_models", ["app_name": "app"]) == ["sum"])
            #expect(try await frontend.admin("get_all_applications", ["verbose": false]) == ["app"])
            let application: JSON = [
                "name": "app", "input_type": "doubles", "default_output": "-1.0", "latency_slo_micros": 60_000_000,
                "linked_models": ["sum"], "overload": "default", "hedging": false,
            ]
            #expect(try await frontend.admin("get_all_applications", ["verbose": true]) == [application])
            #expect(try await frontend.admin("get_application", ["name": "app"]) == application)
            #expect(try await frontend.admin("get_application", ["name": "other"]) == [:])
            #expect(try await frontend.admin("get_all_models", ["verbose": false]) == ["sum:1", "sum:2"])
            let models = try await frontend.admin("get_all_models", ["verbose": true])
            #expect(models[0]?["is_current_version"] == false)
            #expect(models[1]?["is_current_version"] == true)
            #expect(models[1]?["labels"] == [])
            #expect(models[1]?["batch_size"] == 8)
            try await frontend.admin("set_model_version", ["model_name": "sum", "model_version": "1"])
            let first = try await frontend.admin("get_model", ["model_name": "sum", "model_version": "1"])
            #expect(first["is_current_version"] == true)
            #expect(try await frontend.admin("get_model", ["model_name": "sum", "model_version": "3"]) == [:])
            try await frontend.startContainer()
            #expect(try await frontend.admin("get_all_containers", ["verbose": false]) == ["sum:1:0"])
            let container: JSON = [
                "model_id": "sum:1", "model_name": "sum", "model_version": "1", "model_replica_id": 0,
                "input_type": "doubles",
            ]
            #expect(try await frontend.admin("get_all_containers", ["verbose": true]) == [container])
            let which: JSON = ["model_name": "sum", "model_version": "1", "replica_id": 0]
            #expect(try await frontend.admin("get_container", which) == container)
            try await frontend.expectSum()
            try await frontend.admin("delete_model_links", ["app_name": "app", "model_names": ["sum"]])
            #expect(try await frontend.admin("get_linked_models", ["app_name": "app"]) == [])
            #expect(try await frontend.predict(#"{"input": [1]}"#)["default"] == true)
            try await frontend.admin("delete_app", ["name": "app"])
            #expect(try await frontend.query.post("/app/predict", #"{"input": [1]}"#).status == 404)
        }
    }

    @Test("What another site's page asks of a browser on this machine is refused")
    func foreignPages() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            let body = Array(#"{"name": "app"}"#.utf8)
            let foreign = try await frontend.admin.exchange(
                "POST", "/admin/delete_app", headers: ["Origin: http://example.com"], body: body)
            #expect(foreign.status == 403)
            // A name that was made to lead here is the page's own, and not this server's.
            let connection = try HTTPConnection(to: frontend.admin)
            try await connection.send(
                "POST /admin/delete_app HTTP/1.1\r\nHost: example.com:1338\r\nOrigin: http://example.com:1338\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n" + String(decoding: body, as: UTF8.self))
            #expect(try await connection.response().status == 403)
            #expect(try await frontend.admin("get_all_applications", ["verbose": false]) == ["app"])
            let own = try await frontend.admin.exchange(
                "POST", "/admin/delete_app", headers: ["Origin: http://localhost"],
                body: body)
            #expect(own.status == 200)
        }
    }

    @Test("Settings of models and applications are kept by the command line, changed, shown, and there after a kill")
    func settings() async throws {
        try await withProcesses { processes in
            let store = processes.path("catalog.sqlite")
            let first = try await Frontend(in: processes, store: store)
            func clipper(_ frontend: Frontend, _ line: String) async throws -> CommandResult {
                let words = line.split(separator: " ").map(String.init)
                return try await processes.clipper(words, environment: ["CLIPPER_ADMIN": "http://\(frontend.admin)"])
            }
            for line in [
                "model register sum 1 --input-type doubles --batching aimd(4,0.5) --max-delay 2ms --max-batch 64 --no-cache",
                "app register app --input-type doubles --default-output x --slo 1s --overload reject --hedge --link sum",
                "app set app --hedge --hedge-after 99% --hedge-budget 10%",
            ] {
                let result = try await clipper(first, line)
                #expect(result.status == 0, "\(line): \(result)")
            }
            try await first.kill()
            let second = try await Frontend(in: processes, store: store)
            let model = try await second.admin("get_model", ["model_name": "sum", "model_version": "1"])
            #expect(model["batch_size"] == -1)
            #expect(
                model["batching"] == [
                    "policy": "aimd", "increase": 4, "backoff": 0.5, "max_delay_micros": 2000, "max_batch": 64,
                ])
            #expect(model["cache"] == false)
            let application = try await second.admin("get_application", ["name": "app"])
            #expect(application["overload"] == "reject")
            #expect(application["hedging"] == ["quantile": 0.99, "max_extra_work": 0.1])
            #expect(try await clipper(second, "model list").output.contains("aimd(4,0.5)"))
            #expect(try await clipper(second, "app show app").output.contains("after 99%, at most 10%"))
            let refused = try await clipper(second, "model register sum 2 --input-type doubles --max-delay 61s")
            #expect(refused.status == 1)
            #expect(refused.errors.contains("one minute"))
        }
    }

    @Test("What it cannot do is a 400 that says why, and changes nothing")
    func refusals() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            try await frontend.addModel("sum")
            try await frontend.addModel("words", inputType: "strings")
            let before = try await frontend.admin("get_all_models", ["verbose": true])
            func model(
                _ name: String, _ version: String = "1", batchSize: Int = -1, labels: String = "",
                additions: String = ""
            )
                -> String
            {
                """
                {"model_name": "\(name)", "model_version": "\(version)", "labels": [\(labels)], \
                "input_type": "doubles", "container_name": "c", "model_data_path": "p", "batch_size": \(batchSize)\(additions)}
                """
            }
            func application(_ name: String, type: String = "doubles", slo: String = "1000", additions: String = "")
                -> String
            {
                """
                {"name": "\(name)", "input_type": "\(type)", "default_output": "-1", "latency_slo_micros": \(slo)\(additions)}
                """
            }
            let cases = [
                ("add_app", application("app"), "application 'app' already exists"),
                ("add_app", application("a,b"), "','"), ("add_app", application("a:b"), "':'"),
                ("add_app", application("a/b"), "'/'"), ("add_app", application(""), "empty"),
                ("add_app", application("b", type: "matrices"), "'matrices'"),
                ("add_app", application("b", slo: "0"), "SLO"), ("add_app", application("b", slo: "-5"), "SLO"),
                ("add_app", application("b", slo: "\"1\""), "'latency_slo_micros'"),
                ("add_app", #"{"name": "b"}"#, "'input_type' is missing"),
                ("add_app", #"{"name": "b""#, "not valid JSON"), ("add_app", "[]", "no object"),
                ("add_app", "", "empty"),
                ("add_model", model("sum"), "model with name 'sum' and version '1' already exists"),
                ("add_model", model("a,b"), "','"), ("add_model", model("a:b"), "':'"),
                ("add_model", model("a", "1,2"), "','"), ("add_model", model("a", "1:2"), "':'"),
                ("add_model", model("a", labels: #""x:y""#), "':'"), ("add_model", model("a", batchSize: 0), "0"),
                ("add_model", model("a", batchSize: -2), "-2"), ("add_model", model(#"a\u0000b"#), "control character"),
                ("add_model", model("a", additions: #", "batching": {"polcy": "aimd"}"#), "'polcy'"),
                ("add_model", model("a", batchSize: 8, additions: #", "batching": {"policy": "aimd"}"#), "contradicts"),
                ("add_app", application("b", additions: #", "hedging": {"quantile": 2}"#), "'quantile'"),
                ("set_app_options", #"{"name": "none", "hedging": true}"#, "No app with name 'none'"),
                ("drain", #"{"model_name": "sum", "model_version": "1"}"#, "No replica of the model 'sum'"),
                ("set_model_version", #"{"model_name": "sum", "model_version": "9"}"#, "'9'"),
                ("set_model_version", #"{"model_name": "none", "model_version": "1"}"#, "'none'"),
                ("delete_versioned_model", #"{"model_name": "sum", "model_version": "9"}"#, "does not exist"),
                ("delete_app", #"{"name": "none"}"#, "does not exist"),
                ("add_model_links", #"{"app_name": "none", "model_names": ["sum"]}"#, "No app with name 'none'"),
                ("add_model_links", #"{"app_name": "app", "model_names": ["x"]}"#, "No model with name 'x' exists."),
                ("add_model_links", #"{"app_name": "app", "model_names": ["words"]}"#, "incompatible input_type"),
                ("add_model_links", #"{"app_name": "app", "model_names": []}"#, "Please provide"),
                ("delete_model_links", #"{"app_name": "app", "model_names": ["sum"]}"#, "nonexistent link"),
                ("get_linked_models", #"{"app_name": "none"}"#, "'none'"),
                ("get_all_models", #"{"verbose": "yes"}"#, "'verbose'"),
            ]
            for (operation, body, words) in cases {
                let response = try await frontend.admin.post("/admin/\(operation)", body)
                #expect(response.status == 400, "\(operation) \(body): \(response)")
                #expect(response.text.contains(words), "\(operation) \(body): \(response)")
            }
            #expect(try await frontend.admin("get_all_applications", ["verbose": false]) == ["app"])
            #expect(try await frontend.admin("get_all_models", ["verbose": true]) == before)
        }
    }

    @Test("Unknown paths, wrong methods and huge bodies are told apart")
    func statuses() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let unknown = try await frontend.admin.post("/admin/add_everything", "{}")
            #expect(unknown.status == 404)
            #expect(try unknown.json["error"] == "Path not found")
            #expect(try await frontend.admin.get("/").status == 404)
            let method = try await frontend.admin.get("/admin/add_app")
            #expect(method.status == 405)
            #expect(method["Allow"] == "POST")
            let body = [UInt8](repeating: 0x20, count: 2 << 20)
            #expect(try await frontend.admin.exchange("POST", "/admin/add_app", body: body).status == 413)
            #expect(try await frontend.admin.get("/admin/ping/").text == "PONG")
        }
    }

    @Test("A deleted version drops its containers, and registering it again brings them back")
    func deletedModel() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.expectSum()
            try await frontend.admin("delete_versioned_model", ["model_name": "sum", "model_version": "1"])
            #expect(try await frontend.containers() == [])
            let status = try await frontend.admin.get("/admin/status").json
            #expect(status["replicas"]?[0]?["state"] == "unsuitable")
            #expect(try await frontend.predict(#"{"input": [1]}"#)["default"] == true)
            try await frontend.addModel("sum")
            try await eventually("the container serves again") { try await !frontend.containers(of: "sum").isEmpty }
            try await frontend.expectSum()
        }
    }

    @Test("A replica that drains answers what it has, gets nothing more, and is taken back")
    func drain() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            try await frontend.addApplication("hasty", slo: .milliseconds(50), links: ["sum"])
            let container = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1]}"#.utf8))
            let request = try await container.receiveRequest()
            let drain = ["model", "drain", "sum", "1", "--admin", "http://\(frontend.admin)"]
            let command = try processes.start("clipper", drain + ["0", "--timeout", "3600s"])
            try await eventually("the command waits") {
                command.standardError.contains("1 query in flight on sum:1:0")
            }
            #expect(command.isRunning)
            #expect(try await frontend.predict(#"{"input": [2]}"#, application: "hasty")["default"] == true)
            try await container.answer(request, ["1.0"])
            #expect(try await command.exitStatus() == 0)
            #expect(command.standardOutput == "sum:1:0 is drained\n")
            #expect(try await connection.response().json["output"] == 1.0)
            let resumed = try await processes.clipper(drain + ["--resume"])
            #expect(resumed.output == "sum:1:0 gets queries again\n")
            // One text for all orders; what was answered stands beside it.
            try await eventually("both orders are logged") {
                frontend.process.standardError.split(separator: "\n").count {
                    $0.hasSuffix("order carried out") && $0.contains("path=/admin/drain")
                } == 2
            }
            try await connection.send("POST", "/app/predict", body: Array(#"{"input": [3]}"#.utf8))
            // What came meanwhile was not sent here: the next request is this one.
            try await container.answer(try await container.receiveRequest(), ["3.0"])
            #expect(try await connection.response().json["output"] == 3.0)
        }
    }

    @Test("A query that waits while its model is deleted gets the default output then")
    func deletedUnderway() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", slo: .seconds(3600), links: ["sum"])
            let container = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1]}"#.utf8))
            let request = try await container.receiveRequest()
            try await frontend.admin("delete_versioned_model", ["model_name": "sum", "model_version": "1"])
            let answer = try await connection.response().json
            #expect(answer["default"] == true)
            #expect(answer["default_explanation"] == "The model was deleted while the query waited for it")
            try await container.answer(request, ["1.0"])
            #expect(frontend.process.isRunning)
        }
    }
}
