import TestSupport
import Testing

/// A body that an application cannot take, and words of the answer that say why.
struct BadBody: Sendable, CustomTestStringConvertible {
    let body: [UInt8]
    let cause: String
    let inputType: String

    init(_ body: String, _ cause: String, inputType: String = "doubles") {
        self.init(Array(body.utf8), cause, inputType: inputType)
    }

    init(_ body: [UInt8], _ cause: String, inputType: String = "doubles") {
        self.body = body
        self.cause = cause
        self.inputType = inputType
    }

    var testDescription: String { "\(inputType): \(String(decoding: body.prefix(60), as: UTF8.self))" }

    static let all: [BadBody] = [
        BadBody("", "empty"),
        BadBody("{", "malformed JSON"),
        BadBody(#"{"input": [1,]}"#, "malformed JSON"),
        BadBody(#"{"input": [1]} x"#, "malformed JSON"),
        BadBody(#"{"input": [NaN]}"#, "malformed JSON"),
        BadBody(#"{"input": [Infinity]}"#, "malformed JSON"),
        BadBody(#"{"input": [1e999]}"#, "malformed JSON"),
        BadBody(#"{"input": [-1e999]}"#, "malformed JSON"),
        BadBody(#"{"input": [01]}"#, "malformed JSON"),
        BadBody(#"{"input": [+1]}"#, "malformed JSON"),
        BadBody(String(repeating: "[", count: 200_000), "malformed JSON"),
        BadBody(#"{"input": "# + String(repeating: "[", count: 200_000), "malformed JSON"),
        BadBody(#"{"input": [\#(String(repeating: "9", count: 400))]}"#, "malformed JSON"),
        BadBody(Array(#"{"input": [1], "x": ""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8), "malformed JSON"),
        BadBody([0xFF, 0xFE, 0x7B, 0x00], "malformed JSON"),
        BadBody("[1, 2]", "object"),
        BadBody("null", "object"),
        BadBody("{}", "'input' or 'input_batch'"),
        BadBody(#"{"input": null}"#, "expected an array of numbers, found null"),
        BadBody(#"{"input": "1"}"#, "expected an array of numbers, found a string"),
        BadBody(#"{"input": [1, "2"]}"#, "input[1]: expected a number, found a string"),
        BadBody(#"{"input": [1, null]}"#, "input[1]: expected a number, found null"),
        BadBody(#"{"input": [true]}"#, "input[0]: expected a number, found a boolean"),
        BadBody(#"{"input": [[1]]}"#, "input[0]: expected a number, found an array"),
        BadBody(#"{"input_batch": [1]}"#, "input_batch[0]: expected an array of numbers"),
        BadBody(#"{"input_batch": [[1], [2, {}]]}"#, "input_batch[1][1]: expected a number, found an object"),
        BadBody(#"{"input_batch": {"0": [1]}}"#, "input_batch: expected an array of inputs"),
        BadBody(#"{"input": [1], "version": 1}"#, "version: expected a string"),
        BadBody(#"{"input": [1], "timeout_micros": -1}"#, "timeout_micros: expected a positive integer"),
        BadBody(#"{"input": [1.5]}"#, "input[0]: expected an integer", inputType: "integers"),
        BadBody(#"{"input": [2147483648]}"#, "32 bits", inputType: "integers"),
        BadBody(#"{"input": [1e39]}"#, "32-bit float", inputType: "floats"),
        BadBody(#"{"input": [1]}"#, "expected a string", inputType: "strings"),
        BadBody(
            #"{"input": "\ud800"}"#, "half a surrogate pair, which is no character, at byte 11", inputType: "strings"),
        BadBody(#"{"input": "AQI"}"#, "base64", inputType: "bytes"),
        BadBody(#"{"input": "AQ=="}"#.replacing("AQ", with: "A*"), "base64", inputType: "bytes"),
        BadBody(#"{"input": "AR=="}"#, "base64", inputType: "bytes"),
        BadBody(#"{"input": [1, 2]}"#, "expected a base64 string", inputType: "bytes"),
    ]
}

@Suite("Bad queries")
struct BadQueryTests {
    @Test("A body that is no query is answered by a 400 that says why, and the connection goes on")
    func badBodies() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            for inputType in ["doubles", "integers", "floats", "strings", "bytes"] {
                try await frontend.addApplication(inputType, inputType: inputType)
            }
            let connection = try HTTPConnection(to: frontend.query)
            for bad in BadBody.all {
                let response = try await connection.exchange("POST", "/\(bad.inputType)/predict", body: bad.body)
                #expect(response.status == 400, "\(bad.testDescription): \(response)")
                #expect(response["Content-Type"] == "application/json")
                #expect(try response.json["error"] == "Json error", "\(bad.testDescription): \(response)")
                let cause = try response.json["cause"]?.text ?? ""
                #expect(cause.contains(bad.cause), "\(bad.testDescription): \(response)")
            }
            let body = Array(#"{"input": [40, 2]}"#.utf8)
            #expect(try await connection.exchange("POST", "/app/predict", body: body).json["output"] == 42)
        }
    }

    @Test("An unknown version is a 400 in Clipper's words, with and without a linked model")
    func unknownVersion() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await frontend.addApplication("unlinked")
            let body = #"{"input": [1], "version": "7"}"#
            let linked = try await frontend.query.post("/app/predict", body)
            #expect(linked.status == 400)
            #expect(
                try linked.json == [
                    "error": "Query processing error", "cause": "Requested version: 7 does not exist for model: sum",
                ])
            // A version that is there and takes other inputs than the application's.
            try await frontend.addModel("mixed", version: "7", inputType: "strings")
            try await frontend.addModel("mixed", version: "8")
            try await frontend.addApplication("mixed", links: ["mixed"])
            let unfit = try await frontend.query.post("/mixed/predict", body)
            #expect(unfit.status == 400)
            #expect(
                try unfit.json["cause"]
                    == "Requested version: 7 does not exist for model: mixed with inputs of type doubles")
            let unlinked = try await frontend.query.post("/unlinked/predict", body)
            #expect(unlinked.status == 400)
            #expect(try unlinked.json["error"] == "Query processing error")
        }
    }

    @Test(
        "What does not exist is a 404 that says so as JSON",
        arguments: [
            "/other/predict", "/app/other", "/", "/predict", "/app", "//predict", "/app/predict/more", "/APP/predict",
            "/%2/predict", "/%ff/predict", "/..%2fapp/predict", "*",
        ])
    func unknownPaths(path: String) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addApplication("app")
            let response = try await frontend.query.post(path, #"{"input": [1]}"#)
            #expect(response.status == 404)
            #expect(response["Content-Type"] == "application/json")
            #expect(try response.json["error"]?.text?.isEmpty == false)
            #expect(try response.json["cause"]?.text?.isEmpty == false)
        }
    }

    @Test("A body of 65 MiB is refused with a 413, as soon as its length is known")
    func largeBody() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send(
                "POST /app/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(65 << 20)\r\n\r\n")
            let response = try await connection.response()
            #expect(response.status == 413)
            #expect(response["Connection"] == "close")
            #expect(try response.json["error"] == "Body too large")
            try await connection.stream.waitForEnd()
            try await frontend.expectSum()
        }
    }

    @Test("A client that sends the whole of a body too large, and only then reads, gets its 413 too")
    func largeBodySentWhole() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--max-body", "100000"])
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: [UInt8](repeating: 0x20, count: 1_000_000))
            #expect(try await connection.response().status == 413)
            try await frontend.expectSum()
        }
    }

    @Test("A chunked body that grows too large is refused where it does")
    func largeChunkedBody() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--max-body", "100000"])
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send(
                "POST /app/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 { try await connection.send("8000\r\n\(String(repeating: " ", count: 0x8000))\r\n") }
            #expect(try connection.nextResponse()?.status == nil)
            try await connection.send("8000\r\n\(String(repeating: " ", count: 0x8000))\r\n")
            #expect(try await connection.response().status == 413)
            try await frontend.expectSum()
        }
    }

    @Test("A body just within the limit is taken")
    func largestBody() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--max-body", "100000"])
            let query = #"{"input": [7]}"#
            let body = query + String(repeating: " ", count: 100_000 - query.utf8.count)
            #expect(try await frontend.predict(body)["output"] == 7)
        }
    }
}

@Suite("Answers that are too long")
struct LongAnswerTests {
    @Test("An answer beyond the bound is refused, with what to do; half as many inputs are answered")
    func beyondBound() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            // Without a model every input gets the default output, here a MiB of it.
            let output = "\"" + String(repeating: "x", count: 1_000_000) + "\""
            try await frontend.addApplication("long", defaultOutput: output)
            func ask(_ count: Int) async throws -> HTTPResponse {
                let inputs = Array(repeating: "[]", count: count).joined(separator: ",")
                return try await frontend.query.post("/long/predict", #"{"input_batch": [\#(inputs)]}"#)
            }
            let refused = try await ask(300)
            #expect(refused.status == 413)
            #expect(refused.text.contains("ask for fewer inputs at a time"))
            let answered = try await ask(20)
            #expect(answered.status == 200)
            #expect(answered.body.count > 20_000_000)
        }
    }

    @Test("Long answers that nobody takes count as under way, and what is beyond the bound is refused")
    func untaken() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(
                in: processes, arguments: ["--max-body", "1MiB", "--max-bodies", "40MiB"])
            let output = "\"" + String(repeating: "x", count: 900_000) + "\""
            try await frontend.addApplication("long", defaultOutput: output)
            let body = #"{"input_batch": [\#(Array(repeating: "[]", count: 30).joined(separator: ","))]}"#
            // One that asks, and reads nothing.
            let idle = try HTTPConnection(to: frontend.query)
            try await idle.send("POST", "/long/predict", body: Array(body.utf8))
            try await eventually("its answer is under way") {
                let lines = try await frontend.admin.get("/metrics").text.split(separator: "\n")
                let held = lines.first { $0.hasPrefix("clipper_http_held_bytes ") }?.split(separator: " ").last
                return held.flatMap { Int($0) } ?? 0 > 20_000_000
            }
            #expect(try await frontend.query.post("/long/predict", body).status == 503)
            // It reads now.
            #expect(try await idle.response().status == 200)
            try await eventually("there is room again") {
                try await frontend.query.post("/long/predict", body).status == 200
            }
        }
    }
}
