import Testing

@testable import clipper

@Suite("JSON as text")
struct RawJSONTests {
    @Test(
        "A JSON value is taken as it is written",
        arguments: [
            "[1, 2.50, -3e-7]", "{}", "[]", "null", "true", "-0", "1E+5", "12345678901234567890.10", "\"a\\u00e9\\n\"",
            "{\"b\": [1, {\"a\": \"]\"}], \"a\": false}", "\"数\"",
        ])
    func takes(text: String) {
        #expect(RawJSON(text)?.text == text)
        #expect(RawJSON(" \n\t\(text)\r\n")?.text == text)
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", " ", "[1, 2", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "1e",
            "-", "NaN", "Infinity", "nul", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"a\nb\"", "[1] x", "'a'",
            String(repeating: "[", count: 100_000),
        ])
    func refuses(text: String) {
        #expect(RawJSON(text) == nil)
    }

    @Test("Members and elements keep their text")
    func finds() throws {
        let json = try #require(RawJSON("{ \"a\": [ 1.0, \"x, ]\", {\"b\" : null} ], \"a\\u0062\": 6.0 }"))
        #expect(json["a"]?.elements?.map(\.text) == ["1.0", "\"x, ]\"", "{\"b\" : null}"])
        #expect(json["ab"]?.text == "6.0")
        #expect(json["b"] == nil)
        // Where a name is there twice, the last one counts, as with most readers.
        #expect(RawJSON("{\"a\": 1, \"a\": 2}")?["a"]?.text == "2")
        #expect(json["a"]?["a"] == nil)
        #expect(json.elements == nil)
    }

    @Test(
        "A string is written so that it is read as the same",
        arguments: ["", "a\"b\\c/d", "\u{0}\n\r\t\u{1F}\u{7F}", "é数👍"])
    func roundTripsStrings(value: String) {
        let json = RawJSON.string(value)
        #expect(RawJSON(json.text)?.stringValue == value)
    }

    @Test("Only a string has a string's value, and only one that is Unicode")
    func readsStringsOnly() {
        #expect(RawJSON("12")?.stringValue == nil)
        #expect(RawJSON("[\"a\"]")?.stringValue == nil)
        #expect(RawJSON("\"\\ud83d\\udc4d\"")?.stringValue == "👍")
    }

    @Test("The compact form has no white space outside of strings")
    func compacts() {
        #expect(RawJSON("{ \"a b\" :\n[ 1 , \"\\\" \\\\\" ] }")?.compact.text == "{\"a b\":[1,\"\\\" \\\\\"]}")
    }

    @Test("A key is put behind those of an object")
    func adds() {
        #expect(RawJSON("{ \"a\": 1 }")?.with("b", "x").text == "{\"a\":1,\"b\":\"x\"}")
        #expect(RawJSON("{}")?.with("b", "x").text == "{\"b\":\"x\"}")
    }

    @Test(
        "A name is an integer only where it is written as one",
        arguments: [("7", "7"), ("-3", "-3"), ("007", "\"007\""), ("+7", "\"+7\""), ("", "\"\""), ("1e3", "\"1e3\"")])
    func writesNames(text: String, json: String) {
        #expect(RawJSON.name(text).text == json)
    }

    @Test("What was done is for programs an object")
    func tellsDone() {
        #expect(RawJSON.done("done").text == #"{"ok":true,"message":"done"}"#)
    }

    @Test("Objects keep the order of their keys")
    func buildsObjects() {
        let json = RawJSON.object([("b", .integer(1)), ("a", .array([.boolean(true), .string("x")]))])
        #expect(json.text == "{\"b\":1,\"a\":[true,\"x\"]}")
    }
}
