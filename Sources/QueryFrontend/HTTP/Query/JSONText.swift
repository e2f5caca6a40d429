import NIOCore

extension ByteBuffer {
    /// Writes a JSON string: the text between quotation marks, escaped as RFC 8259 asks.
    mutating func writeJSONString(_ text: some Collection<UInt8>) {
        writeInteger(UInt8(ascii: "\""))
        let isWritten: Void? = text.withContiguousStorageIfAvailable { writeEscaped($0) }
        if isWritten == nil { Array(text).withUnsafeBufferPointer { writeEscaped($0) } }
        writeInteger(UInt8(ascii: "\""))
    }

    /// An output may have megabytes, and the event loop has other connections: what needs no escape, which is nearly all, is
    /// copied in runs.
    private mutating func writeEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        // Most texts are short or have few escapes, so that this is about what they take.
        reserveCapacity(minimumWritableBytes: text.count + text.count / 16 + 8)
        var run = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[run..<index]))
            writeEscape(of: byte)
            run = index + 1
        }
        writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[run...]))
    }

    private mutating func writeEscape(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): writeStaticString("\\\"")
        case UInt8(ascii: "\\"): writeStaticString("\\\\")
        case 0x0A: writeStaticString("\\n")
        case 0x0D: writeStaticString("\\r")
        case 0x09: writeStaticString("\\t")
        default:
            writeStaticString("\\u00")
            writeInteger(Self.hexDigit(byte >> 4))
            writeInteger(Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x61 + value - 10
    }
}
