/// One field's value in the head of a message, to be read as what it is.
struct FieldValue {
    let number: UInt16
    private let bytes: [UInt8]

    /// A copy: fields are short.
    init(_ number: UInt16, copying bytes: Span<UInt8>) {
        self.number = number
        self.bytes = [UInt8](copying: bytes)
    }

    private func wrong(_ expected: String, _ found: String) -> WireError {
        WireError(.fieldValue, frame: 0, expected: "\(expected) in field \(number)", found: found)
    }

    func uint32(atLeast least: UInt32 = 0) throws(WireError) -> UInt32 {
        guard bytes.count == 4 else { throw wrong("4 bytes", "\(bytes.count)") }
        let value = bytes.span.uint32(at: 0)
        guard value >= least else { throw wrong("at least \(least)", "\(value)") }
        return value
    }

    func uint64() throws(WireError) -> UInt64 {
        guard bytes.count == 8 else { throw wrong("8 bytes", "\(bytes.count)") }
        return bytes.span.word(0)
    }

    func flag() throws(WireError) -> Bool {
        guard bytes.isEmpty else { throw wrong("no bytes", "\(bytes.count)") }
        return true
    }

    func text() throws(WireError) -> String {
        try checkUTF8(bytes.span, frame: 0, "field \(number)")
        return String(decoding: bytes, as: UTF8.self)
    }

    func name() throws(WireError) -> String {
        guard (1...RPC3.longestName).contains(bytes.count) else {
            throw WireError(
                .invalidName, frame: 0, expected: "1 to \(RPC3.longestName) bytes in field \(number)",
                found: "\(bytes.count)")
        }
        let text = try text()
        guard !bytes.contains(where: RPC3.isForbiddenInNames) else {
            throw WireError(
                .invalidName, frame: 0, expected: "no ',', ':' and control characters in field \(number)",
                found: bytes.quoted)
        }
        return text
    }

    func milliseconds() throws(WireError) -> Duration { .milliseconds(try uint32()) }

    /// At least one millisecond.
    func interval() throws(WireError) -> Duration { .milliseconds(try uint32(atLeast: 1)) }

    func microseconds() throws(WireError) -> Duration {
        let (seconds, rest) = try uint64().quotientAndRemainder(dividingBy: 1_000_000)
        return Duration(
            secondsComponent: Int64(seconds), attosecondsComponent: Int64(rest) * 1_000_000_000_000)
    }

    func inputType() throws(WireError) -> InputType {
        let code = try uint32()
        guard let type = InputType(rawValue: code) else { throw unknownType("0 to 4", code) }
        return type
    }

    func outputType() throws(WireError) -> OutputType {
        let code = try uint32()
        guard let type = OutputType(rawValue: code) else { throw unknownType("0 to 5", code) }
        return type
    }

    private func unknownType(_ expected: String, _ code: UInt32) -> WireError {
        WireError(.unknownDataType, frame: 0, expected: "\(expected) in field \(number)", found: "\(code)")
    }

    func pairs() throws(WireError) -> [MetadataPair] {
        var pairs: [MetadataPair] = []
        var offset = 0
        while offset < bytes.count {
            let key = try text(at: &offset)
            pairs.append(MetadataPair(key, try text(at: &offset)))
        }
        return pairs
    }

    private func text(at offset: inout Int) throws(WireError) -> String {
        guard bytes.count - offset >= 2 else { throw wrong("a length of 2 bytes", "\(bytes.count - offset)") }
        let length = Int(bytes.span.uint16(at: offset))
        offset += 2
        guard bytes.count - offset >= length else { throw wrong("\(length) bytes", "\(bytes.count - offset)") }
        defer { offset += length }
        let value = bytes[offset..<offset + length]
        try checkUTF8(value.span, frame: 0, "field \(number)")
        return String(decoding: value, as: UTF8.self)
    }
}

extension Span<UInt8> {
    /// A little-endian 16-bit number, which must lie within the span.
    @inline(__always)
    func uint16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    /// A little-endian 32-bit number, which must lie within the span.
    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        UInt32(uint16(at: offset)) | UInt32(uint16(at: offset + 2)) << 16
    }
}
