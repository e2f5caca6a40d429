import ContainerRPC
import Testing

@testable import ContainerConformance

@Suite struct OutputComparisonTests {
    @Test(arguments: [
        ("0.1", "0.10000000001", true), ("0.1", "0.1001", false), ("[0.5, 1.5]", "[0.5, 1.500000001]", true),
        ("[0.5, 1.5]", "[0.5]", false), ("cat", "cat", true), ("cat", "dog", false), ("1", "2", false),
        ("100000001", "100000002", false), ("1", "1.00000001", true),
        (#"{"cat": 0.25}"#, #"{"cat": 0.250000001}"#, true), (#"{"cat": 0.25}"#, #"{"dog": 0.25}"#, false),
    ])
    func `texts are the same but for the last digits of floats`(_ one: String, _ other: String, isSame: Bool) {
        let (one, other) = (Array(one.utf8)[...], Array(other.utf8)[...])
        #expect(OutputComparison.isSame(one, other, .string) == isSame)
        #expect(OutputComparison.isSame(one, other, .bytes) == (one == other))
    }

    @Test(arguments: [(1.5, 1.5, true), (1.5, 1.500001, true), (1.5, 1.51, false), (0, 1e-12, true), (0, 1e-3, false)])
    func `floats may differ a little, integers not at all`(_ one: Double, _ other: Double, isSame: Bool) {
        func bytes(_ value: some FixedWidthInteger) -> ArraySlice<UInt8> {
            withUnsafeBytes(of: value.littleEndian) { Array($0)[...] }
        }
        #expect(OutputComparison.isSame(bytes(one.bitPattern), bytes(other.bitPattern), .float64) == isSame)
        let (first, second) = (Float(one).bitPattern, Float(other).bitPattern)
        #expect(OutputComparison.isSame(bytes(first), bytes(second), .float32) == isSame)
        #expect(OutputComparison.isSame(bytes(one.bitPattern), bytes(other.bitPattern), .int64) == (one == other))
    }

    @Test func `whole numbers of 64 bits are not rounded`() throws {
        let exact = try #require(JSONValue("[9007199254740993]"))
        #expect(exact != JSONValue("[9007199254740992]"))
        #expect(exact != JSONValue("[9007199254740992.0]"))
    }
}
