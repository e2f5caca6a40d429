import Foundation
import Testing

@testable import ContainerRPC

@Suite("JSON that somebody else has written")
struct ForeignJSONTests {
    /// Any value.
    private struct Anything: Decodable {}

    private func isDecoded(_ text: String) -> Bool {
        (try? ForeignJSON.decode(Anything.self, from: Data(text.utf8))) != nil
    }

    @Test("A text with as many arrays and objects within one another as may be is decoded")
    func deepest() {
        let depth = ForeignJSON.greatestDepth - 1
        let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(isDecoded(#"{"a": \#(arrays)}"#))
    }

    @Test(
        "A deeper one is refused, wherever it ends", arguments: [257, 511, 512, 513, 514, 100_000],
        ["[", #"{"a":"#])
    func tooDeep(count: Int, bracket: String) {
        #expect(throws: ForeignJSON.Problem.tooDeep) {
            try ForeignJSON.decode(Anything.self, from: Data(String(repeating: bracket, count: count).utf8))
        }
    }

    @Test("Brackets in strings do not count, behind escaped quotation marks neither")
    func strings() {
        #expect(ForeignJSON.depth(of: #"["[[[\"[[[\\", {"{": "["}]"#.utf8) == 2)
        #expect(isDecoded(#"{"a": ""# + String(repeating: "[", count: 10_000) + #""}"#))
    }

    @Test("Another encoding is refused, in which brackets could be something else")
    func encodings() {
        let wide = Data("{}".utf8.flatMap { [$0, 0] })
        for text in [wide, Data([0xFF, 0xFE]) + wide, Data([0x22, 0xFF, 0x22])] {
            #expect(throws: ForeignJSON.Problem.notUTF8) { try ForeignJSON.decode(Anything.self, from: text) }
        }
    }
}
