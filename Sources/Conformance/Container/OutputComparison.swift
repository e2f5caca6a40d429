import ContainerRPC

/// Whether two outputs are the same. Floats may differ a little: a model that computes several inputs at once may add up
/// in another order.
enum OutputComparison {
    /// How much two floats may differ, as a part of the larger one.
    private static let tolerance = 1e-5
    /// What is as good as 0, where the other one is 0.
    private static let least = 1e-9

    /// - Parameter type: of both.
    static func isSame(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>, _ type: OutputType) -> Bool {
        if one.elementsEqual(other) { return true }
        switch type {
        case .float32:
            return isNear(words(one, 4), words(other, 4)) { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))) }
        case .float64:
            return isNear(words(one, 8), words(other, 8)) { Double(bitPattern: $0) }
        case .string:
            guard let one = JSONValue(String(decoding: one, as: UTF8.self)),
                let other = JSONValue(String(decoding: other, as: UTF8.self))
            else { return false }
            return isNear(one, other)
        case .bytes, .int32, .int64: return false
        }
    }

    private static func isNear(_ one: Double, _ other: Double) -> Bool {
        if one == other || (one.isNaN && other.isNaN) { return true }
        guard one.isFinite, other.isFinite else { return false }
        return (one - other).magnitude <= max(least, tolerance * max(one.magnitude, other.magnitude))
    }

    private static func isNear(_ one: [UInt64], _ other: [UInt64], _ float: (UInt64) -> Double) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { isNear(float($0), float($1)) }
    }

    private static func isNear(_ one: JSONValue, _ other: JSONValue) -> Bool {
        switch (one, other) {
        case (.array(let one), .array(let other)):
            return one.count == other.count && zip(one, other).allSatisfy { isNear($0, $1) }
        case (.object(let one), .object(let other)):
            return one.count == other.count
                && one.allSatisfy { key, value in other[key].map { isNear(value, $0) } ?? false }
        default:
            // A whole number beside one that is not is a float that happens to be whole; two whole ones are told apart.
            guard let first = float(one), let second = float(other), one.isFraction || other.isFraction else {
                return one == other
            }
            return isNear(first, second)
        }
    }

    private static func float(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    private static func words(_ bytes: ArraySlice<UInt8>, _ size: Int) -> [UInt64] {
        stride(from: bytes.startIndex, to: bytes.endIndex, by: size).map { start in
            bytes[start..<min(start + size, bytes.endIndex)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}

extension JSONValue {
    fileprivate var isFraction: Bool {
        if case .double = self { true } else { false }
    }
}

/// What the model made of an input alone, to be compared with what it makes of it in a batch.
struct LoneOutput {
    let input: [UInt8]
    let bytes: ArraySlice<UInt8>
    let type: OutputType

    func isSame(as other: ArraySlice<UInt8>, _ type: OutputType) -> Bool {
        self.type == type && OutputComparison.isSame(bytes, other, type)
    }
}

extension ContainerPlay {
    /// What the model makes of an input alone; `nil` where it fails.
    func lone(_ input: [UInt8]) throws -> LoneOutput? {
        guard case .results(let response) = try answer(to: [input]), response.outputs.errors.isEmpty,
            let output = response.outputs.first
        else { return nil }
        return LoneOutput(input: input, bytes: output, type: response.outputs.type)
    }

    /// Sees that inputs of a batch have got the outputs that they get alone. Nobody knows the right ones.
    ///
    /// - Parameters:
    ///   - pairs: inputs of a batch, their places there, and its outputs.
    ///   - how: what was special about the batch, as in "the same output for an input alone and …".
    /// - Returns: a note where it cannot be told.
    func expectSameAlone(
        _ pairs: [(input: [UInt8], place: Int, outputs: Outputs)], _ how: String
    ) throws -> String? {
        var alone: [LoneOutput] = []
        for pair in pairs {
            guard let lone = try lone(pair.input) else { continue }
            let output = pair.outputs[pair.place]
            guard !lone.isSame(as: output, pair.outputs.type) else {
                alone.append(lone)
                continue
            }
            // Whoever answers at random is not to be blamed.
            guard let again = try self.lone(pair.input), again.isSame(as: lone.bytes, lone.type) else {
                return "its model gives other outputs for the same input: they cannot be compared"
            }
            let other = alone.first { $0.input != pair.input && $0.isSame(as: output, pair.outputs.type) }
            throw Fault(
                expected: "the same output for an input alone and \(how)",
                but: "input \(pair.place) got \(MessageNames.shown(output, of: pair.outputs)) there, and alone "
                    + shown(lone) + (other == nil ? "" : "; what it got is another input's"))
        }
        return nil
    }

    private func shown(_ lone: LoneOutput) -> String {
        lone.type == .string
            ? "'\(String(decoding: lone.bytes, as: UTF8.self).shortened(to: 40))'" : hexadecimal(lone.bytes.prefix(16))
    }
}
