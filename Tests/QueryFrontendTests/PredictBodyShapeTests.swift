import ContainerRPC
import NIOCore
import Testing

@testable import QueryFrontend

@Suite("Body of predict: its keys")
struct PredictBodyShapeTests {
    @Test("One input is no batch; a batch has its inputs in order")
    func batch() throws {
        #expect(try !parseBody(#"{"input": [1]}"#).isBatch)
        let body = try parseBody(#"{"input_batch": [[1, 2], [3], [4, 5, 6]]}"#)
        #expect(body.isBatch)
        #expect(body.bytes == wire(.float64([1, 2, 3, 4, 5, 6]), rows: 2, 3, 6))
        #expect(
            try parseBody(#"{"input_batch": ["QUI=", "", "Qw=="]}"#, as: .bytes).bytes == [[0x41, 0x42], [], [0x43]])
        #expect(try parseBody(#"{"input_batch": ["a", "", "bc"]}"#, as: .string).bytes == [[97], [], [98, 99]])
    }

    @Test("A batch of one is a batch")
    func batchOfOne() throws {
        let body = try parseBody(#"{"input_batch": [[1]]}"#)
        #expect(body.isBatch)
        #expect(body.inputs.count == 1)
    }

    @Test("A batch may be empty, and so may an input")
    func empty() throws {
        #expect(try parseBody(#"{"input_batch": []}"#).inputs.count == 0)
        #expect(try parseBody(#"{"input": []}"#).bytes == [[]])
        #expect(try parseBody(#"{"input_batch": [[], [1], []]}"#).bytes == [[], [0, 0, 0, 0, 0, 0, 0xF0, 0x3F], []])
    }

    @Test("A large batch is read whole")
    func largeBatch() throws {
        let rows = (0..<3000).map { "[\($0),\($0 + 1)]" }.joined(separator: ",")
        let body = try parseBody("{\"input_batch\": [\(rows)]}", as: .int32)
        #expect(body.bytes.count == 3000)
        #expect(body.bytes.last == wire(.int32([2999, 3000]), rows: 2).first)
    }

    @Test("The order of keys does not matter, and unknown ones are passed over")
    func keys() throws {
        let body = try parseBody(#"{"version": "3", "extra": {"input": [9]}, "input": [1]}"#)
        #expect(body.version == "3")
        #expect(body.bytes == wire(.float64([1]), rows: 1))
    }

    @Test("A version is a string; without one, none is asked for")
    func version() throws {
        #expect(try parseBody(#"{"input": [1], "version": "v é"}"#).version == "v é")
        #expect(try parseBody(#"{"input": [1]}"#).version == nil)
        #expect(problem(#"{"input": [1], "version": 1}"#) == "version: expected a string, found an integer")
        #expect(problem(#"{"input": [1], "version": null}"#) == "version: expected a string, found null")
    }

    @Test("A request may leave less time than the objective, in whole microseconds")
    func timeout() throws {
        #expect(try parseBody(#"{"input": [1], "timeout_micros": 1500}"#).timeout == .microseconds(1500))
        #expect(try parseBody(#"{"input": [1]}"#).timeout == nil)
        #expect(
            try parseBody(#"{"input": [1], "timeout_micros": 18446744073709551615}"#).timeout
                == .microseconds(Int64.max))
    }

    @Test(
        "A timeout that is no positive integer is refused",
        arguments: [
            ("0", "0"), ("-1", "-1"), ("1.5", "a number with a fraction or exponent"), ("\"1\"", "a string"),
            ("18446744073709551616", "a number beyond 64 bits"),
        ])
    func badTimeout(value: String, found: String) {
        #expect(
            problem(#"{"input": [1], "timeout_micros": \#(value)}"#)
                == "timeout_micros: expected a positive integer, found \(found)")
    }

    @Test("A body without inputs is refused")
    func missingInput() {
        #expect(problem("{}") == "the key 'input' or 'input_batch' is missing")
        #expect(problem(#"{"Input": [1]}"#) == "the key 'input' or 'input_batch' is missing")
    }

    @Test(
        "Inputs of another shape are refused, with what is there",
        arguments: [
            (#"{"input": 1}"#, "input: expected an array of numbers, found an integer"),
            (#"{"input": "1"}"#, "input: expected an array of numbers, found a string"),
            (#"{"input": null}"#, "input: expected an array of numbers, found null"),
            (#"{"input_batch": [1]}"#, "input_batch[0]: expected an array of numbers, found an integer"),
            (#"{"input_batch": {}}"#, "input_batch: expected an array of inputs, found an object"),
            (#"[1]"#, "expected a JSON object, found an array"),
            (#""text""#, "expected a JSON object, found a string"),
            (#"7"#, "expected a JSON object, found an integer"),
        ])
    func otherShapes(body: String, cause: String) {
        #expect(problem(body) == cause)
    }

    @Test("An empty body is named as such")
    func emptyBody() {
        #expect(problem("") == "the body is empty; expected a JSON object")
    }

    @Test(
        "What is no JSON is refused",
        arguments: [
            "{", #"{"input": [1}"#, #"{"input": [1]} x"#, #"{"input": [1,]}"#, #"{'input': [1]}"#, #"{"input" [1]}"#,
            "\u{FEFF}x", "   ", #"{"input": "a"#, #"{"input": tru}"#,
        ])
    func malformed(body: String) {
        #expect(problem(body)?.hasPrefix("malformed JSON: ") == true)
    }

    @Test(
        "It says what is wrong with the JSON, and where",
        arguments: [
            ("{", "it ends too early, after 1 bytes"), (#"{"input": [1,]}"#, "an unexpected ']' at byte 13"),
            (#"{"input": [1]} x"#, "an unexpected 'x' at byte 15"), (#"{'input': [1]}"#, "an unexpected ''' at byte 1"),
            (#"{"input": [NaN]}"#, "NaN, which is no number in JSON, at byte 11"),
            (#"{"input": [1, -Infinity]}"#, "Infinity, which is no number in JSON, at byte 15"),
            (#"{"input": True}"#, "True, where JSON has true, at byte 10"),
            (#"{"input": None}"#, "None, where JSON has null, at byte 10"),
            (#"{"input": [01]}"#, "an unexpected '1' at byte 12"),
            ("{\"input\": \"\u{1}\"}", "an unexpected byte of value 1 at byte 11"),
            (#"{"input":"\x"}"#, "an unexpected 'x' at byte 11"),
            (#"{"input":"\u12G4"}"#, "an unexpected 'G' at byte 14"),
            ("\u{FEFF}{}", "it begins with a byte order mark"),
            (#"{"input": [1e400]}"#, "a number is beyond what 64 bits can hold"),
            (
                "{\"input\": " + String(repeating: "[", count: 2_000),
                "a value within more than 1023 arrays and objects"
            ),
        ])
    func malformedWhere(body: String, cause: String) {
        #expect(problem(body) == "malformed JSON: " + cause)
    }

    @Test("A body nested 200,000 deep is refused", arguments: ["[", "{\"a\":"])
    func deep(opening: String) {
        let body = "{\"input\": " + String(repeating: opening, count: 200_000)
        #expect(problem(body)?.hasPrefix("malformed JSON: ") == true)
        let closing = opening == "[" ? "]" : "}"
        let closed = body + "1" + String(repeating: closing, count: 200_000) + "}"
        #expect(problem(closed)?.hasPrefix("malformed JSON: ") == true)
    }

    @Test("Every beginning of a good body is refused, and none is read beyond its end")
    func truncated() throws {
        let body = Array(#"{"version": "1", "input_batch": [[1.5, -2], [123456789012345678901234567890]]}"#.utf8)
        for count in 0..<body.count {
            #expect(throws: PredictBodyParser.Problem.self) { try parseBody(Array(body.prefix(count)), as: .float64) }
        }
        #expect(try parseBody(body, as: .float64).inputs.count == 2)
    }

    @Test("A parser reads one body after another, whatever the ones before were")
    func reuse() throws {
        let parser = PredictBodyParser()
        func read(_ text: String) throws -> [[UInt8]] {
            try parser.parse(ByteBuffer(string: text), inputType: .float64).bytes
        }
        let large = "{\"input\": [\(String(repeating: "0.5,", count: 1 << 19))1]}"
        for _ in 0..<2 {
            #expect(try read(#"{"input": [1]}"#) == wire(.float64([1]), rows: 1))
            #expect(throws: PredictBodyParser.Problem.self) { try read(#"{"input": ["#) }
            #expect(try read(large).first?.count == 8 * ((1 << 19) + 1))
            #expect(throws: PredictBodyParser.Problem.self) { try read(#"{"input": ["a"]}"#) }
        }
    }
}
