internal import Foundation

extension Outputs {
    /// The same outputs as text, as RPC 3 has them and applications get them: a number as its shortest exact text, a
    /// vector as a JSON array, bytes as a JSON string in base 64; text as it is.
    public var rendered: Outputs {
        switch type {
        case .string: self
        case .bytes: rendered { "\"\(Data($0).base64EncodedString())\"" }
        case .int32: rendered(Int32.self) { $0.description }
        case .int64: rendered(Int64.self) { $0.description }
        case .float32: rendered(UInt32.self) { [isVectors] in Float(bitPattern: $0).text(inJSON: isVectors) }
        case .float64: rendered(UInt64.self) { [isVectors] in Double(bitPattern: $0).text(inJSON: isVectors) }
        }
    }

    private func rendered(_ text: (ArraySlice<UInt8>) -> String) -> Outputs {
        var rendered = Outputs()
        rendered.errors = errors
        for output in self { rendered.append(text(output)) }
        return rendered
    }

    private func rendered<Bits: FixedWidthInteger & BitwiseCopyable>(
        _: Bits.Type, _ text: (Bits) -> String
    ) -> Outputs {
        var rendered = Outputs()
        rendered.errors = errors
        rendered.reserveCapacity(outputs: count, bytes: bytes.count * 2)
        let width = MemoryLayout<Bits>.size
        bytes.withUnsafeBytes { memory in
            var start = 0
            for end in ends {
                if isVectors { rendered.appendASCII("[") }
                for offset in stride(from: start, to: end, by: width) {
                    if offset > start { rendered.appendASCII(",") }
                    // Outputs are whole elements, which appending and decoding have seen to.
                    let bits = memory.loadUnaligned(fromByteOffset: offset, as: Bits.self)
                    rendered.appendASCII(text(Bits(littleEndian: bits)))
                }
                if isVectors { rendered.appendASCII("]") }
                // Of an input that failed there is no number, and nobody asks for its text.
                rendered.end()
                start = end
            }
        }
        return rendered
    }
}

extension BinaryFloatingPoint where Self: LosslessStringConvertible {
    /// The shortest text that reads back exactly; JSON has no infinities and no NaN, which are strings there.
    fileprivate func text(inJSON: Bool) -> String {
        isFinite ? description : inJSON ? "\"\(isNaN ? "nan" : description)\"" : isNaN ? "nan" : description
    }
}
