import ContainerRPC
import NIOCore
import Testing

@testable import QueryFrontend

/// Reads a body, and gives back its inputs as they would go over the wire.
private func parse(_ body: [UInt8], as type: InputType, isFeedback: Bool = false) throws -> PredictBodyParser.Body {
    try PredictBodyParser().parse(ByteBuffer(bytes: body), inputType: type, isFeedback: isFeedback)
}

private func parse(
    _ body: String, as type: InputType = .float64, isFeedback: Bool = false
) throws -> PredictBodyParser.Body {
    try parse(Array(body.utf8), as: type, isFeedback: isFeedback)
}

/// What is said of a body that cannot be read; `nil` for one that can.
private func problem(_ body: String, as type: InputType = .float64, isFeedback: Bool = false) -> String? {
    do {
        _ = try parse(body, as: type, isFeedback: isFeedback)
        return nil
    } catch {
        return (error as? PredictBodyParser.Problem)?.cause
    }
}

extension PredictBodyParser.Body {
    /// The inputs' bytes.
    fileprivate var bytes: [[UInt8]] {
        switch inputs {
        case .one(let payload): [payload.bytes]
        case .many(let payloads): payloads.map(\.bytes)
        }
    }
}

/// The bytes of these values on the wire.
private func wire(_ elements: InputValues.Elements, rows: Int...) -> [[UInt8]] {
    InputValues(elements: elements, rowEnds: rows).payloads.map(\.bytes)
}

@Suite("Body of predict: numbers")
struct PredictBodyNumberTests {
    @Test("Doubles are as written, and as long as the wire has them")
    func doubles() throws {
        #expect(
            try parse(#"{"input": [1.5, -2.25, 1e-3, 0.1]}"#).bytes == wire(.float64([1.5, -2.25, 0.001, 0.1]), rows: 4))
        #expect(try parse(#"{"input": [1.5]}"#).bytes == [[0, 0, 0, 0, 0, 0, 0xF8, 0x3F]])
    }

    @Test("Integers are taken where doubles or floats are asked for")
    func integersForDoubles() throws {
        let body = #"{"input": [1, -2, 0, 9007199254740993, 18446744073709551615]}"#
        #expect(
            try parse(body).bytes == wire(.float64([1, -2, 0, 9_007_199_254_740_992, 18_446_744_073_709_551_616]), rows: 5))
        #expect(try parse(#"{"input": [1, -2]}"#, as: .float32).bytes == wire(.float32([1, -2]), rows: 2))
    }

    @Test(
        "An integer of any length is a double, the nearest one",
        arguments: [
            "123456789012345678901234567890", "-123456789012345678901234567890", "18446744073709551616",
            "-9223372036854775809", "100000000000000000000000000000000000000000000000000",
        ])
    func longIntegers(number: String) throws {
        let expected = try #require(Double(number))
        #expect(try parse(#"{"input": [\#(number)]}"#).bytes == wire(.float64([expected]), rows: 1))
        #expect(
            try parse(#"{"input_batch": [[1, \#(number), 0.5], [\#(number)]]}"#).bytes
                == wire(.float64([1, expected, 0.5, expected]), rows: 3, 4))
    }

    @Test("Doubles are read exactly: the text of any double gives that double")
    func exactDoubles() throws {
        var generator = SeededGenerator(seed: 3)
        let numbers = (0..<2000).map { _ in Double(bitPattern: generator.next()) }.filter(\.isFinite)
        let body = "{\"input\": [\(numbers.map(\.description).joined(separator: ","))]}"
        #expect(try parse(body).bytes == wire(.float64(numbers), rows: numbers.count))
    }

    @Test("The smallest and largest doubles are taken")
    func extremeDoubles() throws {
        let numbers = [
            Double.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude,
        ]
        let body = "{\"input\": [\(numbers.map(\.description).joined(separator: ","))]}"
        #expect(try parse(body).bytes == wire(.float64(numbers), rows: 4))
    }

    @Test("Floats are rounded to the nearest 32 bits")
    func floats() throws {
        #expect(
            try parse(#"{"input": [0.1, 1e-50, 3.4028234e38]}"#, as: .float32).bytes
                == wire(.float32([0.1, 0, .greatestFiniteMagnitude]), rows: 3))
    }

    @Test("A number beyond a 32-bit float is refused, with its place", arguments: ["1e39", "-1e39", "3.5e38"])
    func floatOverflow(number: String) {
        let cause = problem(#"{"input": [1, \#(number)]}"#, as: .float32)
        #expect(cause?.hasPrefix("input[1]: expected a number that a 32-bit float can hold, found ") == true)
    }

    @Test("Integers are taken to the limits of 32 bits")
    func integers() throws {
        #expect(
            try parse(#"{"input": [0, -1, 2147483647, -2147483648]}"#, as: .int32).bytes
                == wire(.int32([0, -1, .max, .min]), rows: 4))
    }

    @Test(
        "An integer of more than 32 bits is refused, with its place",
        arguments: ["2147483648", "-2147483649", "9223372036854775807"])
    func integerRange(number: String) {
        #expect(
            problem(#"{"input": [7, 8, \#(number)]}"#, as: .int32)
                == "input[2]: expected an integer of 32 bits, found \(number)")
    }

    @Test(
        "Where integers are asked for, nothing else is one",
        arguments: [
            ("1.5", "a number with a fraction or exponent"), ("1.0", "a number with a fraction or exponent"),
            ("1e2", "a number with a fraction or exponent"), ("\"1\"", "a string"), ("true", "a boolean"),
            ("null", "null"), ("[1]", "an array"),
        ])
    func notIntegers(value: String, name: String) {
        #expect(problem(#"{"input": [\#(value)]}"#, as: .int32) == "input[0]: expected an integer, found \(name)")
    }

    @Test(
        "Where doubles are asked for, nothing but numbers is taken, and the place is named",
        arguments: [
            ("\"1\"", "a string"), ("true", "a boolean"), ("null", "null"), ("[1]", "an array"), ("{}", "an object"),
        ])
    func notNumbers(value: String, name: String) {
        #expect(problem(#"{"input": [1, \#(value)]}"#) == "input[1]: expected a number, found \(name)")
        #expect(
            problem(#"{"input_batch": [[1], [1, \#(value)]]}"#)
                == "input_batch[1][1]: expected a number, found \(name)")
    }

    @Test("A number that no double can hold is refused", arguments: ["1e400", "-1e400", "1" + String(repeating: "0", count: 400)])
    func tooLarge(number: String) {
        #expect(problem(#"{"input": [\#(number)]}"#)?.hasPrefix("malformed JSON: ") == true)
    }

    @Test(
        "What JSON knows no numbers for is refused",
        arguments: ["NaN", "nan", "Infinity", "-Infinity", "0x10", "01", ".5", "5.", "+1", "1e", "--1"])
    func noNumbers(text: String) {
        #expect(problem(#"{"input": [\#(text)]}"#)?.hasPrefix("malformed JSON: ") == true)
    }
}

@Suite("Body of predict: strings and bytes")
struct PredictBodyTextTests {
    @Test("A string goes as its UTF-8, escapes undone, without a terminator")
    func strings() throws {
        #expect(try parse(#"{"input": "grün 🌱"}"#, as: .string).bytes == [Array("grün 🌱".utf8)])
        #expect(
            try parse(#"{"input": "a\"\\\n\u0041\u0000\ud83c\udf31"}"#, as: .string).bytes
                == [Array("a\"\\\nA\0🌱".utf8)])
        #expect(try parse(#"{"input": ""}"#, as: .string).bytes == [[]])
    }

    @Test("A string that is no UTF-8 is refused", arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF]])
    func invalidUTF8(bytes: [UInt8]) {
        let body = Array(#"{"input": ""#.utf8) + bytes + Array(#""}"#.utf8)
        let error = #expect(throws: PredictBodyParser.Problem.self) { try parse(body, as: .string) }
        #expect(error?.cause.contains("UTF") == true)
    }

    @Test("Where strings are asked for, nothing else is one")
    func notStrings() {
        #expect(problem(#"{"input": 1}"#, as: .string) == "input: expected a string, found an integer")
        #expect(
            problem(#"{"input_batch": ["a", null]}"#, as: .string) == "input_batch[1]: expected a string, found null")
        #expect(
            problem(#"{"input": ["a"]}"#, as: .bytes) == "input: expected a base64 string, found an array")
    }

    @Test("Bytes come as base64", arguments: 0..<20)
    func base64(length: Int) throws {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 73 + 250) }
        #expect(try parse(#"{"input": "\#(bytes.base64)"}"#, as: .bytes).bytes == [bytes])
    }

    @Test("All 64 characters have their value")
    func alphabet() throws {
        let bytes = (0..<64).reduce(into: [UInt8]()) { bytes, value in
            guard value % 4 == 3 else { return }
            // Four values of six bits are three bytes.
            let bits = (value - 3) << 18 | (value - 2) << 12 | (value - 1) << 6 | value
            bytes += [16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) }
        }
        let text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        #expect(try parse(#"{"input": "\#(text)"}"#, as: .bytes).bytes == [bytes])
    }

    @Test(
        "Base64 is taken as RFC 4648 has it: padded, of its own alphabet, with no bits left over",
        arguments: [
            "A", "AA", "AAA", "AA=A", "A===", "====", "AB==", "AAB=", "AAAA=", "AA==AA==", "AA A", "AAA-", "AAA_",
            "AAAA\\n", "AAAé",
        ])
    func strictBase64(text: String) {
        #expect(
            problem(#"{"input": "\#(text)"}"#, as: .bytes) == "input: not valid base64 (RFC 4648, padded)")
        #expect(
            problem(#"{"input_batch": ["AAAA", "\#(text)"]}"#, as: .bytes)
                == "input_batch[1]: not valid base64 (RFC 4648, padded)")
    }
}

extension [UInt8] {
    /// The bytes in base64, as plain as can be.
    fileprivate var base64: String {
        let alphabet = [Character]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: count, by: 3) {
            let group = self[start..<Swift.min(start + 3, count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0...3 { text.append(index > group.count ? "=" : alphabet[bits >> (18 - 6 * index) & 63]) }
        }
        return text
    }
}

@Suite("Body of predict: its keys")
struct PredictBodyShapeTests {
    @Test("One input is no batch; a batch has its inputs in order")
    func batch() throws {
        #expect(try !parse(#"{"input": [1]}"#).isBatch)
        let body = try parse(#"{"input_batch": [[1, 2], [3], [4, 5, 6]]}"#)
        #expect(body.isBatch)
        #expect(body.bytes == wire(.float64([1, 2, 3, 4, 5, 6]), rows: 2, 3, 6))
        #expect(
            try parse(#"{"input_batch": ["QUI=", "", "Qw=="]}"#, as: .bytes).bytes == [[0x41, 0x42], [], [0x43]])
        #expect(try parse(#"{"input_batch": ["a", "", "bc"]}"#, as: .string).bytes == [[97], [], [98, 99]])
    }

    @Test("A batch of one is a batch")
    func batchOfOne() throws {
        let body = try parse(#"{"input_batch": [[1]]}"#)
        #expect(body.isBatch)
        #expect(body.inputs.count == 1)
    }

    @Test("A batch may be empty, and so may an input")
    func empty() throws {
        #expect(try parse(#"{"input_batch": []}"#).inputs.count == 0)
        #expect(try parse(#"{"input": []}"#).bytes == [[]])
        #expect(try parse(#"{"input_batch": [[], [1], []]}"#).bytes == [[], [0, 0, 0, 0, 0, 0, 0xF0, 0x3F], []])
    }

    @Test("A large batch is read whole")
    func largeBatch() throws {
        let rows = (0..<3000).map { "[\($0),\($0 + 1)]" }.joined(separator: ",")
        let body = try parse("{\"input_batch\": [\(rows)]}", as: .int32)
        #expect(body.bytes.count == 3000)
        #expect(body.bytes.last == wire(.int32([2999, 3000]), rows: 2).first)
    }

    @Test("The order of keys does not matter, and unknown ones are passed over")
    func keys() throws {
        let body = try parse(#"{"version": "3", "extra": {"input": [9]}, "input": [1]}"#)
        #expect(body.version == "3")
        #expect(body.bytes == wire(.float64([1]), rows: 1))
    }

    @Test("A version is a string; without one, none is asked for")
    func version() throws {
        #expect(try parse(#"{"input": [1], "version": "v é"}"#).version == "v é")
        #expect(try parse(#"{"input": [1]}"#).version == nil)
        #expect(problem(#"{"input": [1], "version": 1}"#) == "version: expected a string, found an integer")
        #expect(problem(#"{"input": [1], "version": null}"#) == "version: expected a string, found null")
    }

    @Test("A request may leave less time than the objective, in whole microseconds")
    func timeout() throws {
        #expect(try parse(#"{"input": [1], "timeout_micros": 1500}"#).timeout == .microseconds(1500))
        #expect(try parse(#"{"input": [1]}"#).timeout == nil)
        #expect(try parse(#"{"input": [1], "timeout_micros": 18446744073709551615}"#).timeout == .microseconds(Int64.max))
    }

    @Test(
        "A timeout that is no positive integer is refused",
        arguments: [
            ("0", "0"), ("-1", "an integer"), ("1.5", "a number with a fraction or exponent"), ("\"1\"", "a string"),
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
            #expect(throws: PredictBodyParser.Problem.self) { try parse(Array(body.prefix(count)), as: .float64) }
        }
        #expect(try parse(body, as: .float64).inputs.count == 2)
    }

    @Test("A parser reads one body after another, whatever the ones before were")
    func reuse() throws {
        let parser = PredictBodyParser()
        func read(_ text: String) throws -> [[UInt8]] {
            try parser.parse(ByteBuffer(string: text), inputType: .float64, isFeedback: false).bytes
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

@Suite("Body of update")
struct UpdateBodyTests {
    @Test("It takes a label that is an integer or a fraction", arguments: ["1", "-1", "0.5", "1e3"])
    func label(label: String) {
        #expect(problem(#"{"uid": 7, "input": [1], "label": \#(label)}"#, isFeedback: true) == nil)
    }

    @Test(
        "It needs a user and a label",
        arguments: [
            (#"{"input": [1], "label": 1}"#, "the key 'uid' is missing"),
            (#"{"uid": "a", "input": [1], "label": 1}"#, "uid: expected an integer, found a string"),
            (
                #"{"uid": 1.5, "input": [1], "label": 1}"#,
                "uid: expected an integer, found a number with a fraction or exponent"
            ),
            (#"{"uid": 1, "input": [1]}"#, "the key 'label' is missing"),
            (#"{"uid": 1, "input": [1], "label": "x"}"#, "label: expected a number, found a string"),
            (#"{"uid": 1, "label": 1}"#, "the key 'input' or 'input_batch' is missing"),
            (#"{"uid": 1, "label": 1, "input": ["a"]}"#, "input[0]: expected a number, found a string"),
        ])
    func needsUserAndLabel(body: String, cause: String) {
        #expect(problem(body, isFeedback: true) == cause)
    }

    @Test("A predict needs neither")
    func predictNeedsNeither() {
        #expect(problem(#"{"uid": "a", "label": "b", "input": [1]}"#) == nil)
    }
}
