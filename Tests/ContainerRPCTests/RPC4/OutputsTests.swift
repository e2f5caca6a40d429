import ContainerRPC
import Testing

@Suite("Outputs as text")
struct OutputsTests {
    private func outputs(_ type: OutputType, isVectors: Bool = false, _ items: [[UInt8]]) -> Outputs {
        var outputs = Outputs(type: type, isVectors: isVectors)
        for item in items { outputs.append(bytes: item.span) }
        return outputs
    }

    @Test("Numbers are their shortest exact text, text is itself, bytes are base 64 in quotes")
    func scalars() {
        #expect(outputs(.float64, [littleEndianBytes(0.1.bitPattern)]).strings == ["0.1"])
        #expect(outputs(.float32, [littleEndianBytes(Float(0.1).bitPattern)]).strings == ["0.1"])
        #expect(outputs(.int32, [littleEndianBytes(Int32(-5))]).strings == ["-5"])
        #expect(outputs(.int64, [littleEndianBytes(Int64.min)]).strings == ["-9223372036854775808"])
        #expect(outputs(.bytes, [[], [0, 255]]).strings == ["\"\"", "\"AP8=\""])
        #expect(outputs(.string, [Array("grün".utf8)]).strings == ["grün"])
        #expect(outputs(.float64, [littleEndianBytes((-Double.infinity).bitPattern)]).strings == ["-inf"])
    }

    @Test("A vector is a JSON array, in which what is no number is a string")
    func vectors() {
        let row = [1, -0.5, Double.nan, .infinity].flatMap { littleEndianBytes($0.bitPattern) }
        #expect(outputs(.float64, isVectors: true, [row, []]).strings == [#"[1.0,-0.5,"nan","inf"]"#, "[]"])
        #expect(outputs(.int32, isVectors: true, [[1, 0, 0, 0, 2, 0, 0, 0]]).strings == ["[1,2]"])
    }

    @Test("An input that failed has no output, and keeps its error")
    func errors() {
        var failed = outputs(.float64, [littleEndianBytes(2.0.bitPattern), []])
        failed.errors = [ItemError(index: 1, code: .modelError, text: "why")]
        #expect(failed.strings == ["2.0", ""])
        #expect(failed.rendered.errors == failed.errors)
    }

    @Test("Outputs of two batches in one keep their errors' places")
    func appends() {
        var first: Outputs = ["a", ""]
        first.errors = [ItemError(index: 1, code: .modelError, text: "one")]
        var second: Outputs = ["", "b"]
        second.errors = [ItemError(index: 0, code: .invalidInput, text: "two")]
        first.append(contentsOf: second)
        #expect(first.strings == ["a", "", "", "b"])
        #expect(first.errors.map(\.index) == [1, 2])
    }
}
