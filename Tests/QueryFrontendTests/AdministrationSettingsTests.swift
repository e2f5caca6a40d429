import Foundation
import Testing

@testable import QueryFrontend

@Suite("Administration API: batching and cache")
struct AdministrationBatchingTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    /// What `get_model` tells of one key.
    private func shown(_ key: String) async throws -> String {
        let reply = await admin.post("get_model", #"{"model_name": "m", "model_version": "1"}"#)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
        let value = try JSONSerialization.data(
            withJSONObject: try #require(object[key]), options: [.fragmentsAllowed, .sortedKeys])
        return String(decoding: value, as: UTF8.self)
    }

    @Test(
        "A model is registered with a policy beside its batch size, and shown with it",
        arguments: [
            ("-1", #"{"policy": "deadline"}"#, "-1", #"{"max_batch":4096,"max_delay_micros":0,"policy":"deadline"}"#),
            (
                "-1", #"{"policy": "aimd", "increase": 4, "backoff": 0.5}"#, "-1",
                #"{"backoff":0.5,"increase":4,"max_batch":4096,"max_delay_micros":0,"policy":"aimd"}"#
            ),
            (
                "-1", #"{"policy": "fixed", "size": 64, "max_batch": 64}"#, "64",
                #"{"max_batch":64,"max_delay_micros":0,"policy":"fixed","size":64}"#
            ),
            (
                "8", #"{"max_delay_micros": 2e3}"#, "8",
                #"{"max_batch":4096,"max_delay_micros":2000,"policy":"fixed","size":8}"#
            ),
            ("8", "{}", "8", #"{"max_batch":4096,"max_delay_micros":0,"policy":"fixed","size":8}"#),
        ])
    func registers(batchSize: String, batching: String, shownSize: String, shownBatching: String) async throws {
        let body = Administration.model(batchSize: batchSize, and: #", "batching": \#(batching)"#)
        let reply = await admin.post("add_model", body)
        #expect(reply == .text("Successfully added model with name 'm' and input type 'doubles'"))
        #expect(try await shown("batch_size") == shownSize)
        #expect(try await shown("batching") == shownBatching)
    }

    @Test("What is shown of a model's batching registers another with the same")
    func roundTrips() async throws {
        let batching = #"{"backoff":0.75,"increase":3,"max_batch":100,"max_delay_micros":1500,"policy":"aimd"}"#
        await admin.post("add_model", Administration.model(and: #", "batching": \#(batching)"#))
        let told = try await shown("batching")
        let again = await admin.post("add_model", Administration.model(version: "2", and: #", "batching": \#(told)"#))
        #expect(again.status == 200, "\(again.body)")
        #expect(told == batching)
    }

    @Test("The cache is on unless it is turned off", arguments: [("", "true"), (#", "cache": false"#, "false")])
    func cache(addition: String, told: String) async throws {
        await admin.post("add_model", Administration.model(and: addition))
        #expect(try await shown("cache") == told)
    }

    @Test(
        "Batching that contradicts the batch size or itself is a 400 that says how",
        arguments: [
            ("8", #"{"policy": "aimd"}"#, "the policy 'aimd' contradicts the batch size 8"),
            ("8", #"{"policy": "fixed", "size": 9}"#, "the fixed size 9 contradicts the batch size 8"),
            ("-1", #"{"policy": "fixed"}"#, "needs a size"), ("-1", #"{"policy": "best"}"#, "'best' is no policy"),
            ("-1", #"{"policy": "deadline", "size": 9}"#, "'size' belongs to the policy 'fixed'"),
            ("-1", #"{"policy": "aimd", "increase": 0}"#, "'increase' must be 1 to 2147483647; 0 was given"),
            ("-1", #"{"policy": "aimd", "backoff": 1}"#, "'backoff' must be more than 0 and less than 1"),
            ("-1", #"{"max_delay_micros": 60000001}"#, "one minute"), ("-1", #"{"max_batch": 0}"#, "'max_batch'"),
            ("2147483648", "{}", "batch size must be at most 2147483647"),
        ])
    func refuses(batchSize: String, batching: String, words: String) async {
        let body = Administration.model(batchSize: batchSize, and: #", "batching": \#(batching)"#)
        let reply = await admin.post("add_model", body)
        #expect(reply.status == 400)
        #expect(reply.body.contains(words), "\(reply.body)")
        #expect(await admin.post("get_all_models", #"{"verbose": false}"#).body == "[]")
    }

    @Test(
        "A part of the wrong type is named with the key around it",
        arguments: [
            (#""aimd""#, "Key 'batching': an object is expected, a string was found"),
            ("null", "Key 'batching': an object is expected, null was found"),
            (#"{"policy": 1}"#, "Key 'batching.policy': a string is expected, the number 1 was found"),
            (#"{"backoff": "x"}"#, "Key 'batching.backoff': a number is expected, a string was found"),
            (#"{"max_batch": 1.5}"#, "Key 'batching.max_batch': an integer is expected, the number 1.5 was found"),
        ])
    func refusesTypes(batching: String, message: String) async {
        let reply = await admin.post("add_model", Administration.model(and: #", "batching": \#(batching)"#))
        #expect(reply == .failure(400, message))
    }

    @Test("A misspelt key of batching is named, with those that there are")
    func refusesUnknownKeys() async {
        let batching = #"{"max_dely_micros": 1, "policy": "aimd", "Size": 3}"#
        let reply = await admin.post("add_model", Administration.model(and: #", "batching": \#(batching)"#))
        #expect(
            reply
                == .failure(
                    400,
                    "Key 'batching': no such key is known here: 'Size', 'max_dely_micros'; these are: policy, "
                        + "increase, backoff, size, max_delay_micros, max_batch"))
    }

    @Test("Options of a model are changed one by one")
    func changes() async throws {
        await admin.post("add_model", Administration.model(and: #", "batching": {"max_batch": 100}"#))
        func set(_ part: String) async {
            let reply = await admin.post("set_model_options", #"{"model_name": "m", "model_version": "1", \#(part)}"#)
            #expect(reply == .text("Successfully set options of model with name 'm' and version '1'"))
        }
        await set(#""batching": {"policy": "aimd", "increase": 3}"#)
        #expect(
            try await shown("batching")
                == #"{"backoff":0.9,"increase":3,"max_batch":100,"max_delay_micros":0,"policy":"aimd"}"#)
        await set(#""batch_size": 8, "batching": {"max_delay_micros": 7}"#)
        #expect(try await shown("batching") == #"{"max_batch":100,"max_delay_micros":7,"policy":"fixed","size":8}"#)
        await set(#""batch_size": -1"#)
        #expect(try await shown("batching") == #"{"max_batch":100,"max_delay_micros":7,"policy":"deadline"}"#)
        #expect(try await shown("cache") == "true")
        await set(#""cache": false, "labels": ["x"]"#)
        #expect(try await shown("cache") == "false")
        #expect(try await shown("labels") == #"["x"]"#)
    }

    @Test(
        "A change of nothing, of an unknown model, or with a part that says nothing by itself is a 400",
        arguments: [
            ("", "Nothing is to be set: give one of batch_size, batching, cache, labels"),
            (#", "batching": {}"#, "Nothing is to be set: give one of batch_size, batching, cache, labels"),
            (
                #", "batching": {"size": 9}"#,
                "batching: 'size' alone changes nothing: name the 'policy' that it belongs to, too"
            ),
            (#", "batch_size": 8, "batching": {"policy": "aimd"}"#, "the policy 'aimd' contradicts the batch size 8"),
            (#", "max_batch": 9"#, "The body: no such key is known here: 'max_batch'"),
            (#", "cache": false, "model_version": "2""#, "model with name 'm' and version '2' does not exist"),
        ])
    func refusesChanges(parts: String, words: String) async throws {
        await admin.post("add_model", Administration.model())
        let version = parts.contains("model_version") ? "" : #", "model_version": "1""#
        let reply = await admin.post("set_model_options", #"{"model_name": "m"\#(version)\#(parts)}"#)
        #expect(reply.status == 400)
        #expect(reply.body.contains(words), "\(reply.body)")
        #expect(try await shown("cache") == "true")
    }

    @Test("Whether to cache is true or false, not a number")
    func refusesCacheNumber() async {
        let reply = await admin.post("add_model", Administration.model(and: #", "cache": 0"#))
        #expect(reply == .failure(400, "Key 'cache': true or false is expected, the number 0 was found"))
    }
}

@Suite("Administration API: overload and hedging")
struct AdministrationOptionsTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    private func shown() async -> String {
        await admin.post("get_application", #"{"name": "digits"}"#).body
    }

    private func expectShown(_ hedging: String, _ overload: String) async {
        let body = await shown()
        #expect(body.contains(#""hedging":\#(hedging),"#), "\(body)")
        #expect(body.contains(#""overload":"\#(overload)""#), "\(body)")
    }

    @Test(
        "An application is registered with its options, and shown with them",
        arguments: [
            ("", "false", "default"), (#", "overload": "default", "hedging": false"#, "false", "default"),
            (#", "overload": "reject""#, "false", "reject"),
            (#", "hedging": true"#, #"{"max_extra_work":0.05,"quantile":0.95}"#, "default"),
            (#", "hedging": {}"#, #"{"max_extra_work":0.05,"quantile":0.95}"#, "default"),
            (#", "hedging": {"quantile": 0.5}"#, #"{"max_extra_work":0.05,"quantile":0.5}"#, "default"),
            (
                #", "overload": "reject", "hedging": {"quantile": 0.9, "max_extra_work": 1}"#,
                #"{"max_extra_work":1,"quantile":0.9}"#, "reject"
            ),
        ])
    func registers(additions: String, hedging: String, overload: String) async {
        let reply = await admin.post("add_app", Administration.application(and: additions))
        #expect(reply == .text("Successfully added application with name 'digits'"))
        await expectShown(hedging, overload)
    }

    @Test(
        "Options that are none are a 400 that says why",
        arguments: [
            (#", "overload": "drop""#, "Key 'overload': 'drop' is no answer to overload; these are: default, reject"),
            (#", "overload": 1"#, "Key 'overload': a string is expected, the number 1 was found"),
            (#", "hedging": 1"#, "Key 'hedging': true, false or an object is expected, the number 1 was found"),
            (
                #", "hedging": {"quantil": 0.9}"#,
                "Key 'hedging': no such key is known here: 'quantil'; these are: quantile, max_extra_work"
            ),
            (
                #", "hedging": {"quantile": "p95"}"#,
                "Key 'hedging.quantile': a number is expected, a string was found"
            ),
            (
                #", "hedging": {"quantile": 95}"#,
                "hedging: 'quantile' must be more than 0 and less than 1; 95.0 was given"
            ),
            (
                #", "hedging": {"max_extra_work": 0}"#,
                "hedging: 'max_extra_work' must be more than 0 and at most 1; 0.0 was given"
            ),
        ])
    func refuses(additions: String, message: String) async {
        let reply = await admin.post("add_app", Administration.application(and: additions))
        #expect(reply == .failure(400, message))
        #expect(await shown() == "{}")
    }

    @Test("Options are changed one by one")
    func changes() async {
        await admin.addApplication()
        let reply = await admin.post("set_app_options", #"{"name": "digits", "overload": "reject"}"#)
        #expect(reply == .text("Successfully set options of application with name 'digits'"))
        await admin.post("set_app_options", #"{"name": "digits", "hedging": true}"#)
        await expectShown(#"{"max_extra_work":0.05,"quantile":0.95}"#, "reject")
        await admin.post("set_app_options", #"{"name": "digits", "hedging": false}"#)
        await expectShown("false", "reject")
    }

    @Test("Latency objective and default output are changed without a new registration")
    func changesObjective() async {
        await admin.addApplication()
        await admin.post("set_app_options", #"{"name": "digits", "latency_slo_micros": 2000}"#)
        await admin.post("set_app_options", #"{"name": "digits", "default_output": "none"}"#)
        let shown = await shown()
        #expect(
            shown.contains(#""latency_slo_micros":2000"#) && shown.contains(#""default_output":"none""#), "\(shown)")
    }

    @Test(
        "A change of nothing, of an unknown application, or with a misspelt key is a 400",
        arguments: [
            (
                #"{"name": "digits"}"#,
                "Nothing is to be set: give one of latency_slo_micros, default_output, overload, hedging, policy, loss, "
                    + "min_confidence, shadow"
            ),
            (#"{"name": "x", "overload": "reject"}"#, "No app with name 'x' exists."),
            (
                #"{"name": "digits", "overload": "reject", "hedge": true}"#,
                "The body: no such key is known here: 'hedge'; these are: name, latency_slo_micros, default_output, "
                    + "overload, hedging, policy, loss, min_confidence, shadow"
            ),
            (
                #"{"name": "digits", "input_type": "strings"}"#,
                "The body: no such key is known here: 'input_type'; these are: name, latency_slo_micros, default_output, "
                    + "overload, hedging, policy, loss, min_confidence, shadow"
            ),
            (
                #"{"name": "digits", "latency_slo_micros": 0}"#,
                "latency SLO must be positive and at most one day (86400000000 microseconds); 0 microseconds were given"
            ),
            (
                #"{"name": "digits", "latency_slo_micros": 9223372036854775807}"#,
                "latency SLO must be positive and at most one day (86400000000 microseconds); 9223372036854775807 "
                    + "microseconds were given"
            ),
            (
                #"{"name": "digits", "default_output": 1}"#,
                "Key 'default_output': a string is expected, the number 1 was found"
            ),
        ])
    func refusesChanges(body: String, message: String) async {
        await admin.addApplication()
        #expect(await admin.post("set_app_options", body) == .failure(400, message))
        await expectShown("false", "default")
    }
}

@Suite("Administration API: draining")
struct AdministrationDrainTests {
    private let admin: Administration

    init() throws { admin = try Administration() }

    private func drain(_ additions: String = "") async throws -> DrainDescription {
        let reply = await admin.post("drain", #"{"model_name": "m", "model_version": "1"\#(additions)}"#)
        try #require(reply.status == 200, "\(reply.body)")
        #expect(reply.format == .json)
        return try JSONDecoder().decode(DrainDescription.self, from: Data(reply.body.utf8))
    }

    @Test("All replicas of a version drain, and are told with what is in flight, by their numbers")
    func drainsAll() async throws {
        let answer = try await drain()
        #expect(answer.replicas.map(\.replica) == [0, 1])
        #expect(answer.replicas.map(\.state) == ["draining", "draining"])
        #expect(answer.queriesInFlight == 1)
    }

    @Test("One replica drains", arguments: ["1", "\"1\"", "1.0"])
    func drainsOne(number: String) async throws {
        let answer = try await drain(#", "replica_id": \#(number)"#)
        #expect(answer.replicas.map(\.replica) == [1])
    }

    @Test("What drains is taken back")
    func resumes() async throws {
        let answer = try await drain(#", "replica_id": 0, "resume": true"#)
        #expect(answer.replicas.map(\.state) == ["active"])
    }

    @Test("What has drained can be told to end")
    func stops() async throws {
        let answer = try await drain(#", "replica_id": 0, "stop": true"#)
        #expect(answer.replicas.map(\.state) == ["stopping"])
    }

    @Test(
        "A replica that is not connected is a 400, and a misspelt key drains nothing",
        arguments: [
            (
                #"{"model_name": "m", "model_version": "1", "replica_id": 2}"#,
                "No replica 2 of the model 'm', version '1', is connected"
            ),
            (
                #"{"model_name": "m", "model_version": 2}"#,
                "No replica of the model 'm', version '2', is connected"
            ),
            (
                #"{"model_name": "m", "model_version": "1", "replica": 0}"#,
                "The body: no such key is known here: 'replica'; these are: model_name, model_version, replica_id, "
                    + "resume, stop"
            ),
            (
                #"{"model_name": "m", "model_version": "1", "resume": "yes"}"#,
                "Key 'resume': true or false is expected, a string was found"
            ),
        ])
    func refuses(body: String, message: String) async {
        #expect(await admin.post("drain", body) == .failure(400, message))
    }
}
