import Testing

/// A `clipper` command that has ended.
struct CommandResult: Sendable {
    let status: Int32
    let output: String
    let errors: String
}

extension Processes {
    /// Runs a `clipper` command to its end.
    func clipper(_ arguments: String..., environment: [String: String] = [:]) async throws -> CommandResult {
        try await clipper(arguments, environment: environment)
    }

    /// Runs a `clipper` command to its end.
    func clipper(_ arguments: [String], environment: [String: String] = [:]) async throws -> CommandResult {
        let process = try start("clipper", arguments, environment: environment)
        let status = try await process.exitStatus()
        return CommandResult(status: status, output: process.standardOutput, errors: process.standardError)
    }
}

@Suite("The command line")
struct CommandLineTests {
    @Test("A model is registered, linked, served, asked and looked at without a line of another program")
    func session() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let environment = [
                "CLIPPER_ADMIN": "http://\(frontend.admin)", "CLIPPER_QUERY": "http://\(frontend.query)",
            ]
            let model = try await processes.clipper(
                "model", "register", "sum", "1", "--input-type", "doubles", environment: environment)
            #expect(model.status == 0, "\(model)")
            let application = try await processes.clipper(
                "app", "register", "demo", "--input-type", "doubles", "--default-output", "-1.0", "--slo", "60s",
                "--link", "sum", environment: environment)
            #expect(application.status == 0, "\(application)")
            let lonely = try await processes.clipper("predict", "demo", "[1, 2]", environment: environment)
            #expect(lonely.status == 3)
            #expect(lonely.output == "-1.0\n")
            #expect(lonely.errors.contains("No connected models found for query"))
            try await frontend.startContainer()
            let answer = try await processes.clipper("predict", "demo", "[1, 2]", "[0.5]", environment: environment)
            #expect(answer.status == 0)
            #expect(answer.output == "3.0\n0.5\n")
            let status = try await processes.clipper("status", environment: environment)
            #expect(status.status == 0)
            #expect(status.output.contains("demo") && status.output.contains("sum"))
            let list = try await processes.clipper("app", "list", "--json", environment: environment)
            #expect(try JSON(Array(list.output.utf8))[0]?["name"] == "demo")
        }
    }

    @Test("Whoever registers a new version is told which options the version before has and this one has not")
    func leftOptions() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            func register(_ version: String, _ options: String...) async throws -> CommandResult {
                try await processes.clipper(
                    ["model", "register", "sum", version, "--input-type", "doubles"] + options,
                    environment: ["CLIPPER_ADMIN": "http://\(frontend.admin)"])
            }
            #expect(try await register("1", "--no-cache", "--batching", "fixed(8)").errors.isEmpty)
            let second = try await register("2")
            #expect(second.status == 0)
            #expect(second.errors.hasPrefix("sum:1 has --batching 'fixed(8)' --no-cache, which sum:2 has not: "))
            // Now sum:2 is the version before.
            #expect(try await register("3", "--no-cache").errors.isEmpty)
            let fourth = try await register("4", "--json")
            #expect(fourth.errors.isEmpty)
            let answer = try JSON(Array(fourth.output.utf8))
            #expect(answer["advice"]?.text?.hasPrefix("sum:3 has --no-cache, which sum:4 has not: ") == true)
        }
    }

    @Test(
        "An application whose link is refused is not registered; its SLO and default output are changed while it serves"
    )
    func changesObjective() async throws {
        try await withProcesses { processes in
            let store = processes.path("catalog.sqlite")
            let first = try await Frontend(in: processes, store: store)
            func clipper(_ arguments: String..., at frontend: Frontend) async throws -> CommandResult {
                try await processes.clipper(
                    arguments,
                    environment: [
                        "CLIPPER_ADMIN": "http://\(frontend.admin)", "CLIPPER_QUERY": "http://\(frontend.query)",
                    ])
            }
            func register(_ model: String) async throws -> CommandResult {
                try await clipper(
                    "app", "register", "demo", "--input-type", "doubles", "--default-output", "-1.0", "--slo", "60s",
                    "--link", model, at: first)
            }
            try await first.addModel("sum")
            let refused = try await register("sun")
            #expect(refused.status == 1)
            #expect(
                refused.errors.hasPrefix(
                    "error: No model with name 'sun' exists.\nThis command has registered nothing;"),
                "\(refused)")
            let registered = try await register("sum")
            #expect(registered.output == "Successfully added application with name 'demo', linked to 'sum'\n")

            #expect(try await clipper("predict", "demo", "[1]", at: first).output == "-1.0\n")
            let set = try await clipper("app", "set", "demo", "--slo", "50ms", "--default-output", "-2", at: first)
            #expect(set.status == 0, "\(set)")
            #expect(try await clipper("predict", "demo", "[1]", at: first).output == "-2\n")
            // A container that never answers: under the first SLO the command would wait for a minute.
            let container = try await PlayedContainer.registered(at: first)
            let late = try await clipper("predict", "demo", "[1]", "--timeout", "30s", at: first)
            #expect(late.status == 3 && late.output == "-2\n", "\(late)")
            withExtendedLifetime(container) {}

            try await first.kill()
            let second = try await Frontend(in: processes, store: store)
            let shown = try await clipper("app", "show", "demo", at: second)
            #expect(shown.output.contains("50ms") && shown.output.contains("-2"), "\(shown)")
        }
    }

    @Test("Feedback is given on an input and on a query, and a user's query within a budget is asked")
    func feedback() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            func clipper(_ arguments: String...) async throws -> CommandResult {
                try await processes.clipper(
                    arguments,
                    environment: [
                        "CLIPPER_ADMIN": "http://\(frontend.admin)", "CLIPPER_QUERY": "http://\(frontend.query)",
                    ])
            }
            let plain = try await clipper("update", "app", "[1, 2]", "--label", "3", "--uid", "7")
            #expect(plain.output == "Feedback received? 1\n", "\(plain)")
            #expect(try await clipper("app", "set-policy", "app", "exp3").status == 0)
            let asked = try await clipper("predict", "app", "[1, 2]", "--uid", "anna", "--deadline", "50s", "--json")
            let id = try #require(try JSON(Array(asked.output.utf8))["query_id"]?.double)
            let reward = ["update", "app", "--query-id", "\(Int(id))", "--reward", "1", "--feedback-id", "f"]
            #expect(try await clipper(reward[0], reward[1], reward[2], reward[3], "--label", "3").output == "counted\n")
            #expect(
                try await processes.clipper(reward, environment: ["CLIPPER_QUERY": "http://\(frontend.query)"]).output
                    == "counted\n")
            let again = try await processes.clipper(
                reward + ["--json"], environment: ["CLIPPER_QUERY": "http://\(frontend.query)"])
            #expect(again.output == "{\"status\":\"duplicate\"}\n")
            let state = try await clipper("app", "state", "app", "--uid", "anna", "--json")
            #expect(try JSON(Array(state.output.utf8))["is_own"] == true, "\(state)")
            let unknown = try await clipper("update", "app", "--query-id", "999999", "--label", "3")
            #expect(unknown.status == 1 && unknown.errors.contains("Unknown query"), "\(unknown)")
        }
    }

    @Test("How an application selects is set, shown, and there again after kill -9")
    func selection() async throws {
        try await withProcesses { processes in
            let store = processes.path("catalog.sqlite")
            let first = try await Frontend(in: processes, store: store)
            try await first.addModel("a")
            try await first.addModel("b")
            func clipper(_ arguments: String..., at frontend: Frontend) async throws -> CommandResult {
                try await processes.clipper(arguments, environment: ["CLIPPER_ADMIN": "http://\(frontend.admin)"])
            }
            let registered = try await clipper(
                "app", "register", "demo", "--input-type", "doubles", "--default-output", "-1.0", "--slo", "60s",
                "--link", "a", "--policy", "exp3", "--min-confidence", "60%", "--shadow", "b", at: first)
            #expect(registered.status == 0, "\(registered)")
            let set = try await clipper(
                "app", "set-policy", "demo", "Weighted(a: 100)", "--loss", "squared", at: first)
            #expect(set.status == 0, "\(set)")
            let refused = try await clipper("app", "set-policy", "demo", "best", at: first)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("'best' is no policy; these are: "))
            let reset = try await clipper("app", "state", "reset", "demo", "--uid", "7", at: first)
            #expect(reset.status == 0, "\(reset)")

            try await first.kill()
            let second = try await Frontend(in: processes, store: store)
            let shown = try await clipper("app", "show", "demo", at: second)
            #expect(
                shown.output.hasSuffix(
                    """
                    policy          weighted(a: 100)
                    loss            squared
                    min confidence  60%
                    shadow          b

                    """), "\(shown)")
        }
    }

    @Test("What goes wrong is said on standard error, with the exit code that is meant for it")
    func failures() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let admin = "http://\(frontend.admin)"
            let refused = try await processes.clipper("app", "show", "none", "--admin", admin)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("none"))
            let misspelt = try await processes.clipper("app", "lsit", "--admin", admin)
            #expect(misspelt.status == 64)
            #expect(try await frontend.terminate() == 0)
            let nobody = try await processes.clipper("app", "list", "--admin", admin)
            #expect(nobody.status == 2)
            #expect(nobody.errors.contains(admin))
            for result in [refused, misspelt, nobody] { #expect(result.output.isEmpty) }
        }
    }
}
