import ContainerRPC
import Foundation
import QueryFrontend
import Testing

@testable import clipper

@Suite("Requests of the load")
struct RequestTemplateTests {
    private func body(
        _ text: String, varied: Bool = true, number: UInt64 = 0, deadline: Duration? = nil
    ) throws -> String {
        let body = try BenchBody(input: PredictInput(text: text).json, isVaried: varied, deadline: deadline)
        return put(number, in: body)
    }

    /// The body of the request with this number.
    private func put(_ number: UInt64, in body: BenchBody) -> String {
        var template = RequestTemplate(path: "/", host: "h", body: body)
        template.put(number)
        let text = String(decoding: template.bytes, as: UTF8.self)
        return text.components(separatedBy: "\r\n\r\n").dropFirst().joined()
    }

    @Test("A request is what HTTP/1.1 asks for, its length that of the body")
    func writesHead() throws {
        let body = try BenchBody(input: PredictInput(text: "[1, 2]").json, isVaried: false)
        let template = RequestTemplate(path: "/a%20b/predict", host: "localhost:1337", body: body)
        #expect(
            String(decoding: template.bytes, as: UTF8.self) == """
                POST /a%20b/predict HTTP/1.1\r
                Host: localhost:1337\r
                Content-Type: application/json\r
                Content-Length: 16\r
                \r
                {"input":[1, 2]}
                """)
    }

    @Test("An input that is not varied goes as it is, with every number")
    func keeps() throws {
        #expect(try body("[1, 2.50]", varied: false, number: 77) == #"{"input":[1, 2.50]}"#)
        #expect(try body("text", varied: false, number: 77) == #"{"input":"text"}"#)
    }

    @Test("A deadline stands before the input")
    func sendsDeadline() throws {
        let text = try body("[1]", varied: false, deadline: .microseconds(2500))
        #expect(text == #"{"timeout_micros":2500,"input":[1]}"#)
    }

    @Test("The last two numbers of an array are replaced, and count on into one another")
    func variesArrays() throws {
        #expect(try body("[0.5, 1e3, 3, -4]", number: 0) == #"{"input":[0.5,1e3,1000000,1000000]}"#)
        #expect(try body("[0.5, 1e3, 3, -4]", number: 8_999_999) == #"{"input":[0.5,1e3,1000000,9999999]}"#)
        #expect(try body("[0.5, 1e3, 3, -4]", number: 9_000_000) == #"{"input":[0.5,1e3,1000001,1000000]}"#)
        #expect(try body("[7]", number: 6_777_215) == #"{"input":[16777215]}"#)
    }

    @Test(
        "What is put in is exact in single precision, and valid JSON",
        arguments: [0, 1, 8_999_999, 1_700_000_000_000_000, .max])
    func staysExact(number: UInt64) throws {
        for text in ["[1]", "[1,2]"] {
            let json = try #require(RawJSON(try body(text, number: number))?["input"]?.elements)
            #expect(json.allSatisfy { element in Double(element.text).map { Double(Float($0)) == $0 } == true })
        }
    }

    @Test("Of a text the first twelve characters are replaced, or a number goes before it")
    func variesTexts() throws {
        #expect(try body("What a day it was", number: 42) == #"{"input":"000000000042t was"}"#)
        #expect(try body("short", number: 42) == #"{"input":"000000000042short"}"#)
        #expect(
            try body("line\nbreaks are escaped", number: 42) == #"{"input":"000000000042line\nbreaks are escaped"}"#)
        #expect(try body("äöüäöüäöüäöü", number: 1) == #"{"input":"000000000001äöüäöüäöüäöü"}"#)
    }

    @Test(
        "Before a number is put in place a body is that of number zero",
        arguments: ["[1]", "[1,2,3]", "short", "What a day"])
    func beginsWithZero(text: String) throws {
        let body = try BenchBody(input: PredictInput(text: text).json, isVaried: true)
        #expect(put(0, in: body) == String(decoding: body.bytes, as: UTF8.self))
    }

    @Test("Base64 stays base64 of a whole number of bytes", arguments: [0, 1, 8, 9, 10, 100])
    func variesBytes(count: Int) throws {
        let body = try BenchBody(input: PredictInput(bytes: Data(repeating: 200, count: count)).json, isVaried: true)
        let text = try #require(RawJSON(put(123, in: body))?["input"]?.stringValue)
        #expect(Data(base64Encoded: text) != nil)
    }

    @Test(
        "An array that does not end with numbers cannot be varied",
        arguments: ["[]", "[1,\"a\"]", "[[1,2]]", "[true,1]"])
    func refuses(text: String) {
        #expect(throws: CommandFailure.self) { try body(text) }
    }

    @Test("Random numbers lie between 0 and 1, follow from the seed, and the last one from the request")
    func isRandom() throws {
        func body(seed: UInt64) -> BenchBody {
            var generator = SplitMix64(seed: seed)
            return BenchBody(randomDoubles: 5, by: &generator)
        }
        let text = put(1_234_567_890_123_456, in: body(seed: 3))
        let numbers = try #require(RawJSON(text)?["input"]?.elements?.map { Double($0.text) ?? -1 })
        #expect(numbers.count == 5)
        #expect(numbers.allSatisfy { (0..<1).contains($0) })
        #expect(numbers.last == 0.234567890123456)
        #expect(body(seed: 3) == body(seed: 3))
        #expect(body(seed: 3) != body(seed: 4))
    }

    @Test("A thousand requests in a row are all different")
    func differs() throws {
        var template = RequestTemplate(
            path: "/", host: "h", body: try BenchBody(input: PredictInput(text: "[1,2]").json, isVaried: true))
        let length = template.bytes.count
        let all = Set(
            (UInt64(8_999_500)..<9_000_500).map { number in
                template.put(number)
                return template.bytes
            })
        #expect(all.count == 1000)
        #expect(all.allSatisfy { $0.count == length })
    }
}
