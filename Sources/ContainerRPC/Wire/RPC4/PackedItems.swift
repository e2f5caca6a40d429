/// Items that lie one after the other in one frame, after a frame of their offsets (`protocol/rpc-4.md`, section 6).
extension FrameSource where Self: ~Copyable {
    /// The ends of the items, checked against the frame that holds them.
    func itemEnds(offsetsAt frame: Int) throws(WireError) -> [Int] {
        let byteCount = try withFrame(frame + 1) { (items) throws(WireError) in items.count }
        return try withFrame(frame) { (offsets) throws(WireError) in
            func wrong(_ expected: String, _ found: String) -> WireError {
                WireError(.offsets, frame: frame, expected: expected, found: found)
            }
            guard !offsets.isEmpty, offsets.count % 4 == 0 else {
                throw wrong("a multiple of 4 bytes, at least 4", "\(offsets.count)")
            }
            guard offsets.uint32(at: 0) == 0 else { throw wrong("0 as the first offset", "\(offsets.uint32(at: 0))") }
            var ends: [Int] = []
            ends.reserveCapacity(offsets.count / 4 - 1)
            var last = 0
            for index in 1..<max(1, offsets.count / 4) {
                let offset = Int(offsets.uint32(at: 4 * index))
                guard offset >= last else { throw wrong("offset \(index) of at least \(last)", "\(offset)") }
                ends.append(offset)
                last = offset
            }
            guard last == byteCount else {
                throw wrong("\(byteCount) as the last offset, where the items end", "\(last)")
            }
            return ends
        }
    }

    /// The inputs of a batch, each whole elements of the type.
    func inputs(_ type: InputType, offsetsAt frame: Int) throws(WireError) -> InputValues {
        let width = type.elementByteCount
        var ends = try itemEnds(offsetsAt: frame)
        if width > 1 {
            // What all offsets have in common tells whether one is no multiple, and only then it matters which.
            let common = ends.reduce(0, |)
            if common & (width - 1) != 0, let index = ends.firstIndex(where: { $0 % width != 0 }) {
                throw elementSize(index, ends, frame: frame + 1, "a multiple of \(width) bytes (\(type))")
            }
            for index in ends.indices { ends[index] /= width }
        }
        if type == .string { try checkTexts(ends, frame: frame + 1) }
        let elements: InputValues.Elements = try withFrame(frame + 1) { (items) throws(WireError) in
            switch type {
            case .bytes: .bytes(items.elements())
            case .string: .string(items.elements())
            case .int32: .int32(items.elements())
            case .float32: .float32(items.elements())
            case .float64: .float64(items.elements())
            }
        }
        return InputValues(elements: elements, rowEnds: ends)
    }

    /// Outputs or labels. One number each unless they are vectors, but nothing where an error stands.
    ///
    /// - Parameter count: how many there must be; `nil` for any number.
    func outputs(
        _ type: OutputType, isVectors: Bool, offsetsAt frame: Int, count: Int?, errors: [ItemError]
    ) throws(WireError) -> Outputs {
        let ends = try itemEnds(offsetsAt: frame)
        if let count, ends.count != count {
            throw WireError(
                .offsets, frame: frame, expected: "\(count) labels for as many inputs", found: "\(ends.count)")
        }
        let width = type.elementByteCount
        var start = 0
        var nextError = 0
        for (index, end) in ends.enumerated() {
            let length = end - start
            start = end
            if nextError < errors.count, errors[nextError].index == index {
                // Its item has been found empty.
                nextError += 1
                continue
            }
            if type.isNumeric, !isVectors, length != width {
                throw elementSize(index, ends, frame: frame + 1, "one number of \(width) bytes (\(type))")
            }
            if length % width != 0 {
                throw elementSize(index, ends, frame: frame + 1, "a multiple of \(width) bytes (\(type))")
            }
        }
        if type == .string { try checkTexts(ends, frame: frame + 1) }
        var outputs = Outputs(
            type: type, isVectors: isVectors,
            bytes: try withFrame(frame + 1) { (items) throws(WireError) in [UInt8](copying: items) }, ends: ends)
        outputs.errors = errors
        return outputs
    }

    private func elementSize(_ index: Int, _ ends: [Int], frame: Int, _ expected: String) -> WireError {
        let length = ends[index] - (index == 0 ? 0 : ends[index - 1])
        return WireError(.elementSize, frame: frame, expected: "\(expected) as item \(index)", found: "\(length) bytes")
    }

    /// Each text is UTF-8 by itself: a character must not reach from one into the next.
    private func checkTexts(_ ends: [Int], frame: Int) throws(WireError) {
        try withFrame(frame) { (items) throws(WireError) in
            let isASCII = items.withUnsafeBufferPointer { $0.allSatisfy { $0 < 0x80 } }
            guard !isASCII else { return }
            var start = 0
            for (index, end) in ends.enumerated() {
                try checkUTF8(items.extracting(start..<end), frame: frame, "item \(index)")
                start = end
            }
        }
    }

    /// The list of the inputs that failed: index, code, length and text of each. Their items must be empty.
    func itemErrors(at frame: Int, ends: [Int]) throws(WireError) -> [ItemError] {
        try withFrame(frame) { (bytes) throws(WireError) in
            func wrong(_ expected: String, _ found: String) -> WireError {
                WireError(.itemErrors, frame: frame, expected: expected, found: found)
            }
            guard !bytes.isEmpty else { throw wrong("at least one error", "none") }
            var errors: [ItemError] = []
            var offset = 0
            while offset < bytes.count {
                guard bytes.count - offset >= 12 else {
                    throw wrong("index, code and length, 12 bytes", "\(bytes.count - offset)")
                }
                let index = Int(bytes.uint32(at: offset))
                let code = FailureCode(rawValue: bytes.uint32(at: offset + 4))
                let length = Int(bytes.uint32(at: offset + 8))
                offset += 12
                guard bytes.count - offset >= length else {
                    throw wrong("\(length) bytes of text", "\(bytes.count - offset)")
                }
                guard index > errors.last?.index ?? -1, index < ends.count else {
                    throw wrong("an index above \(errors.last?.index ?? -1) and below \(ends.count)", "\(index)")
                }
                guard ends[index] == (index == 0 ? 0 : ends[index - 1]) else {
                    throw wrong("no output for input \(index), which failed", "one")
                }
                let text = bytes.extracting(offset..<offset + length)
                try checkUTF8(text, frame: frame, "the text of error \(errors.count)")
                errors.append(
                    ItemError(
                        index: index, code: code,
                        text: text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }))
                offset += length
            }
            return errors
        }
    }
}

extension Span<UInt8> {
    /// The bytes as elements of a number's type, copied: the memory of a frame may lie at any address.
    fileprivate func elements<Number: BitwiseCopyable>() -> [Number] {
        // The initializer below would write its count to the one empty array that all threads share.
        guard !isEmpty else { return [] }
        let count = count / MemoryLayout<Number>.size
        return [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
            withUnsafeBytes { source in
                // The offsets were checked: the frame is whole elements.
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[..<(count * MemoryLayout<Number>.size)]))
            }
            initialized = count
        }
    }
}
