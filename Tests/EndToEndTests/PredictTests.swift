import DigitsModel
import Testing

@Suite("Predictions")
struct PredictTests {
    @Test("One input is answered by an object with Clipper's keys in Clipper's order")
    func oneInput() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let response = try await frontend.query.post("/app/predict", #"{"input": [1.5, 2, 3]}"#)
            #expect(response.status == 200)
            #expect(response["Content-Type"] == "application/json")
            #expect(response.text == #"{"query_id":0,"output":6.5,"default":false}"#)
        }
    }

    @Test("A batch is answered in order, a batch of one by its object, an empty batch by an empty list")
    func batches() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let three = try await frontend.query.post("/app/predict", #"{"input_batch": [[1], [2, 0.5], [-3]]}"#)
            #expect(
                three.text == #"{"batch_predictions":[{"query_id":0,"output":1.0,"default":false},"#
                    + #"{"query_id":1,"output":2.5,"default":false},{"query_id":2,"output":-3.0,"default":false}]}"#)
            let one = try await frontend.query.post("/app/predict", #"{"input_batch": [[4]]}"#)
            #expect(one.text == #"{"query_id":3,"output":4.0,"default":false}"#)
            let none = try await frontend.query.post("/app/predict", #"{"input_batch": []}"#)
            #expect(none.status == 200)
            #expect(none.text == #"{"batch_predictions":[]}"#)
        }
    }

    @Test(
        "Inputs of every numeric type are summed up, empty ones too",
        arguments: [
            ("doubles", "[0.5, 2, -1e3]", -997.5), ("floats", "[0.5, 2, -1e3]", -997.5),
            ("integers", "[2147483647, -2147483648, 7]", 6), ("bytes", #""AQL/""#, 258),
        ])
    func numericTypes(inputType: String, input: String, sum: Double) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, inputType: inputType)
            #expect(try await frontend.predict(#"{"input": \#(input)}"#)["output"] == .number(sum))
            let empty = inputType == "bytes" ? "\"\"" : "[]"
            let answer = try await frontend.predict(#"{"input_batch": [\#(input), \#(empty), \#(input)]}"#)
            let predictions = try #require(answer["batch_predictions"]?.elements)
            #expect(predictions.map { $0["output"] } == [.number(sum), 0, .number(sum)])
            #expect(predictions.allSatisfy { $0["default"] == false })
        }
    }

    @Test("Strings reach an asynchronous batch closure, and its objects come back as JSON")
    func strings() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("churn", inputType: "strings")
            try await frontend.addApplication("app", inputType: "strings", links: ["churn"])
            try await frontend.startContainer("async-batch-container", model: "churn")
            let answer = try await frontend.predict(#"{"input_batch": ["Ada", "", "Zo\u00eb \ud83d\ude80\n"]}"#)
            let outputs = try #require(answer["batch_predictions"]?.elements).map { $0["output"] }
            #expect(outputs.map { $0?["customer"] } == ["Ada", "", "Zoë 🚀\n"])
            #expect(outputs.map { $0?["probability"] == nil } == [false, true, false])
        }
    }

    @Test("Numbers arrive and come back exact to the last digit, and integers are taken where doubles are asked")
    func exactNumbers() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let numbers = [
                "5e-324", "1.7976931348623157e308", "0.1", "-0.0", "9007199254740993", "18446744073709551616",
                "123456789012345678901234567890", "3.141592653589793238462643383279", "-1e-7", "0.30000000000000004",
            ]
            let body = #"{"input_batch": [\#(numbers.map { "[\($0)]" }.joined(separator: ","))]}"#
            let answer = try await frontend.predict(body)
            let outputs = try #require(answer["batch_predictions"]?.elements).map { $0["output"]?.double }
            #expect(outputs == numbers.map { Double($0) })
        }
    }

    @Test(
        "An output that is JSON stands in the answer as it is, any other as a string",
        arguments: [
            (#"{"a": [1, null]}"#, #"{"a": [1, null]}"#), ("1.50", "1.50"), ("true", "true"), ("cat", #""cat""#),
            (#"say "hi" \"#, #""say \"hi\" \\""#), ("NaN", #""NaN""#), ("1 2", #""1 2""#), ("", #""""#),
            ("01", #""01""#), ("line\nline", #""line\nline""#),
        ])
    func outputs(output: String, expected: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("text")
            try await frontend.addApplication("app", links: ["text"])
            try await frontend.startContainer("faulty-container", model: "text", arguments: ["--output", output])
            let response = try await frontend.query.post("/app/predict", #"{"input": [1]}"#)
            #expect(response.text == #"{"query_id":0,"output":\#(expected),"default":false}"#)
        }
    }

    @Test("Queries go to the current version, or to the one that they name")
    func versions() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            for version in ["1", "2"] {
                try await frontend.addModel("m", version: version)
                try await frontend.startContainer(
                    "faulty-container", model: "m", version: version, arguments: ["--output", "\"v\(version)\""])
            }
            try await frontend.addApplication("app", links: ["m"])
            let query = #"{"input": [1]}"#
            #expect(try await frontend.predict(query)["output"] == "v2")
            #expect(try await frontend.predict(#"{"input": [1], "version": "1"}"#)["output"] == "v1")
            try await frontend.admin("set_model_version", ["model_name": "m", "model_version": "1"])
            #expect(try await frontend.predict(query)["output"] == "v1")
            #expect(try await frontend.predict(#"{"version": "2", "input": [1]}"#)["output"] == "v2")
            try await frontend.admin("set_model_version", ["model_name": "m", "model_version": "2"])
            #expect(try await frontend.predict(query)["output"] == "v2")
        }
    }

    @Test("Of several linked models the first answers")
    func severalModels() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            for model in ["first", "second"] {
                try await frontend.addModel(model)
                try await frontend.startContainer(
                    "faulty-container", model: model, arguments: ["--output", "\"\(model)\""])
            }
            try await frontend.addApplication("app", links: ["second", "first"])
            #expect(try await frontend.predict(#"{"input": [1]}"#)["output"] == "second")
        }
    }

    @Test("Many clients at once get each their own answer")
    func manyClients() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.startContainer()
            try await withThrowingTaskGroup { group in
                for client in 0..<16 {
                    group.addTask {
                        let connection = try HTTPConnection(to: frontend.query)
                        for query in 0..<20 {
                            let body = Array("{\"input\": [\(client * 1000), \(query)]}".utf8)
                            let answer = try await connection.exchange("POST", "/app/predict", body: body).json
                            #expect(answer["output"] == .number(Double(client * 1000 + query)))
                            #expect(answer["default"] == false)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("No batch is larger than the limit that its model was registered with")
    func batchLimit() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum", batchSize: 7)
            try await frontend.addApplication("app", links: ["sum"])
            let container = try await frontend.startContainer("faulty-container")
            let inputs = (0..<100).map { "[\($0)]" }.joined(separator: ",")
            let answer = try await frontend.predict(#"{"input_batch": [\#(inputs)]}"#)
            let outputs = try #require(answer["batch_predictions"]?.elements).map { $0["output"]?.double }
            #expect(outputs == (0..<100).map(Double.init))
            let sizes = container.standardOutput.split(separator: "\n").compactMap { Int($0.dropFirst(6)) }
            #expect(sizes.reduce(0, +) == 100)
            #expect(sizes.max() == 7)
        }
    }

    @Test("A slash at the end and a query string do no harm, and names may be percent-encoded")
    func paths() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.addApplication("größe 1", links: ["sum"])
            for path in ["/app/predict/", "/app/predict?trace=1", "/gr%C3%B6%C3%9fe%201/predict"] {
                let response = try await frontend.query.post(path, #"{"input": [2]}"#)
                #expect(try response.json["output"] == 2, "\(path): \(response)")
            }
        }
    }

    @Test("The digits example recognises its held-out images as scikit-learn does")
    func digits() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("digits")
            try await frontend.addApplication("digits", links: ["digits"])
            try await frontend.startContainer("digits-container", model: "digits")
            let digits = try Digit.heldOut()
            let inputs = JSON.array(digits.map { .array($0.pixels.map(JSON.number)) })
            let answer = try await frontend.predict(JSON.object(["input_batch": inputs]).encoded, application: "digits")
            let outputs = try #require(answer["batch_predictions"]?.elements).map { $0["output"]?.double }
            #expect(outputs == digits.map { Double($0.referenceAnswer) })
            let right = zip(outputs, digits).count { $0 == Double($1.label) }
            #expect(Double(right) / Double(digits.count) >= 0.95)
        }
    }
}
