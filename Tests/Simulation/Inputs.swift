import ContainerRPC

/// Inputs are small integers, in whichever type their model takes: the first element says which, the rest is padding.
///
/// All of them are exact in every type.
enum Inputs {
    /// One more than the largest.
    static let bound = 1 << 24

    /// An input as bytes of the wire.
    static func payload(_ value: Int, as type: InputType, padding: Int) -> Payload {
        let width = type == .bytes ? 4 : type == .string ? 6 : type.elementByteCount
        let storage = PayloadStorage(byteCount: width + padding * type.elementByteCount) { bytes in
            switch type {
            case .bytes, .int32: bytes.storeBytes(of: Int32(value).littleEndian, as: Int32.self)
            case .float32: bytes.storeBytes(of: Float(value).bitPattern.littleEndian, as: UInt32.self)
            case .float64: bytes.storeBytes(of: Double(value).bitPattern.littleEndian, as: UInt64.self)
            case .string:
                for digit in 0..<6 { bytes[digit] = UInt8(ascii: "a") + UInt8((value >> (20 - 4 * digit)) & 15) }
                for index in 6..<bytes.count { bytes[index] = UInt8(ascii: "x") }
            }
        }
        return Payload(storage)
    }

    /// Which input these bytes of the wire are.
    static func value(of payload: Payload, as type: InputType) -> Int {
        payload.withSpan { bytes in
            var word: UInt64 = 0
            switch type {
            case .string:
                for index in 0..<6 { word = word << 4 | UInt64(bytes[index] - UInt8(ascii: "a")) }
                return Int(word)
            case .float64:
                for index in 0..<8 { word |= UInt64(bytes[index]) << (8 * UInt64(index)) }
                return Int(Double(bitPattern: word))
            case .bytes, .int32, .float32:
                for index in 0..<4 { word |= UInt64(bytes[index]) << (8 * UInt64(index)) }
                return type == .float32 ? Int(Float(bitPattern: UInt32(word))) : Int(word)
            }
        }
    }

    /// A batch as a container reads it.
    static func values(of payloads: [Payload], as type: InputType) -> InputValues {
        var ends: [Int] = []
        ends.reserveCapacity(payloads.count)
        var end = 0
        for payload in payloads {
            end += payload.byteCount / type.elementByteCount
            ends.append(end)
        }
        func joined<Element>(_ first: (Int) -> Element, _ padding: Element) -> [Element] {
            var elements: [Element] = []
            elements.reserveCapacity(end)
            for (payload, end) in zip(payloads, ends) {
                elements.append(first(value(of: payload, as: type)))
                while elements.count < end { elements.append(padding) }
            }
            return elements
        }
        let elements: InputValues.Elements =
            switch type {
            case .bytes: .bytes(payloads.flatMap(\.bytes))
            case .string: .string(payloads.flatMap(\.bytes))
            case .int32: .int32(joined(Int32.init, 0))
            case .float32: .float32(joined(Float.init, 0))
            case .float64: .float64(joined(Double.init, 0))
            }
        return InputValues(elements: elements, rowEnds: ends)
    }

    /// Which inputs a batch has, as its container reads them.
    static func values(in batch: InputValues) -> [Int] {
        var values: [Int] = []
        values.reserveCapacity(batch.count)
        var start = 0
        for end in batch.rowEnds {
            switch batch.elements {
            case .bytes(let bytes):
                values.append((0..<4).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) })
            case .string(let bytes):
                values.append((0..<6).reduce(0) { $0 << 4 | Int(bytes[start + $1] - UInt8(ascii: "a")) })
            case .int32(let elements): values.append(Int(elements[start]))
            case .float32(let elements): values.append(Int(elements[start]))
            case .float64(let elements): values.append(Int(elements[start]))
            }
            start = end
        }
        return values
    }
}
