import ContainerRPC
import Foundation
import QueryFrontend
import Synchronization
import Testing

@testable import clipper

@Suite("Registering an application with its links")
struct AppRegistrationTests {
    private func model(_ name: String, _ inputType: String = "doubles", isCurrent: Bool = true) -> RegisteredModel {
        RegisteredModel(
            name: name, version: "1", inputType: inputType, labels: [], containerName: "", modelDataPath: "",
            isCurrent: isCurrent)
    }

    private func registration(_ models: [String], policy: PolicyDescription? = nil) -> AppRegistration {
        AppRegistration(
            name: "a", inputType: .float64, defaultOutput: "", latencySLO: .seconds(1),
            options: ApplicationOptions(policy: policy), models: models)
    }

    @Test("Models that are there and take the same inputs are no problem, nor is an application without links")
    func accepts() {
        #expect(registration(["m", "n"]).problem(with: [model("m"), model("n", "double")]) == nil)
        #expect(registration([]).problem(with: []) == nil)
        let weighted = PolicyDescription("weighted", ["m": .number(90), "n": .number(10)])
        #expect(registration(["m"], policy: weighted).problem(with: [model("m"), model("n")]) == nil)
        // Which version becomes current is not known; a policy of the frontend's own, or wrong ones, it judges itself.
        #expect(registration(["m"]).problem(with: [model("m", "strings", isCurrent: false)]) == nil)
        let own = PolicyDescription("own", ["x": .number(1)])
        #expect(registration(["m"], policy: own).problem(with: [model("m")]) == nil)
    }

    @Test("A model that is not there, of other inputs, or that only the policy names, is told before anything is done")
    func refuses() {
        let weighted = PolicyDescription("weighted", ["m": .number(90), "x": .number(10)])
        for (registration, message) in [
            (registration(["m", "x"]), "no model is named 'x'"),
            (registration(["m"], policy: weighted), "no model is named 'x', which the policy names"),
            (registration(["m", "s"]), "the model 's' takes strings, and the application doubles"),
        ] {
            let problem = registration.problem(with: [model("m"), model("s", "strings")])
            #expect(problem?.message == message + "; application 'a' was not registered")
            #expect(problem?.exitCode == 1)
        }
    }

    @Test("A name that is there twice is found")
    func findsTwins() {
        #expect(AppRegistration.named(twiceIn: ["m", "n", "m"]) == "m")
        #expect(AppRegistration.named(twiceIn: ["m", "n"]) == nil)
    }

    @Test("Where the links are refused all the same, the application is deleted again")
    func takesBack() async throws {
        let frontend = ScriptedFrontend(refusing: ["add_model_links"])
        let failure = await #expect(throws: CommandFailure.self) {
            try await registration(["m"]).carryOut(by: frontend.client)
        }
        #expect(frontend.asked == ["get_all_models", "add_app", "add_model_links", "delete_app"])
        #expect(
            failure?.message
                == "no add_model_links; application 'a' was registered before that, and has been deleted again")
        #expect(failure?.exitCode == 1)
    }

    @Test("Where that fails, too, the failure says what is left")
    func leaves() async throws {
        let frontend = ScriptedFrontend(refusing: ["add_model_links", "delete_app"])
        let failure = await #expect(throws: CommandFailure.self) {
            try await registration(["m"]).carryOut(by: frontend.client)
        }
        #expect(failure?.message == "application 'a' was registered, but then: no add_model_links")
        #expect(failure?.advice?.contains("clipper app delete") == true)
    }

    @Test("An application without links is one request, and one with links says both")
    func registers() async throws {
        let frontend = ScriptedFrontend(refusing: [])
        #expect(try await registration([]).carryOut(by: frontend.client) == ["did add_app"])
        #expect(
            try await registration(["m"]).carryOut(by: frontend.client) == ["did add_app", "did add_model_links"])
    }
}

/// A frontend that does, or refuses, what it is asked, and remembers it.
private final class ScriptedFrontend: FrontendTransport {
    private let refused: Set<String>
    private let operations = Mutex<[String]>([])

    init(refusing refused: Set<String>) { self.refused = refused }

    var asked: [String] { operations.withLock { $0 } }

    var client: AdministrationClient {
        get throws { AdministrationClient(address: try FrontendAddress("http://a:1"), transport: self) }
    }

    func reply(
        to request: FrontendRequest, at address: FrontendAddress, patience: Duration
    ) async throws -> FrontendReply {
        let operation = request.path.last ?? ""
        operations.withLock { $0.append(operation) }
        if refused.contains(operation) { return FrontendReply(status: 400, body: "no \(operation)") }
        let models = """
            [{"model_name":"m","model_version":"1","input_type":"doubles","labels":[],"container_name":"c",
            "model_data_path":"","is_current_version":true}]
            """
        return FrontendReply(status: 200, body: operation == "get_all_models" ? models : "did \(operation)")
    }
}
