import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("What models answer, read as numbers and as text")
struct ModelOutputTests {
    @Test(
        "Answers that say the same agree",
        arguments: [
            ("1", "1.0"), ("1e2", " 100 "), ("-0", "0"), ("007", "7"), ("\"cat\"", "cat"), (#""\u0063at""#, "\"cat\""),
            ("9007199254740993", "9007199254740993 "), (#""9""#, "9"),
        ])
    func agree(one: String, other: String) {
        #expect(ModelOutput(one).agrees(with: ModelOutput(other)))
        #expect(ModelOutput(other).agrees(with: ModelOutput(one)))
    }

    @Test(
        "Answers that say something else do not, however near they are",
        arguments: [
            ("1", "2"), ("cat", "Cat"), ("0x10", "16"), ("1", "-1"), ("\"1\"", "2"),
            // One double is nearest to both.
            ("9007199254740993", "9007199254740992"), ("-9007199254740993", "-9007199254740992"),
        ])
    func disagree(one: String, other: String) {
        #expect(!ModelOutput(one).agrees(with: ModelOutput(other)))
        #expect(!ModelOutput(other).agrees(with: ModelOutput(one)))
    }

    @Test("A label in text is compared with all digits of an integer")
    func label() {
        #expect(ModelOutput("9007199254740993").agrees(with: .text("9007199254740993")))
        #expect(!ModelOutput("9007199254740993").agrees(with: .text("9007199254740992")))
    }

    @Test(
        "Numbers are one number, or an array of them",
        arguments: [
            ("3", [3]), ("[1, 2.5,-3e2]", [1, 2.5, -300]), (" [ 7 ] ", [7]), ("[]", []),
            ("[12345678901234567890123]", [1.2345678901234568e22]), ("[1,\"2\"]", nil), ("[1,[2]]", nil),
            ("[1", nil),
            ("{\"a\": 1}", nil), ("[1] [2]", nil), ("", nil), ("[1e999]", nil),
        ] as [(String, [Double]?)])
    func numbers(text: String, numbers: [Double]?) {
        #expect(ModelOutput(text).numbers == numbers)
    }

    @Test("An array of more than a MiB is text: whoever reads it keeps all others waiting")
    func long() {
        let text = "[" + Array(repeating: "1", count: AnswerJSON.mostBytes / 2).joined(separator: ",") + "]"
        #expect(ModelOutput(text).numbers == nil)
        #expect(ModelOutput(text).agrees(with: ModelOutput(text)))
        #expect(ModelOutput(String(text.dropLast(3)) + "]").numbers?.count == AnswerJSON.mostBytes / 2 - 1)
    }

    @Test("The probability of a label stands under its name, or at its index")
    func probability() {
        let named = ModelOutput(#"{"cat": 0.75, "dog": 0.25}"#)
        #expect(named.probability(of: .text("cat")) == .given(0.75))
        #expect(named.probability(of: .text("cow")) == .mismatch)
        #expect(ModelOutput(#"{"1": 0.5}"#).probability(of: .number(1)) == .given(0.5))
        #expect(ModelOutput(#"{"cat": 0.75, "about": "x"}"#).probability(of: .text("cat")) == .mismatch)
        #expect(ModelOutput("[0.25, 0.75]").probability(of: .number(1)) == .given(0.75))
        #expect(ModelOutput("[0.25, 0.75]").probability(of: .number(2)) == .mismatch)
        #expect(ModelOutput("[0.25, 7]").probability(of: .number(1)) == .unfitOutput)
    }

    @Test("One number is the probability of label 1, and what is left that of label 0")
    func probabilityOfOne() {
        #expect(ModelOutput("0.25").probability(of: .number(1)) == .given(0.25))
        #expect(ModelOutput("0.25").probability(of: .number(0)) == .given(0.75))
        #expect(ModelOutput("0.25").probability(of: .text("1")) == .given(0.25))
        #expect(ModelOutput("0.25").probability(of: .number(2)) == .mismatch)
        #expect(ModelOutput("1.25").probability(of: .number(1)) == .unfitOutput)
    }
}
