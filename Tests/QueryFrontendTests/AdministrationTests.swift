import ContainerRPC
import Foundation
import Testing

@testable import QueryFrontend

@Suite("Administration API: applications")
struct AdministrationApplicationTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    @Test("A registered application is listed, shown, and deleted")
    func life() async {
        let added = await admin.post(
            "add_app",
            #"{"name": "digits", "input_type": "d", "default_output": "-1.0", "latency_slo_micros": 20000}"#)
        #expect(added == .text("Successfully added application with name 'digits'"))
        #expect(await admin.post("get_all_applications", #"{"verbose": false}"#).body == #"["digits"]"#)
        let shown = #"""
            {"default_output":"-1.0","hedging":false,"input_type":"doubles","latency_slo_micros":20000,\#
            "linked_models":[],"name":"digits","overload":"default"}
            """#
        #expect(await admin.post("get_application", #"{"name": "digits"}"#).body == shown)
        #expect(await admin.post("get_all_applications", #"{"verbose": true}"#).body == "[\(shown)]")
        let deleted = await admin.post("delete_app", #"{"name": "digits"}"#)
        #expect(deleted == .text("Successfully deleted application with name 'digits'"))
        #expect(await admin.post("get_all_applications", #"{"verbose": true}"#).body == "[]")
    }

    @Test("An unknown application is an empty object")
    func unknown() async {
        let reply = await admin.post("get_application", #"{"name": "x"}"#)
        #expect(reply == AdministrationReply(status: 200, format: .json, body: "{}"))
    }

    @Test("What the catalog refuses is a 400 with its message as plain text")
    func refuses() async {
        await admin.addApplication()
        let reply = await admin.post(
            "add_app",
            #"{"name": "digits", "input_type": "doubles", "default_output": "", "latency_slo_micros": 1}"#)
        #expect(reply == .failure(400, "application 'digits' already exists"))
        #expect(
            await admin.post("delete_app", #"{"name": "x"}"#) == .failure(400, "Application 'x' does not exist"))
    }

    @Test("An unknown input type is named")
    func unknownInputType() async {
        let reply = await admin.post(
            "add_app", #"{"name": "a", "input_type": "complex", "default_output": "", "latency_slo_micros": 1}"#)
        #expect(reply.status == 400)
        #expect(reply.body.hasPrefix("Key 'input_type': 'complex' is no input type"))
    }

    @Test("A latency objective may come as a float without fraction", arguments: [("1e5", 200), ("1.5", 400)])
    func floatSLO(slo: String, status: Int) async {
        let reply = await admin.post(
            "add_app",
            #"{"name": "a", "input_type": "doubles", "default_output": "", "latency_slo_micros": \#(slo)}"#)
        #expect(reply.status == status, "\(reply.body)")
    }

    @Test("A latency objective that is not positive is refused", arguments: ["0", "-1", "86400000001", "1e300"])
    func badSLO(slo: String) async {
        let reply = await admin.post(
            "add_app",
            #"{"name": "a", "input_type": "doubles", "default_output": "", "latency_slo_micros": \#(slo)}"#)
        #expect(reply.status == 400)
    }

    @Test("The selection state names policy, models and versions")
    func selectionState() async {
        await admin.addApplication()
        await admin.addModel()
        await admin.post("add_model_links", #"{"app_name": "digits", "model_names": ["m"]}"#)
        let reply = await admin.post("get_state", #"{"app_name": "digits", "uid": 0}"#)
        #expect(reply.status == 200)
        #expect(reply.body.contains("DefaultOutputSelectionPolicy"))
        #expect(reply.body.contains("m (version 1)"))
        #expect(
            await admin.post("get_state", #"{"app_name": "x", "uid": 0}"#)
                == .failure(400, "No application with name 'x' exists."))
    }
}

@Suite("Administration API: models and links")
struct AdministrationModelTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    @Test("A registered model is listed and shown")
    func lists() async {
        let added = await admin.post("add_model", Administration.model(labels: #"["x"]"#, batchSize: "32"))
        #expect(added == .text("Successfully added model with name 'm' and input type 'doubles'"))
        await admin.addModel(version: "2")
        #expect(await admin.post("get_all_models", #"{"verbose": false}"#).body == #"["m:1","m:2"]"#)
        let first = #"""
            {"batch_size":32,"batching":{"max_batch":4096,"max_delay_micros":0,"policy":"fixed","size":32},\#
            "cache":true,"container_name":"NO_CONTAINER","input_type":"doubles","is_current_version":false,\#
            "labels":["x"],"model_data_path":"DEPRECATED","model_name":"m","model_version":"1"}
            """#
        let second = #"""
            {"batch_size":-1,"batching":{"max_batch":4096,"max_delay_micros":0,"policy":"deadline"},\#
            "cache":true,"container_name":"NO_CONTAINER","input_type":"doubles","is_current_version":true,\#
            "labels":[],"model_data_path":"DEPRECATED","model_name":"m","model_version":"2"}
            """#
        #expect(await admin.post("get_model", #"{"model_name": "m", "model_version": "1"}"#).body == first)
        #expect(await admin.post("get_all_models", #"{"verbose": true}"#).body == "[\(first),\(second)]")
        #expect(await admin.post("get_model", #"{"model_name": "m", "model_version": "3"}"#).body == "{}")
    }

    @Test("A version may come as an integer", arguments: ["set_model_version", "delete_versioned_model", "get_model"])
    func integerVersion(path: String) async {
        await admin.post("add_model", Administration.model(version: "7"))
        #expect(await admin.post("get_all_models", #"{"verbose": false}"#).body == #"["m:7"]"#)
        let reply = await admin.post(path, #"{"model_name": "m", "model_version": 7}"#)
        #expect(reply.status == 200, "\(reply.body)")
        #expect(reply.body != "{}")
    }

    @Test("A version is rolled back and deleted")
    func versions() async {
        await admin.addModel()
        await admin.addModel(version: "2")
        let set = await admin.post("set_model_version", #"{"model_name": "m", "model_version": "1"}"#)
        #expect(set == .text("Successfully set model with name 'm' to version '1'"))
        let deleted = await admin.post("delete_versioned_model", #"{"model_name": "m", "model_version": "1"}"#)
        // It was the current one.
        #expect(
            deleted
                == .text(
                    "Successfully deleted model with name 'm' and version '1'; "
                        + "version '2' of model 'm' is the current one now"))
        #expect(await admin.post("get_all_models", #"{"verbose": false}"#).body == #"["m:2"]"#)
        let again = await admin.post("delete_versioned_model", #"{"model_name": "m", "model_version": "1"}"#)
        #expect(again == .failure(400, "model with name 'm' and version '1' does not exist"))
    }

    @Test("That a model has no current version after a deletion is told with who uses it, and that it has one again")
    func wants() async {
        func delete(_ version: String) async -> AdministrationReply {
            await admin.post("delete_versioned_model", #"{"model_name": "m", "model_version": "\#(version)"}"#)
        }
        await admin.addApplication()
        await admin.addModel(type: "strings")
        await admin.addModel(version: "2")
        await admin.post("add_model_links", #"{"app_name": "digits", "model_names": ["m"]}"#)
        let deleted = await delete("2")
        #expect(
            deleted
                == .text(
                    "Successfully deleted model with name 'm' and version '2'; model 'm' has no current version now: "
                        + "no version that is left takes doubles, and 'digits' still uses it"))
        let unlinked = await admin.post("delete_model_links", #"{"app_name": "digits", "model_names": ["m"]}"#)
        #expect(
            unlinked
                == .text(
                    "Successfully unlinked model with name 'm' from application 'digits'; "
                        + "version '1' of model 'm' is the current one now"))
        #expect(await delete("1") == .text("Successfully deleted model with name 'm' and version '1'"))
    }

    @Test("The last version of a model that applications use is deleted with a word of them")
    func wantsAnyVersion() async {
        await admin.addApplication()
        await admin.addModel()
        await admin.post("add_model_links", #"{"app_name": "digits", "model_names": ["m"]}"#)
        let deleted = await admin.post("delete_versioned_model", #"{"model_name": "m", "model_version": "1"}"#)
        #expect(
            deleted.body.hasSuffix(
                "'m' has no current version now: it has no version any more, and 'digits' still uses it"))
    }

    @Test(
        "A batch size is -1 or positive",
        arguments: [("-1", 200), ("1", 200), ("0", 400), ("-2", 400), ("1.5", 400)])
    func batchSize(size: String, status: Int) async {
        #expect(await admin.post("add_model", Administration.model(batchSize: size)).status == status)
    }

    @Test("A name with a comma or a colon is refused", arguments: ["a,b", "a:b"])
    func badNames(name: String) async {
        let reply = await admin.post("add_model", Administration.model(name))
        #expect(reply.status == 400)
        #expect(reply.body.hasPrefix("model name '\(name)' holds "))
    }

    @Test("Models are linked in order, listed, and unlinked")
    func links() async {
        await admin.addApplication()
        await admin.addModel("b")
        await admin.addModel("a")
        let linked = await admin.post("add_model_links", #"{"app_name": "digits", "model_names": ["b", "a"]}"#)
        #expect(linked == .text("Successfully linked model with name 'b', model with name 'a' to application 'digits'"))
        #expect(await admin.post("get_linked_models", #"{"app_name": "digits"}"#).body == #"["b","a"]"#)
        let unlinked = await admin.post("delete_model_links", #"{"app_name": "digits", "model_names": ["b"]}"#)
        #expect(unlinked.status == 200)
        #expect(await admin.post("get_linked_models", #"{"app_name": "digits"}"#).body == #"["a"]"#)
    }

    @Test("An application is registered with its links, or not at all where one cannot be")
    func registersWithLinks() async {
        func add(_ models: String) async -> AdministrationReply {
            await admin.post(
                "add_app",
                #"{"name": "digits", "input_type": "doubles", "default_output": "-1", "latency_slo_micros": 1000, "#
                    + #""model_names": \#(models)}"#)
        }
        await admin.addModel("a")
        await admin.addModel("b")
        await admin.addModel("text", type: "strings")
        #expect(await add(#"["a", "x"]"#) == .failure(400, "No model with name 'x' exists."))
        #expect(await add(#"["a", "text"]"#).status == 400)
        #expect(await add(#"["a", "a"]"#) == .failure(400, "The model with name 'a' is named twice"))
        #expect(await add(#""a""#).status == 400)
        #expect(await admin.post("get_all_applications", #"{"verbose": false}"#).body == "[]")
        #expect(
            await add(#"["b", "a"]"#) == .text("Successfully added application with name 'digits', linked to 'b', 'a'"))
        #expect(await admin.post("get_linked_models", #"{"app_name": "digits"}"#).body == #"["b","a"]"#)
    }

    @Test("What Clipper tells of an application and does not take is ignored when an application is registered")
    func ignoresForeignKeys() async {
        let reply = await admin.post(
            "add_app",
            #"{"name": "digits", "input_type": "doubles", "default_output": "-1", "latency_slo_micros": 1000, "#
                + #""linked_models": ["x"]}"#)
        #expect(reply.status == 200)
        #expect(await admin.post("get_linked_models", #"{"app_name": "digits"}"#).body == "[]")
    }

    @Test("Links that cannot be are refused")
    func refusesLinks() async {
        await admin.addApplication()
        await admin.addModel("text", type: "strings")
        func reply(_ path: String, _ application: String, _ model: String) async -> AdministrationReply {
            await admin.post(path, #"{"app_name": "\#(application)", "model_names": ["\#(model)"]}"#)
        }
        #expect(await reply("add_model_links", "x", "text") == .failure(400, "No app with name 'x' exists."))
        #expect(await reply("add_model_links", "digits", "m") == .failure(400, "No model with name 'm' exists."))
        #expect(await reply("add_model_links", "digits", "text").status == 400)
        #expect(
            await reply("delete_model_links", "digits", "m")
                == .failure(400, "Cannot remove nonexistent link between app 'digits' and model 'm'"))
        #expect(
            await admin.post("get_linked_models", #"{"app_name": "x"}"#)
                == .failure(400, "No application with name 'x' exists."))
    }
}

@Suite("Administration API: the running frontend")
struct AdministrationFrontendTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    @Test("Containers are listed and shown")
    func containers() async {
        #expect(await admin.post("get_all_containers", #"{"verbose": false}"#).body == #"["m:1:0","m:1:1"]"#)
        func shown(_ replica: Int) -> String {
            #"{"input_type":"doubles","model_id":"m:1","model_name":"m","model_replica_id":\#(replica),"#
                + #""model_version":"1"}"#
        }
        #expect(await admin.post("get_all_containers", #"{"verbose": true}"#).body == "[\(shown(0)),\(shown(1))]")
        func container(_ replica: String) async -> String {
            await admin.post(
                "get_container", #"{"model_name": "m", "model_version": "1", "replica_id": \#(replica)}"#
            ).body
        }
        #expect(await container("1") == shown(1))
        #expect(await container("\"1\"") == shown(1))
        #expect(await container("2") == "{}")
    }

    @Test("A ping is answered, with a trailing slash too", arguments: ["/admin/ping", "/admin/ping/"])
    func ping(path: String) async {
        #expect(await admin.get(path) == .text("PONG"))
        #expect(await admin.api.respond(method: "HEAD", path: path, body: []) == .text("PONG"))
    }

    @Test("The status is JSON in snake case that reads back")
    func status() async throws {
        let reply = await admin.get("/admin/status")
        #expect(reply.status == 200)
        #expect(reply.format == .json)
        #expect(reply.body.contains(#""slo_milliseconds":100"#))
        #expect(reply.body.contains(#""largest_batch":7"#))
        #expect(reply.body.contains(#""latency_p99_milliseconds":0"#))
        let status = try JSONDecoder().decode(FrontendStatus.self, from: Data(reply.body.utf8))
        #expect(await status == FixedObserver().status())
    }
}

@Suite("Administration API: requests that are none")
struct AdministrationRequestTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    @Test(
        "An unknown path is a 404 with a JSON error",
        arguments: ["/admin/nothing", "/admin/", "/admin", "/", "/admin/ping/x", "/admin/ping//", "/ADMIN/ping"])
    func unknownPath(path: String) async throws {
        let reply = await admin.get(path)
        #expect(reply.status == 404)
        #expect(reply.format == .json)
        let error = try JSONDecoder().decode([String: String].self, from: Data(reply.body.utf8))
        #expect(error.keys.sorted() == ["cause", "error"])
        #expect(error["cause"]?.contains(path) == true)
    }

    @Test("Another method is a 405 that says which one the path takes")
    func wrongMethod() async {
        let get = await admin.get("/admin/add_app")
        #expect(get.status == 405)
        #expect(get.allowedMethod == "POST")
        let post = await admin.post("ping", "{}")
        #expect(post.status == 405)
        #expect(post.allowedMethod == "GET")
    }

    @Test(
        "A body that is no JSON object is a 400",
        arguments: ["", " ", "{", "[]", "1", "null", #"{"name": }"#, #"{"name": "a"} x"#, "name=a"])
    func malformed(body: String) async {
        let reply = await admin.post("delete_app", body)
        #expect(reply.status == 400)
        #expect(reply.format == .text)
        #expect(reply.body.contains("JSON object"))
    }

    @Test("A body that is no UTF-8 is a 400")
    func notUTF8() async {
        let body = Array(#"{"name": ""#.utf8) + [0xFF] + Array(#""}"#.utf8)
        let reply = await admin.api.respond(method: "POST", path: "/admin/delete_app", body: body)
        #expect(reply == .failure(400, "The body is not UTF-8; a JSON object is expected"))
    }

    @Test("Deep nesting is a 400")
    func deep() async {
        let body = #"{"name": "# + String(repeating: "[", count: 200_000)
        #expect(await admin.post("delete_app", body).status == 400)
    }

    @Test("A missing key is named")
    func missingKey() async {
        let reply = await admin.post(
            "add_app", #"{"name": "a", "default_output": "", "latency_slo_micros": 1}"#)
        #expect(reply == .failure(400, "Key 'input_type' is missing"))
    }

    @Test(
        "A value of the wrong type is named with its key",
        arguments: [
            ("1", "the number 1"), ("1.5", "the number 1.5"), ("null", "null"), ("true", "true"), ("[]", "an array"),
            ("{}", "an object"),
        ])
    func wrongType(value: String, found: String) async {
        let reply = await admin.post("delete_app", #"{"name": \#(value)}"#)
        #expect(reply == .failure(400, "Key 'name': a string is expected, \(found) was found"))
    }

    @Test("A wrong element of a list is named")
    func wrongElement() async {
        let reply = await admin.post("add_model_links", #"{"app_name": "a", "model_names": ["m", 1]}"#)
        #expect(
            reply == .failure(400, "Key 'model_names': an array of strings is expected, but element 1 is none"))
        let text = await admin.post("add_model_links", #"{"app_name": "a", "model_names": "m"}"#)
        #expect(text == .failure(400, "Key 'model_names': an array of strings is expected, a string was found"))
    }

    @Test("Verbosity is true or false, not a number")
    func verbosity() async {
        let reply = await admin.post("get_all_models", #"{"verbose": 1}"#)
        #expect(reply == .failure(400, "Key 'verbose': true or false is expected, the number 1 was found"))
    }

    @Test("Keys that nobody asks for do no harm")
    func surplusKeys() async {
        let reply = await admin.post("get_all_models", #"{"verbose": false, "x": [1e999, {"y": null}]}"#)
        #expect(reply.body == "[]")
    }

    @Test("A body over the limit is a 413")
    func tooLong() async {
        let body = [UInt8](repeating: 0x20, count: AdministrationAPI.longestBody + 1)
        let reply = await admin.api.respond(method: "POST", path: "/admin/delete_app", body: body)
        #expect(reply.status == 413)
    }

    @Test("A store that cannot be written is a 500 with the reason, and nothing has changed")
    func fullDisk() async throws {
        let admin = try Administration(store: FullStore())
        let reply = await admin.post("add_model", Administration.model())
        #expect(reply == .failure(500, "Nothing was changed: \(FullStore.error.message)"))
        #expect(await admin.post("get_all_models", #"{"verbose": false}"#).body == "[]")
    }
}
