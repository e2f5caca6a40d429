import ContainerRPC
import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import QueryFrontend

@Suite("JSON strings")
struct JSONStringTests {
    private func written(_ text: String) -> String {
        var buffer = ByteBuffer()
        buffer.writeJSONString(text.utf8)
        return String(buffer: buffer)
    }

    @Test(
        "What must be escaped is, the rest stays as it is",
        arguments: [
            ("", #""""#), ("plain text / ~", #""plain text / ~""#), ("say \"hi\"", #""say \"hi\"""#),
            (#"C:\x"#, #""C:\\x""#), ("a\nb\rc\td", #""a\nb\rc\td""#), ("\0\u{1F}\u{08}", #""\u0000\u001f\u0008""#),
            ("grün 🌱 \u{7F}", "\"grün 🌱 \u{7F}\""),
        ])
    func escapes(text: String, json: String) {
        #expect(written(text) == json)
    }

    @Test("Escapes at both ends and beside each other are written, whatever the text's storage")
    func escapesAnywhere() {
        let text = "\"\"a\"\n\u{1}b\\"
        let json = #""\"\"a\"\n\u0001b\\""#
        #expect(written(text) == json)
        var buffer = ByteBuffer()
        buffer.writeJSONString(text.utf8.lazy.map { $0 })
        #expect(String(buffer: buffer) == json)
    }

    @Test("A long text is the same as its pieces", arguments: ["z", "\"", "\u{1}", "ab\"\n", "grün\\"])
    func long(unit: String) throws {
        let text = String(repeating: unit, count: 10_000)
        #expect(try JSONDecoder().decode([String].self, from: Data("[\(written(text))]".utf8)) == [text])
    }

    @Test("Another reader of JSON gets the same text back")
    func readsBack() throws {
        let text = String(String.UnicodeScalarView((0..<0x300).compactMap(Unicode.Scalar.init))) + "🌱"
        #expect(try JSONDecoder().decode([String].self, from: Data("[\(written(text))]".utf8)) == [text])
    }
}

@Suite("Responses of the query API")
struct ResponseTests {
    private func pieces(bodyOf count: Int, withBody: Bool = true) -> (head: String, rest: String?) {
        let reply = QueryReply.text(.ok, String(repeating: "x", count: count))
        let (head, rest) = reply.response(date: "D", connection: nil, withBody: withBody)
        return (String(buffer: head), rest.map { String(buffer: $0) })
    }

    @Test(
        "A short body comes in one piece with its head, a long one behind it, and none for HEAD",
        arguments: [5, 1 << 20])
    func oneOrTwoPieces(count: Int) {
        let (head, rest) = pieces(bodyOf: count)
        let body = String(repeating: "x", count: count)
        #expect((head + (rest ?? "")).hasSuffix("Content-Length: \(count)\r\n\r\n" + body))
        #expect((rest != nil) == (count > 5))
        let (alone, nothing) = pieces(bodyOf: count, withBody: false)
        #expect(alone.hasSuffix("Content-Length: \(count)\r\n\r\n") && nothing == nil)
    }
}

@Suite("Answers of the query API")
struct PredictionWritingTests {
    private let parser = PredictBodyParser()

    private func written(_ outcome: Outcome, defaultOutput: String = "-1.0") -> String {
        let application = Application(
            name: "a", inputType: .float64, defaultOutput: defaultOutput, latencySLO: .seconds(1))
        var buffer = ByteBuffer()
        buffer.writePrediction(
            id: 7, outcome, route: Route(application, versions: [], catalog: Catalog(), handles: Handles()),
            parser: parser)
        return String(buffer: buffer)
    }

    /// The output as it stands in an answer.
    private func output(_ text: String) -> String {
        let written = written(.output(ArraySlice(text.utf8)))
        let (start, end) = (#"{"query_id":7,"output":"#, #","default":false}"#)
        #expect(written.hasPrefix(start) && written.hasSuffix(end))
        return String(written.dropFirst(start.count).dropLast(end.count))
    }

    @Test("The answer to one input has Clipper's keys, in their order")
    func answer() {
        #expect(
            written(.output(ArraySlice("42.5".utf8))) == #"{"query_id":7,"output":42.5,"default":false}"#)
    }

    @Test("A default output says that it is one, and why", arguments: DefaultReason.allCases)
    func defaultOutput(reason: DefaultReason) {
        #expect(
            written(.defaultOutput(reason))
                == #"{"query_id":7,"output":-1.0,"default":true,"default_explanation":"\#(reason.explanation)"}"#)
    }

    @Test("A default output that is no JSON is a string")
    func defaultString() {
        let answer = written(.defaultOutput(.deadline), defaultOutput: "no idea")
        #expect(answer.hasPrefix(#"{"query_id":7,"output":"no idea","default":true,"#))
    }

    @Test(
        "An output that is JSON stands in the answer as it is, every digit kept",
        arguments: [
            "0", "-0", "7", "-1.0", "0.10", "1.000000000000000055511151231257827", "123456789012345678",
            "1234567890123456789", "18446744073709551615", "1e10", "-1.5E-7", "1e-400", "true", "false", "null",
            #""text""#, "[]", "{}", #"{"class": 3, "p": [0.1, 0.9]}"#, " 7 ", "\n[1,\n2]\n", #""\u00e9""#,
            "123456789012345678901234567890", "-123456789012345678901234567890", "[12345678901234567890123]",
            "0.12345678901234567890123456789",
        ])
    func json(text: String) {
        #expect(output(text) == text)
    }

    @Test(
        "An output that is no JSON is a string",
        arguments: [
            "", " ", "cat", "two words", "say \"hi\"", "nan", "NaN", "inf", "-inf", "Infinity", "+1", "01", "-01", "1.",
            ".5", "-", "1.5.2", "1,2", "[1", "{1}", "{\"a\":1,}", "True", "None", "'x'", "0x10", "1 2", "١",
            "\u{FEFF}1", "1\0",
        ])
    func noJSON(text: String) throws {
        let written = output(text)
        #expect(try JSONDecoder().decode([String].self, from: Data("[\(written)]".utf8)) == [text])
    }

    @Test(
        "A number that no double can hold is a string: readers of JSON refuse it",
        arguments: ["1e400", "-1e999999", "[1e400]"])
    func hugeExponents(text: String) {
        #expect(output(text) == "\"\(text)\"")
    }

    @Test("An output nested too deep for readers of JSON is a string")
    func deepOutput() {
        let text = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(output(text) == "\"\(text)\"")
    }

    @Test("Any answer is JSON")
    func alwaysJSON() throws {
        var generator = SplitMix64(seed: 11)
        let alphabet = Array("0123456789.eE+-\"\\[]{},: truefalsn\n\u{1}é")
        for _ in 0..<3000 {
            let length = Int.random(in: 0...6, using: &generator)
            let text = String((0..<length).compactMap { _ in alphabet.randomElement(using: &generator) })
            let answer = Data(written(.output(ArraySlice(text.utf8))).utf8)
            #expect(throws: Never.self, "\(text)") { try JSONSerialization.jsonObject(with: answer) }
        }
    }

    @Test("An error has its kind and its cause")
    func errors() {
        let reply = QueryReply.error(.badRequest, "Json error", cause: "a \"b\"\n")
        #expect(reply.status == .badRequest)
        #expect(reply.contentType == "application/json")
        #expect(String(buffer: reply.body) == #"{"error":"Json error","cause":"a \"b\"\n"}"#)
    }
}
