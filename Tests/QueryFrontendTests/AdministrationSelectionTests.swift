import Foundation
import Testing

@testable import QueryFrontend

@Suite("Administration API: selection")
struct AdministrationSelectionTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    private func shown() async -> String {
        await admin.post("get_application", #"{"name": "digits"}"#).body
    }

    /// What is shown of an application that says nothing of selection, as Clipper's tools have always got it.
    private static let plain = #"""
        {"default_output":"-1.0","hedging":false,"input_type":"doubles","latency_slo_micros":100000,\#
        "linked_models":[],"name":"digits","overload":"default"}
        """#

    @Test(
        "An application that selects as Clipper's do is shown as ever, also where it says so",
        arguments: [
            "",
            #", "policy": "DefaultOutputSelectionPolicy", "loss": "zero-one", "min_confidence": 0, "shadow": []"#,
            #", "policy": {"name": "default-output-selection-policy", "parameters": {}}"#,
        ])
    func showsStandard(additions: String) async {
        let reply = await admin.post("add_app", Administration.application(and: additions))
        #expect(reply == .text("Successfully added application with name 'digits'"))
        #expect(await shown() == Self.plain)
        #expect(await admin.post("get_all_applications", #"{"verbose": true}"#).body == "[\(Self.plain)]")
    }

    @Test(
        "An application is registered with its selection, and shown with all of it",
        arguments: [
            (
                #", "policy": "Exp3""#,
                #""loss":"zero-one","min_confidence":0,"name":"digits","overload":"default","policy":"exp3","shadow":[]}"#
            ),
            (
                #", "policy": {"name": "weighted", "parameters": {"m": 90, "n": 10}}, "loss": "log", "shadow": ["m"]"#,
                #""loss":"log","min_confidence":0,"name":"digits","overload":"default","#
                    + #""policy":{"name":"weighted","parameters":{"m":90,"n":10}},"shadow":["m"]}"#
            ),
            (
                #", "min_confidence": 0.6"#,
                #""loss":"zero-one","min_confidence":0.6,"name":"digits","overload":"default","#
                    + #""policy":"DefaultOutputSelectionPolicy","shadow":[]}"#
            ),
        ])
    func registers(additions: String, end: String) async {
        await admin.addModel()
        let reply = await admin.post("add_app", Administration.application(and: additions))
        #expect(reply.status == 200, "\(reply.body)")
        let body = await shown()
        #expect(body.hasSuffix(end), "\(body)")
    }

    @Test("Selection is changed part by part, and what is not named stays")
    func changes() async {
        await admin.addApplication()
        await admin.addModel()
        for part in [
            #""policy": {"name": "epsilon_greedy", "parameters": {"epsilon": 0.2}}"#, #""loss": "squared""#,
            #""min_confidence": 1"#, #""shadow": ["m"]"#, #""overload": "reject""#,
        ] {
            let reply = await admin.post("set_app_options", #"{"name": "digits", \#(part)}"#)
            #expect(reply == .text("Successfully set options of application with name 'digits'"))
        }
        let body = await shown()
        #expect(
            body.hasSuffix(
                #""loss":"squared","min_confidence":1,"name":"digits","overload":"reject","#
                    + #""policy":{"name":"epsilonGreedy","parameters":{"epsilon":0.2}},"shadow":["m"]}"#), "\(body)")
    }

    @Test(
        "Selection that is none is a 400 that says where, why and what there is",
        arguments: [
            (#""policy": "best""#, "policy: 'best' is no policy; these are: DefaultOutputSelectionPolicy, "),
            (
                #""policy": 3"#,
                "Key 'policy': a policy's name or an object with 'name' and 'parameters' is expected, the number 3 was found"
            ),
            (#""policy": {"parameters": {}}"#, "Key 'policy.name' is missing"),
            (
                #""policy": {"name": "exp3", "params": {}}"#,
                "Key 'policy': no such key is known here: 'params'; these are: name, parameters"
            ),
            (
                #""policy": {"name": "exp3", "parameters": []}"#,
                "Key 'policy.parameters': an object is expected, an array was found"
            ),
            (
                #""policy": {"name": "exp3", "parameters": {"share": true}}"#,
                "Key 'policy.parameters.share': a number or a string is expected, true was found"
            ),
            (
                #""policy": {"name": "exp3", "parameters": {"shar": 1}}"#,
                "policy 'exp3' has no parameter 'shar'; it takes "
            ),
            (#""loss": "mse""#, "Key 'loss': 'mse' is no loss; these are: zero-one, absolute, squared, log"),
            (#""min_confidence": "60%""#, "Key 'min_confidence': a number is expected, a string was found"),
            (#""min_confidence": 60"#, "min_confidence must be 0 to 1; 60.0 was given"),
            (#""shadow": "m""#, "Key 'shadow': an array of strings is expected, a string was found"),
            (#""shadow": ["x"]"#, "shadow: no model with name 'x' exists; none is registered"),
        ])
    func refuses(part: String, message: String) async {
        let added = await admin.post("add_app", Administration.application(and: ", \(part)"))
        #expect(added.status == 400)
        #expect(added.body.hasPrefix(message), "\(added.body)")
        #expect(await shown() == "{}")
        await admin.addApplication()
        let set = await admin.post("set_app_options", #"{"name": "digits", \#(part)}"#)
        #expect(set == added)
        #expect(await shown() == Self.plain)
    }

    @Test("The status tells how each application selects")
    func status() throws {
        let selection = SelectionSettings(
            policy: PolicyDescription("exp4"), loss: .log, minConfidence: 0.5, shadows: ["m"])
        let status = ApplicationStatus(
            name: "a", inputType: "doubles", linkedModels: [], sloMilliseconds: 1, defaultOutput: "",
            selection: selection)
        let data = try JSONEncoder().encode(status)
        #expect(try JSONDecoder().decode(ApplicationStatus.self, from: data) == status)
        let text = String(decoding: data, as: UTF8.self)
        for part in [#""policy":"exp4""#, #""loss":"log""#, #""min_confidence":0.5"#, #""shadow":["m"]"#] {
            #expect(text.contains(part), "\(text)")
        }
    }
}

@Suite("Administration API: what policies have learned")
struct AdministrationStateTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    private func register(_ name: String, and additions: String = "") async {
        await admin.addModel()
        let reply = await admin.post("add_app", Administration.application(name, and: additions))
        #expect(reply.status == 200, "\(reply.body)")
        await admin.post("add_model_links", #"{"app_name": "\#(name)", "model_names": ["m"]}"#)
    }

    @Test("Of an application that selects as Clipper's do it is shown as ever", arguments: [#", "uid": 0"#, ""])
    func showsStandard(uid: String) async {
        await register("digits")
        let reply = await admin.post("get_state", #"{"app_name": "digits"\#(uid)}"#)
        #expect(
            reply
                == .text(
                    """
                    application: digits
                    policy: DefaultOutputSelectionPolicy
                    linked models: m (version 1)
                    """))
    }

    @Test("The state of a user is shown for people, with where it comes from")
    func showsText() async {
        await register(FixedObserver.learned, and: #", "policy": "exp3", "shadow": ["m"]"#)
        let reply = await admin.post("get_state", #"{"app_name": "learned", "uid": 7}"#)
        #expect(
            reply
                == .text(
                    """
                    application: learned
                    policy: exp3(share: 0.5)
                    linked models: m (version 1), n (no current version)
                    shadow models: m
                    user: 7 (starts from the application's state)
                    loss: zero-one
                    feedback counted: 12
                    m: weight 0.75, chosen 8, combined 7, straggled 1, mean loss 0.25
                    n: weight 0.25, chosen 0, combined 0, straggled 0, mean loss unknown
                    state: {"weights":[1.5,0.5]}
                    """))
    }

    @Test(
        "As JSON it holds the policy's state as it is, for a user that is a number or a text",
        arguments: [
            ("", nil), (#", "uid": 7"#, "7"), (#", "uid": "7""#, "7"),
            (#", "uid": -3"#, "-3"),
        ] as [(String, String?)])
    func showsJSON(uid: String, user: String?) async throws {
        await register(FixedObserver.learned, and: #", "policy": "exp3""#)
        let reply = await admin.post("get_state", #"{"app_name": "learned", "format": "json"\#(uid)}"#)
        #expect(reply.format == .json)
        #expect(reply.body.contains(#""state":{"weights":[1.5,0.5]}"#), "\(reply.body)")
        #expect(reply.body.contains(#""policy":{"name":"exp3","parameters":{"share":0.5}}"#), "\(reply.body)")
        let read = try JSONDecoder().decode(SelectionStateDescription.self, from: Data(reply.body.utf8))
        #expect(read == (await FixedObserver().selectionState(application: "learned", user: user)))
    }

    @Test("Where nothing can be known of what a policy has learned, a 503 says so", arguments: ["text", "json"])
    func tellsUnknown(format: String) async {
        await register("digits", and: #", "policy": "exp3""#)
        let reply = await admin.post("get_state", #"{"app_name": "digits", "format": "\#(format)"}"#)
        #expect(
            reply
                == .failure(
                    503,
                    "What application 'digits' has learned is not known: the store cannot be read, as the frontend's log says, "
                        + "or the frontend is stopping"))
    }

    @Test("An application whose policy learns nothing is described as JSON too")
    func describesStandard() async throws {
        await register("digits")
        let reply = await admin.post("get_state", #"{"app_name": "digits", "format": "json"}"#)
        let read = try JSONDecoder().decode(SelectionStateDescription.self, from: Data(reply.body.utf8))
        #expect(
            read
                == SelectionStateDescription(
                    application: "digits", policy: .standard, loss: .zeroOne,
                    models: [.init(model: "m", version: "1", weight: 1)]))
    }

    @Test(
        "What is no user, no format or no application is a 400",
        arguments: [
            (
                #""app_name": "digits", "uid": 1.5"#,
                "Key 'uid': an integer or a string of 1 to 256 bytes is expected, the number 1.5 was found"
            ),
            (
                #""app_name": "digits", "uid": null"#,
                "Key 'uid': an integer or a string of 1 to 256 bytes is expected, null was found"
            ),
            (
                #""app_name": "digits", "uid": """#,
                "Key 'uid': an integer or a string of 1 to 256 bytes is expected, one of 0 was found"
            ),
            (
                #""app_name": "digits", "uid": "\#(String(repeating: "x", count: 257))""#,
                "Key 'uid': an integer or a string of 1 to 256 bytes is expected, one of 257 was found"
            ),
            (#""app_name": "digits", "format": "xml""#, "Key 'format': 'xml' is no format; these are: text, json"),
            (#""app_name": "x""#, "No application with name 'x' exists."),
        ])
    func refuses(keys: String, message: String) async {
        await register("digits")
        #expect(await admin.post("get_state", "{\(keys)}") == .failure(400, message))
    }

    @Test("A reset names one user, or all with the application")
    func resets() async {
        await register("digits")
        let one = await admin.post("reset_state", #"{"app_name": "digits", "uid": 7}"#)
        #expect(one == .text("Successfully reset the selection state of user '7' of application 'digits'"))
        let all = await admin.post("reset_state", #"{"app_name": "digits"}"#)
        #expect(all == .text("Successfully reset the selection state of application 'digits' and of its users"))
        #expect(admin.observer.resets == ["digits 7", "digits"])
    }

    @Test(
        "A reset with a misspelt key, or of an unknown application, resets nothing",
        arguments: [
            (
                #"{"app_name": "digits", "user": 7}"#,
                "The body: no such key is known here: 'user'; these are: app_name, uid"
            ), (#"{"app_name": "x"}"#, "No application with name 'x' exists."),
        ])
    func refusesResets(body: String, message: String) async {
        await register("digits")
        #expect(await admin.post("reset_state", body) == .failure(400, message))
        #expect(admin.observer.resets.isEmpty)
    }

    @Test(
        "A state that is no JSON is told as a text, and every JSON comes back as it was",
        arguments: [
            ("no JSON", #""no JSON""#),
            (#"{"b":[1,2.5,true,null,"x"],"a":{}}"#, #"{"a":{},"b":[1,2.5,true,null,"x"]}"#),
            ("9007199254740993", "9007199254740993"), ("1e-300", "1e-300"), ("null", "null"),
        ])
    func passesStatesOn(state: String, told: String) throws {
        let description = SelectionStateDescription(
            application: "a", policy: .standard, loss: .log, models: [], state: state)
        let data = try JSONEncoder().encode(description)
        #expect(try JSONDecoder().decode(SelectionStateDescription.self, from: data).state == told)
    }
}
