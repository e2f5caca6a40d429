/// What a model answered, as text; read as numbers where it is compared as such.
public struct ModelOutput: Sendable {
    /// The answer's bytes, UTF-8.
    public let bytes: ArraySlice<UInt8>

    /// An answer of these bytes.
    public init(bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// An answer of this text.
    public init(_ text: String) {
        bytes = ArraySlice(text.utf8)
    }

    /// The answer as text; what is no UTF-8 is replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The answer as one number; `nil` where it is something else, or not finite.
    public var number: Double? { Self.number(of: bytes) }

    /// The answer as numbers: one, or an array of them in JSON of at most 1 MiB; `nil` where it is something else.
    public var numbers: [Double]? {
        if let number { return [number] }
        guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") else { return nil }
        return AnswerJSON.numbers(in: bytes)
    }

    /// Whether both say the same: equal as numbers where both are numbers, else as text. A string in JSON equals its
    /// content. Integers are compared with all their digits.
    public func agrees(with other: ModelOutput) -> Bool {
        if bytes == other.bytes { return true }
        if let integer = Integer(bytes), let otherInteger = Integer(other.bytes) { return integer == otherInteger }
        if let number, let otherNumber = other.number { return number == otherNumber }
        return content == other.content
    }

    /// Whether this is the answer that a label asks for.
    func agrees(with label: Label) -> Bool {
        switch label {
        case .number(let value): number.map { $0 == value } ?? agrees(with: ModelOutput(label.text))
        case .numbers(let values): numbers == values
        case .text(let text): agrees(with: ModelOutput(text))
        }
    }

    /// What an answer says of a label's probability.
    enum Probability: Hashable {
        /// 0 to 1.
        case given(Double)
        /// The answer says nothing of any label, or what it says is no probability.
        case unfitOutput
        /// The answer says nothing of this label.
        case mismatch
    }

    /// What the answer takes a label's probability for: itself where it is one number and the label 0 or 1, else what
    /// it holds at the label's index or under its name.
    func probability(of label: Label) -> Probability {
        if let number {
            guard let probability = Self.probability(number) else { return .unfitOutput }
            guard let truth = label.number, truth == 0 || truth == 1 else { return .mismatch }
            return .given(truth == 1 ? probability : 1 - probability)
        }
        let number: Double
        if let numbers {
            guard !numbers.isEmpty else { return .unfitOutput }
            guard let index = label.number.flatMap({ Int(exactly: $0) }), numbers.indices.contains(index) else {
                return .mismatch
            }
            number = numbers[index]
        } else {
            guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return .unfitOutput }
            guard let named = AnswerJSON.number(named: label.text, in: bytes) else { return .mismatch }
            number = named
        }
        return Self.probability(number).map(Probability.given) ?? .unfitOutput
    }

    /// A number as a probability: what is off by rounding, as sums of 32-bit numbers are, is 0 or 1.
    private static func probability(_ number: Double) -> Double? {
        guard (-1e-6...1 + 1e-6).contains(number) else { return nil }
        return min(1, max(0, number))
    }

    /// The text without the quotes and escapes that make it a string of JSON.
    private var content: ArraySlice<UInt8> {
        guard bytes.first == UInt8(ascii: "\""), let text = AnswerJSON.string(in: bytes) else { return bytes }
        return text[...]
    }

    private static func number(of bytes: ArraySlice<UInt8>) -> Double? {
        let bytes = trimmed(bytes)
        // What looks like no number need not become a string first. Swift reads more than JSON's numbers: 0x10, infinity.
        guard let first = bytes.first, first == UInt8(ascii: "-") || isDigit(first), bytes.count <= 400,
            bytes.allSatisfy({ isDigit($0) || "+-.eE".utf8.contains($0) }),
            let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite
        else { return nil }
        return value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return bytes.drop { $0 <= 0x20 }
    }

    /// An integer of any length: doubles hold those beyond 2⁵³ no more exactly.
    private struct Integer: Equatable {
        let isNegative: Bool
        /// Without zeros before them.
        let digits: ArraySlice<UInt8>

        init?(_ bytes: ArraySlice<UInt8>) {
            var bytes = trimmed(bytes)
            let hasSign = bytes.first == UInt8(ascii: "-")
            if hasSign { bytes.removeFirst() }
            guard !bytes.isEmpty, bytes.count <= 400, bytes.allSatisfy(isDigit) else { return nil }
            digits = bytes.drop { $0 == 0x30 }
            isNegative = hasSign && !digits.isEmpty
        }
    }
}

/// What the right answer would have been.
public enum Label: Sendable, Hashable {
    /// A number, or a class that is named by one.
    case number(Double)
    /// Several numbers.
    case numbers([Double])
    /// A text, such as a class's name.
    case text(String)

    /// The label as one number; `nil` where it is no number.
    var number: Double? {
        switch self {
        case .number(let value): value
        case .numbers: nil
        case .text(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        }
    }

    /// The label as numbers; `nil` where it is none.
    var numbers: [Double]? {
        if case .numbers(let values) = self { return values }
        return number.map { [$0] }
    }

    /// The label as text; whole numbers without a fraction.
    var text: String {
        switch self {
        case .number(let value): Int(exactly: value).map(String.init) ?? String(value)
        case .numbers(let values): "\(values)"
        case .text(let text): text
        }
    }
}
