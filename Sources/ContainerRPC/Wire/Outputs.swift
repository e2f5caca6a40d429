/// The type of a batch's outputs, or of the labels in feedback; its raw value is the one on the wire.
public enum OutputType: UInt32, Sendable, Hashable, CaseIterable {
    /// Opaque bytes.
    case bytes = 0
    /// Signed 32-bit integers, little-endian.
    case int32 = 1
    /// IEEE 754 binary32, little-endian.
    case float32 = 2
    /// IEEE 754 binary64, little-endian.
    case float64 = 3
    /// UTF-8 text: all that RPC 3 has.
    case string = 4
    /// Signed 64-bit integers, little-endian.
    case int64 = 5

    /// Bytes of one element: an output's length is a multiple of it.
    public var elementByteCount: Int {
        switch self {
        case .bytes, .string: 1
        case .int32, .float32: 4
        case .float64, .int64: 8
        }
    }

    /// Whether outputs are numbers, which may come as vectors.
    var isNumeric: Bool { self != .bytes && self != .string }
}

/// Why an input has no output; the raw value is the one on the wire (`protocol/rpc-4.md`, section 7.1). Another than these
/// is treated as `modelError`.
public struct FailureCode: RawRepresentable, Hashable, Sendable {
    /// The model failed.
    public static let modelError = FailureCode(rawValue: 1)
    /// The model cannot take this input.
    public static let invalidInput = FailureCode(rawValue: 2)
    /// Not computed: the time that was left is spent.
    public static let tooLate = FailureCode(rawValue: 3)
    /// Not computed: more inputs than the container takes.
    public static let tooLarge = FailureCode(rawValue: 4)
    /// Not computed, and not because of the input: another replica may.
    public static let unavailable = FailureCode(rawValue: 5)

    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

extension FailureCode: CustomStringConvertible {
    public var description: String {
        switch self {
        case .modelError: "model error"
        case .invalidInput: "invalid input"
        case .tooLate: "too late"
        case .tooLarge: "too large a batch"
        case .unavailable: "unavailable"
        default: "failure \(rawValue)"
        }
    }
}

/// An input of a batch that failed, while others may have outputs.
public struct ItemError: Hashable, Sendable {
    /// The input's place in the batch.
    public var index: Int
    /// What kind of failure it is.
    public var code: FailureCode
    /// What happened, for a person.
    public var text: String

    /// The failure of the input at that place.
    public init(index: Int, code: FailureCode, text: String) {
        self.index = index
        self.code = code
        self.text = text
    }
}

/// The outputs of a batch, all of one type, in one piece of memory, as the wire has them: text in UTF-8, numbers
/// little-endian.
public struct Outputs: Hashable, Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    @usableFromInline var bytes: [UInt8]
    @usableFromInline var ends: [Int]
    /// The type of their elements.
    public let type: OutputType
    /// Whether each output is a list of numbers rather than one number.
    public let isVectors: Bool
    /// The inputs that failed, in ascending order; their outputs are empty.
    public var errors: [ItemError] = []

    /// No outputs yet, which will be text.
    public init() {
        self.init(type: .string)
    }

    /// No outputs yet, which will be of that type.
    public init(type: OutputType, isVectors: Bool = false) {
        self.init(type: type, isVectors: isVectors, bytes: [], ends: [])
    }

    init(type: OutputType, isVectors: Bool, bytes: [UInt8], ends: [Int]) {
        self.type = type
        self.isVectors = isVectors
        self.bytes = bytes
        self.ends = ends
    }

    public init(arrayLiteral elements: String...) {
        self.init(elements)
    }

    /// Outputs that are text.
    public init(_ outputs: some Collection<String>) {
        self.init()
        ends.reserveCapacity(outputs.count)
        for output in outputs { append(output) }
    }

    /// Makes room for so many outputs of so many bytes in all.
    public mutating func reserveCapacity(outputs: Int, bytes byteCount: Int) {
        ends.reserveCapacity(outputs)
        bytes.reserveCapacity(byteCount)
    }

    /// Appends a text; the type must be `string`.
    public mutating func append(_ output: String) {
        bytes.append(contentsOf: output.utf8)
        ends.append(bytes.count)
    }

    /// Appends an output as the wire has it: whole elements of the type.
    public mutating func append(bytes output: Span<UInt8>) {
        output.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        ends.append(bytes.count)
    }

    /// Appends one number, or the next elements of a vector; `end` closes the output.
    @inlinable
    public mutating func appendElement(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends a part of a text; `end` closes the output.
    mutating func appendASCII(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// The elements since the last output are one.
    @inlinable
    public mutating func end() { ends.append(bytes.count) }

    /// Appends the outputs of another batch, of the same type.
    public mutating func append(contentsOf other: Outputs) {
        precondition(other.type == type && other.isVectors == isVectors, "outputs of two types")
        let (before, count) = (bytes.count, ends.count)
        bytes += other.bytes
        for end in other.ends { ends.append(before + end) }
        for error in other.errors {
            errors.append(ItemError(index: count + error.index, code: error.code, text: error.text))
        }
    }

    /// Bytes of all outputs.
    public var byteCount: Int { bytes.count }

    public var startIndex: Int { 0 }
    public var endIndex: Int { ends.count }

    /// The bytes of one output; it shares the memory of all.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// The outputs as strings: what an application sees of each.
    public var strings: [String] { rendered.map { String(decoding: $0, as: UTF8.self) } }
}
