import ContainerRPC
import Testing

@testable import QueryFrontend

@Suite("Body of predict: strings and bytes")
struct PredictBodyTextTests {
    @Test("A string goes as its UTF-8, escapes undone, without a terminator")
    func strings() throws {
        #expect(try parseBody(#"{"input": "grün 🌱"}"#, as: .string).bytes == [Array("grün 🌱".utf8)])
        #expect(
            try parseBody(#"{"input": "a\"\\\n\u0041\u0000\ud83c\udf31"}"#, as: .string).bytes
                == [Array("a\"\\\nA\0🌱".utf8)])
        #expect(try parseBody(#"{"input": ""}"#, as: .string).bytes == [[]])
    }

    @Test("A string that is no UTF-8 is refused", arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF]])
    func invalidUTF8(bytes: [UInt8]) {
        let body = Array(#"{"input": ""#.utf8) + bytes + Array(#""}"#.utf8)
        let error = #expect(throws: PredictBodyParser.Problem.self) { try parseBody(body, as: .string) }
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
        #expect(try parseBody(#"{"input": "\#(bytes.base64)"}"#, as: .bytes).bytes == [bytes])
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
        #expect(try parseBody(#"{"input": "\#(text)"}"#, as: .bytes).bytes == [bytes])
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
