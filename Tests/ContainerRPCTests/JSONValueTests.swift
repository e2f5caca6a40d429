import ContainerRPC
import Testing

@Suite("Values of JSON")
struct JSONValueTests {
    @Test("A whole number is the same however it is written, and none is another's neighbour")
    func wholeNumbers() {
        #expect(JSONValue("3") == .number(3))
        #expect(JSONValue("3.0") == .number(3))
        #expect(JSONValue("30e-1") == .number(3))
        #expect(JSONValue("9007199254740993") == .integer(9_007_199_254_740_993))
        #expect(JSONValue("9007199254740993") != JSONValue("9007199254740992"))
        #expect(JSONValue("0.1") == .double(0.1))
    }

    @Test(
        "A text that was read is written the same, without white space and with its keys in order",
        arguments: [
            (#"{"b": [1, 2.5, -3], "a": null}"#, #"{"a":null,"b":[1,2.5,-3]}"#),
            (#"["a/b \" \\", true, {}]"#, #"["a/b \" \\",true,{}]"#), ("9007199254740993", "9007199254740993"),
            ("1e300", "1e+300"),
        ])
    func isWritten(text: String, expected: String) {
        #expect(JSONValue(text)?.json == expected)
    }

    @Test("What is no JSON is no value", arguments: ["", "[1,", "nan", "{1: 2}"])
    func noValue(text: String) {
        #expect(JSONValue(text) == nil)
    }

    @Test("Parts of a value are there where it has them")
    func parts() {
        let value = JSONValue(#"{"a": ["x", 1]}"#)
        #expect(value?["a"]?.elements == [.string("x"), .integer(1)])
        #expect(value?["a"]?.elements?.first?.text == "x")
        #expect(value?["b"] == nil)
        #expect(value?["a"]?["b"] == nil)
        #expect(value?.elements == nil)
        #expect(value?.text == nil)
    }
}
