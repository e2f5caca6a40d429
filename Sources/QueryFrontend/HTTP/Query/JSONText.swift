import NIOCore

extension ByteBuffer {
    /// What is escaped at a time, in bytes.
    private static let piece = 4096
    /// The most bytes that one becomes.
    private static let longestEscape = 6

    /// Writes a JSON string: the text between quotation marks, escaped as RFC 8259 asks.
    mutating func writeJSONString(_ text: some Collection<UInt8>) {
        writeInteger(UInt8(ascii: "\""))
        let isWritten: Void? = text.withContiguousStorageIfAvailable { writeEscaped($0) }
        if isWritten == nil { Array(text).withUnsafeBufferPointer { writeEscaped($0) } }
        writeInteger(UInt8(ascii: "\""))
    }

    /// An output may have megabytes, and the event loop has other connections: what needs no escape is copied, and the rest
    /// written without a look at the buffer's bounds for each byte.
    private mutating func writeEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        // Most texts are short or have few escapes, so that this is about what they take.
        reserveCapacity(minimumWritableBytes: text.count + text.count / 16 + 8)
        var start = 0
        while start < text.count {
            let end = min(start + Self.piece, text.count)
            let piece = UnsafeBufferPointer(rebasing: text[start..<end])
            start = end
            guard piece.contains(where: Self.isEscaped) else {
                writeBytes(UnsafeRawBufferPointer(piece))
                continue
            }
            writeWithUnsafeMutableBytes(minimumWritableBytes: piece.count * Self.longestEscape) { target in
                Self.escape(piece, into: target)
            }
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// - Parameter target: room for six bytes for each of the text.
    /// - Returns: how many were written.
    private static func escape(_ text: UnsafeBufferPointer<UInt8>, into target: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        func put(_ byte: UInt8) {
            target[count] = byte
            count += 1
        }
        for byte in text {
            guard isEscaped(byte) else {
                put(byte)
                continue
            }
            put(UInt8(ascii: "\\"))
            switch byte {
            case 0x0A: put(UInt8(ascii: "n"))
            case 0x0D: put(UInt8(ascii: "r"))
            case 0x09: put(UInt8(ascii: "t"))
            case 0..<0x20:
                put(UInt8(ascii: "u"))
                put(UInt8(ascii: "0"))
                put(UInt8(ascii: "0"))
                put(hexDigit(byte >> 4))
                put(hexDigit(byte & 15))
            default: put(byte)
            }
        }
        return count
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x61 + value - 10
    }
}
