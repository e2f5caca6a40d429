/// The steps that decoders are made of: each checks that what it reads is there, and names what is wrong.
extension FrameSource where Self: ~Copyable {
    private func require(_ frame: Int, _ what: @autoclosure () -> String) throws(WireError) {
        guard frame < frameCount else {
            throw WireError(.missingFrame, frame: frame, expected: what(), found: "the end of the message")
        }
    }

    func expectEmpty(at frame: Int) throws(WireError) {
        try require(frame, "an empty frame")
        let count = try withFrame(frame) { (bytes) throws(WireError) in bytes.count }
        guard count == 0 else {
            throw WireError(.notEmpty, frame: frame, expected: "an empty frame", found: "\(count) bytes")
        }
    }

    func expectEnd(at frame: Int) throws(WireError) {
        guard frameCount == frame else {
            throw WireError(
                .surplusFrame, frame: frame, expected: "the end of the message",
                found: "\(frameCount - frame) more frame\(frameCount - frame == 1 ? "" : "s")")
        }
    }

    func uint32(at frame: Int, _ what: @autoclosure () -> String) throws(WireError) -> UInt32 {
        try require(frame, "\(what()) (4 bytes)")
        return try withFrame(frame) { (bytes) throws(WireError) in
            guard bytes.count == 4 else {
                throw WireError(.frameLength, frame: frame, expected: "4 bytes", found: "\(bytes.count)")
            }
            return UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16 | UInt32(bytes[3]) << 24
        }
    }

    func uint64(at frame: Int, _ what: @autoclosure () -> String) throws(WireError) -> UInt64 {
        try require(frame, "\(what()) (8 bytes)")
        return try withFrame(frame) { (bytes) throws(WireError) in
            guard bytes.count == 8 else {
                throw WireError(.frameLength, frame: frame, expected: "8 bytes", found: "\(bytes.count)")
            }
            return bytes.word(0)
        }
    }

    func uint32Or64(at frame: Int, _ what: @autoclosure () -> String) throws(WireError) -> UInt64 {
        try require(frame, "\(what()) (4 or 8 bytes)")
        let count = try withFrame(frame) { (bytes) throws(WireError) in bytes.count }
        switch count {
        case 4: return UInt64(try uint32(at: frame, what()))
        case 8: return try uint64(at: frame, what())
        default: throw WireError(.frameLength, frame: frame, expected: "4 or 8 bytes", found: "\(count)")
        }
    }

    /// A frame's bytes; of a longer one only the first, enough to be told apart and to be shown.
    func bytes(at frame: Int, _ what: @autoclosure () -> String, atMost limit: Int) throws(WireError) -> [UInt8] {
        try require(frame, what())
        return try withFrame(frame) { (bytes) throws(WireError) in
            [UInt8](copying: bytes.extracting(first: limit))
        }
    }

    func name(at frame: Int, _ what: @autoclosure () -> String) throws(WireError) -> String {
        // One byte more than the longest is enough to see that it is too long.
        let bytes = try bytes(at: frame, what(), atMost: RPC3.longestName + 1)
        guard bytes.count <= RPC3.longestName else {
            throw WireError(
                .invalidName, frame: frame, expected: "at most \(RPC3.longestName) bytes",
                found: "a longer \(what())")
        }
        try checkUTF8(bytes.span, frame: frame, what())
        let forbidden = bytes.contains(where: RPC3.isForbiddenInNames)
        guard !bytes.isEmpty, !forbidden else {
            throw WireError(
                .invalidName, frame: frame,
                expected: "\(what()), not empty, without ',', ':' and control characters", found: bytes.quoted)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Checks the frame that states a header's length and the header after it: `leadingWords` words, a count, and
    /// that many sizes. Returns the count.
    func checkHeader(lengthAt lengthFrame: Int, leadingWords: Int) throws(WireError) -> Int {
        let stated = try uint64(at: lengthFrame, "the header's length")
        let headerFrame = lengthFrame + 1
        try require(headerFrame, "the header")
        return try withFrame(headerFrame) { (header) throws(WireError) in
            guard stated == UInt64(header.count) else {
                throw WireError(
                    .headerLength, frame: headerFrame, expected: "\(stated) bytes as stated before it",
                    found: "\(header.count)")
            }
            let fixed = 8 * (leadingWords + 1)
            guard header.count >= fixed, header.count % 8 == 0 else {
                throw WireError(
                    .headerLength, frame: headerFrame, expected: "a multiple of 8 bytes, at least \(fixed)",
                    found: "\(header.count)")
            }
            let count = header.word(leadingWords)
            // Compared in words of the header that is there: no arithmetic on the peer's number can overflow.
            let sizes = header.count / 8 - leadingWords - 1
            guard count == UInt64(sizes) else {
                throw WireError(
                    .headerLength, frame: headerFrame, expected: "a header with \(count) sizes",
                    found: "room for \(sizes)")
            }
            return sizes
        }
    }

    /// Checks a header, that as many frames follow it as it counts, and of each, before the next, that it has the size
    /// stated for it and passes `check`. Returns the length of those frames in bytes, together.
    func checkItems(
        lengthAt lengthFrame: Int, leadingWords: Int,
        _ check: (_ bytes: Span<UInt8>, _ frame: Int) throws(WireError) -> Void
    ) throws(WireError) -> Int {
        let count = try checkHeader(lengthAt: lengthFrame, leadingWords: leadingWords)
        let first = lengthFrame + 2
        guard frameCount - first == count else {
            throw WireError(
                .countMismatch, frame: lengthFrame + 1, expected: "\(count) frames after the header as it counts",
                found: "\(frameCount - first)")
        }
        return try withFrame(lengthFrame + 1) { (header) throws(WireError) in
            var total = 0
            for index in 0..<count {
                let stated = header.word(leadingWords + 1 + index)
                total += try withFrame(first + index) { (bytes) throws(WireError) in
                    guard stated == UInt64(bytes.count) else {
                        throw WireError(
                            .sizeMismatch, frame: first + index, expected: "\(stated) bytes as the header says",
                            found: "\(bytes.count)")
                    }
                    try check(bytes, first + index)
                    return bytes.count
                }
            }
            return total
        }
    }

    /// Copies the frames from one on into one array; their lengths have been checked, and `byteCount` is their sum.
    func joined<Element: BitwiseCopyable>(from first: Int, byteCount: Int) throws(WireError) -> [Element] {
        // The initializer below would write its count to the one empty array that all threads share.
        guard byteCount > 0 else { return [] }
        var failure: WireError?
        let width = MemoryLayout<Element>.size
        let joined = [Element](unsafeUninitializedCapacity: byteCount / width) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            var offset = 0
            do throws(WireError) {
                for frame in first..<frameCount {
                    offset += try withFrame(frame) { (bytes) throws(WireError) in
                        bytes.withUnsafeBytes { source in
                            // The sizes were checked against the frames; a wrong sum must not write past the end.
                            precondition(source.count <= target.count - offset, "frames longer than their sum")
                            UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
                            return source.count
                        }
                    }
                }
                count = byteCount / width
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return joined
    }
}

func checkUTF8(_ bytes: Span<UInt8>, frame: Int, _ what: @autoclosure () -> String) throws(WireError) {
    let valid = bytes.withUnsafeBufferPointer { buffer in
        // Most text is ASCII, which a plain loop tells far faster than the decoder.
        buffer.allSatisfy { $0 < 0x80 } || String(validating: buffer, as: UTF8.self) != nil
    }
    guard valid else {
        throw WireError(.invalidUTF8, frame: frame, expected: "\(what()) in UTF-8", found: "\(bytes.count) other bytes")
    }
}

extension Span<UInt8> {
    /// A little-endian 64-bit word, counted in words from the start; it must lie within the span.
    @inline(__always)
    func word(_ index: Int) -> UInt64 {
        var word: UInt64 = 0
        for byte in 0..<8 { word |= UInt64(self[index * 8 + byte]) << (8 * UInt64(byte)) }
        return word
    }
}

extension [UInt8] {
    /// The bytes for an error message: as text where they are plain ASCII, else in hex; at most 40 of them.
    var quoted: String {
        let shown = prefix(40)
        let tail = count > shown.count ? "…" : ""
        if shown.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) {
            return "\"\(String(decoding: shown, as: UTF8.self))\"\(tail)"
        }
        return "0x"
            + shown.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() + tail
    }
}
