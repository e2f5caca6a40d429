import ContainerRPC
import Foundation
import Testing

@testable import ModelContainer

@Suite("A container without a network: outputs")
struct OutputTests {
    /// The output of a model that returns this.
    private func text(of output: some Encodable & Sendable) async throws -> String? {
        try await ModelContainer { (_: [Double]) in output }.predict([[1.0]]).first
    }

    @Test("Outputs that are longer than an answer holds are a failure that says so, and no connection's end")
    func tooLong() throws {
        let outputs = Outputs(["four", "four"])
        #expect(try outputs.checked(most: 8) == outputs)
        let error = try #require(throws: ContainerError.self) { try outputs.checked(most: 7) }
        #expect(error == .outputsTooLong(byteCount: 8, most: 7))
        #expect(FailureCode(of: error) == .tooLarge)
    }

    @Test("So are errors that are longer than an answer holds: they have a frame of their own")
    func tooLongErrors() throws {
        var outputs = Outputs(["four"])
        outputs.appendFailure(InvalidInput("four"), count: 2)
        #expect(try outputs.checked(most: 32) == outputs)
        let error = try #require(throws: ContainerError.self) { try outputs.checked(most: 31) }
        #expect(error == .outputsTooLong(byteCount: 32, most: 31))
    }

    @Test("A string is sent as it is", arguments: ["", "cat", "say \"hi\"", "1.50", "grün\n"])
    func strings(text output: String) async throws {
        #expect(try await text(of: output) == output)
    }

    @Test("A double is the shortest text that is exactly it")
    func doubles() async throws {
        #expect(try await text(of: 0.1) == "0.1")
        #expect(try await text(of: 3.0) == "3.0")
        #expect(try await text(of: 1.0 / 3) == "0.3333333333333333")
        #expect(try await text(of: 1e300) == "1e+300")
        #expect(try await text(of: Double.leastNonzeroMagnitude) == "5e-324")
        #expect(try await text(of: -0.0) == "-0.0")
    }

    @Test("A float is the shortest text that is exactly it, not that of the double beside it")
    func floats() async throws {
        #expect(try await text(of: 0.1 as Float) == "0.1")
        #expect(try await text(of: 16_777_216 as Float) == "16777216.0")
    }

    @Test("Integers have all their digits")
    func integers() async throws {
        #expect(try await text(of: 7) == "7")
        #expect(try await text(of: Int64.min) == "-9223372036854775808")
        #expect(try await text(of: UInt64.max) == "18446744073709551615")
        #expect(try await text(of: UInt8(255)) == "255")
    }

    @Test("Anything else is JSON")
    func json() async throws {
        struct Answer: Encodable {
            var label: String
            var scores: [Double]
        }
        #expect(try await text(of: true) == "true")
        #expect(try await text(of: [1, 2]) == "[1,2]")
        #expect(try await text(of: ["a": "b/c"]) == #"{"a":"b/c"}"#)
        #expect(try await text(of: Int?.none) == "null")
        #expect(
            try await text(of: Answer(label: "cat", scores: [0.5, 0.25])) == #"{"label":"cat","scores":[0.5,0.25]}"#)
    }

    @Test("The keys of an object are in order: one value has one text, whichever replica answers")
    func sortedKeys() async throws {
        struct Answer: Encodable {
            var probability = 0.5
            var customer = "ada"
            var label = "stays"
        }
        let container = ModelContainer { (_: [Double]) in Answer() }
        let expected = #"{"customer":"ada","label":"stays","probability":0.5}"#
        for _ in 0..<2 { #expect(try await container.predict([[1.0], [2.0]]) == [expected, expected]) }
    }

    @Test("An array of numbers is a vector, whose infinities and NaNs are strings in JSON")
    func vectors() async throws {
        #expect(try await text(of: [0.5, 3, .infinity, .nan]) == #"[0.5,3.0,"inf","nan"]"#)
        #expect(try await text(of: [0.1] as [Float]) == "[0.1]")
        #expect(try await text(of: [Int32.min, 0]) == "[-2147483648,0]")
        #expect(try await text(of: [Int]()) == "[]")
    }

    @Test("Data is a string in base 64; an array of bytes is one of numbers")
    func data() async throws {
        #expect(try await text(of: Data([0, 255])) == #""AP8=""#)
        #expect(try await text(of: [0, 255] as [UInt8]) == "[0,255]")
    }

    @Test("A number that is none, or no end, is its name without quotes")
    func notFinite() async throws {
        #expect(try await text(of: Double.nan) == "nan")
        #expect(try await text(of: -Float.infinity) == "-inf")
    }

    @Test("A date is the seconds since 2001")
    func date() async throws {
        #expect(try await text(of: Date(timeIntervalSinceReferenceDate: 1.5)) == "1.5")
    }

    @Test("A value that JSON cannot say is an error of its input; the others have their outputs")
    func noJSON() throws {
        let values: [[String: Double]] = [["score": 0.5], ["score": .nan], ["score": 0.25]]
        let outputs = try OutputEncoding().outputs(values.map { .success($0) }, inputCount: 3)
        #expect(outputs.strings == [#"{"score":0.5}"#, "", #"{"score":0.25}"#])
        #expect(outputs.errors.map(\.index) == [1])
        #expect(outputs.errors.map(\.code) == [.modelError])
    }

    @Test("Without a network it is thrown, with the input")
    func noJSONWithoutNetwork() async throws {
        let error = try await #require(throws: PredictionFailure.self) { try await text(of: ["score": Double.nan]) }
        #expect(error.input == 0)
    }
}
