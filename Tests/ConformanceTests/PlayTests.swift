import ContainerRPC
import Testing

@testable import ContainerConformance

@Suite struct FloodTests {
    private let deadline = MonotonicTime(nanoseconds: 1_000)

    @Test func `messages that are read too late count, but not without an end`() throws {
        var flood = Flood()
        for _ in 1..<Flood.most { try flood.note(at: deadline, until: deadline, from: "the container") }
        let fault = #expect(throws: Fault.self) {
            try flood.note(at: deadline, until: deadline, from: "the container")
        }
        #expect(fault?.description.contains("expected the container to pause") == true)
    }

    @Test func `a pause, and a message in time, end the flood`() throws {
        var flood = Flood()
        for number in 0..<3 * Flood.most {
            try flood.note(at: deadline, until: deadline, from: "the container")
            guard number % 900 == 0 else { continue }
            if number % 1_800 == 0 {
                flood.notePause()
            } else {
                try flood.note(at: MonotonicTime(nanoseconds: 999), until: deadline, from: "the container")
            }
        }
    }
}

@Suite struct PredictionsTests {
    @Test func `an answer to several inputs has a prediction for each`() throws {
        let answer = try #require(JSONValue(#"{"batch_predictions": [{"output": 1}, {"output": 2}]}"#))
        let outputs = try FrontendPlay.predictions(in: answer, count: 2).compactMap { $0["output"] }
        #expect(outputs == [JSONValue.number(1), JSONValue.number(2)])
    }

    @Test(arguments: [
        ("{}", "an object with batch_predictions"), (#"{"batch_predictions": {}}"#, "an object with batch_predictions"),
        (#"{"batch_predictions": []}"#, "expected 2 predictions, but there are 0"),
        (#"{"batch_predictions": [1, 2, 3]}"#, "expected 2 predictions, but there are 3"),
    ])
    func `an answer without predictions, or with another number of them, is a fault`(_ text: String, _ telling: String)
        throws
    {
        let answer = try #require(JSONValue(text))
        let fault = #expect(throws: Fault.self) { try FrontendPlay.predictions(in: answer, count: 2) }
        #expect(fault?.description.contains(telling) == true)
    }
}

@Suite struct FieldTagTests {
    private let name = MalformedMessage.field(0x8004, Array("sum".utf8))

    @Test func `the bit that makes a field mandatory is there where the specification has it, and nowhere else`() {
        let head = MalformedMessage.head(8)
        #expect(FieldTags.fault(in: [head + name + MalformedMessage.field(0x000a, [])]) == nil)
        let without = FieldTags.fault(in: [head + MalformedMessage.field(0x0004, Array("sum".utf8))])
        #expect(without?.description.contains("the tag 8004 for the field model-name") == true)
        let needless = FieldTags.fault(in: [head + name + MalformedMessage.field(0x800a, [])])
        #expect(needless?.description.contains("the tag 000a for the field beats-while-busy") == true)
    }

    @Test func `a message that belongs to no batch has the id 0`() {
        let fault = FieldTags.fault(in: [MalformedMessage.head(8, id: 256) + name])
        #expect(fault?.description.contains("but the bytes of its id are 00 01 00 00") == true)
        let goodbye = MalformedMessage.field(0x800d, [1, 0, 0, 0])
        #expect(FieldTags.fault(in: [MalformedMessage.head(7) + goodbye]) == nil)
        #expect(FieldTags.fault(in: [MalformedMessage.head(7, id: 1) + goodbye]) != nil)
        #expect(FieldTags.fault(in: [MalformedMessage.head(10, id: 1) + goodbye]) == nil)
    }

    @Test func `fields that a message does not have, notices and messages of RPC 3 are let be`() {
        #expect(FieldTags.fault(in: [MalformedMessage.head(8) + name + MalformedMessage.field(0x000d, [1])]) == nil)
        #expect(FieldTags.fault(in: [MalformedMessage.head(264) + MalformedMessage.field(0x0004, [])]) == nil)
        #expect(FieldTags.fault(in: [[], [2, 0, 0, 0]]) == nil)
    }
}

@Suite struct ChosenIDsTests {
    @Test func `two processes with one id are told once, and one process may have it as long as it likes`() {
        let ids = ChosenIDs()
        let (first, second) = (ids.beginProcess(), ids.beginProcess())
        let id = RoutingID(Array("rpc4-x".utf8))
        #expect(ids.claim(id, by: first))
        #expect(ids.claim(id, by: first))
        #expect(!ids.claim(id, by: second))
        #expect(ids.claim(id, by: second))
    }
}

@Suite struct InputChoiceTests {
    @Test func `a text that begins like a JSON array and is none is refused, unless strings or bytes are taken`() {
        #expect(InputChoice.objection(to: "[-4711", for: nil)?.contains("'[-4711' begins like a JSON array") == true)
        #expect(InputChoice.objection(to: "[-4711", for: .float64)?.contains("no JSON array of numbers") == true)
        #expect(InputChoice.objection(to: "[1.5]", for: .int32)?.contains("no integers of 32 bits") == true)
        #expect(InputChoice.objection(to: "[-4711", for: .string) == nil)
        #expect(InputChoice.objection(to: "[-4711", for: .bytes) == nil)
    }

    @Test(arguments: ["[1, 2]", " [] ", "text", "-1", "", #"["a"]"#])
    func `any other text may be an input of a container whose type is not known`(_ text: String) {
        #expect(InputChoice.objection(to: text, for: nil) == nil)
    }
}
