import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Body of predict: numbers")
struct PredictBodyNumberTests {
    @Test("Doubles are as written, and as long as the wire has them")
    func doubles() throws {
        #expect(
            try parseBody(#"{"input": [1.5, -2.25, 1e-3, 0.1]}"#).bytes
                == wire(.float64([1.5, -2.25, 0.001, 0.1]), rows: 4))
        #expect(try parseBody(#"{"input": [1.5]}"#).bytes == [[0, 0, 0, 0, 0, 0, 0xF8, 0x3F]])
    }

    @Test("Integers are taken where doubles or floats are asked for")
    func integersForDoubles() throws {
        let body = #"{"input": [1, -2, 0, 9007199254740993, 18446744073709551615]}"#
        #expect(
            try parseBody(body).bytes
                == wire(.float64([1, -2, 0, 9_007_199_254_740_992, 18_446_744_073_709_551_616]), rows: 5))
        #expect(try parseBody(#"{"input": [1, -2]}"#, as: .float32).bytes == wire(.float32([1, -2]), rows: 2))
    }

    @Test(
        "An integer of any length is a double, the nearest one",
        arguments: [
            "123456789012345678901234567890", "-123456789012345678901234567890", "18446744073709551616",
            "-9223372036854775809", "100000000000000000000000000000000000000000000000000",
        ])
    func longIntegers(number: String) throws {
        let expected = try #require(Double(number))
        #expect(try parseBody(#"{"input": [\#(number)]}"#).bytes == wire(.float64([expected]), rows: 1))
        #expect(
            try parseBody(#"{"input_batch": [[1, \#(number), 0.5], [\#(number)]]}"#).bytes
                == wire(.float64([1, expected, 0.5, expected]), rows: 3, 4))
    }

    @Test("Doubles are read exactly: the text of any double gives that double")
    func exactDoubles() throws {
        var generator = SplitMix64(seed: 3)
        let numbers = (0..<2000).map { _ in Double(bitPattern: generator.next()) }.filter(\.isFinite)
        let body = "{\"input\": [\(numbers.map(\.description).joined(separator: ","))]}"
        #expect(try parseBody(body).bytes == wire(.float64(numbers), rows: numbers.count))
    }

    @Test("The smallest and largest doubles are taken")
    func extremeDoubles() throws {
        let numbers = [
            Double.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude,
        ]
        let body = "{\"input\": [\(numbers.map(\.description).joined(separator: ","))]}"
        #expect(try parseBody(body).bytes == wire(.float64(numbers), rows: 4))
    }

    @Test("Floats are rounded to the nearest 32 bits")
    func floats() throws {
        #expect(
            try parseBody(#"{"input": [0.1, 1e-50, 3.4028234e38]}"#, as: .float32).bytes
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
            try parseBody(#"{"input": [0, -1, 2147483647, -2147483648]}"#, as: .int32).bytes
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

    @Test(
        "A number that no double can hold is refused",
        arguments: ["1e400", "-1e400", "1" + String(repeating: "0", count: 400)])
    func tooLarge(number: String) {
        #expect(problem(#"{"input": [\#(number)]}"#)?.hasPrefix("malformed JSON: ") == true)
    }

    @Test(
        "What JSON knows no numbers for is refused",
        arguments: ["NaN", "nan", "Infinity", "-Infinity", "0x10", "01", ".5", "5.", "+1", "1e", "--1"])
    func noNumbers(text: String) {
        #expect(problem(#"{"input": [\#(text)]}"#)?.hasPrefix("malformed JSON: ") == true)
    }

    @Test(
        "An integer that 64 bits do not hold is one, too large",
        arguments: ["9223372036854775808", "18446744073709551616", "-9223372036854775809"])
    func hugeInteger(number: String) {
        #expect(
            problem(#"{"input": [\#(number)]}"#, as: .int32)
                == "input[0]: expected an integer of 32 bits, found one beyond 64 bits")
    }
}
