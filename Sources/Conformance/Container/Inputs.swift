package import ContainerRPC
import Foundation

/// The inputs that a kit sends: made from the type that a container registers, or the user's own.
public struct InputChoice: Hashable, Sendable {
    /// How many elements every input has; `nil` for a model that takes any number.
    public var length: Int?
    /// Inputs that the model takes, as text: a JSON array of numbers, or the string itself.
    public var samples: [String] = []
    /// An input at which the model fails.
    public var failing: String?
    /// An input that takes the model a second or more.
    public var slow: String?

    /// Inputs of three elements, made up.
    public init() {}

    /// Why a text can be no input of a model; `nil` if it can be one.
    ///
    /// - Parameter type: what the container takes; `nil` where that is not known before it registers.
    package static func objection(to text: String, for type: InputType?) -> String? {
        guard let type else {
            // What only looks like numbers is a slip, and hardly a string.
            guard text.drop(while: \.isWhitespace).first == "[", JSONValue(text) == nil else { return nil }
            return "'\(text.shortened(to: 60))' begins like a JSON array and is none; "
                + "where the container takes strings, say so by --input-type strings"
        }
        do {
            _ = try Inputs.bytes(of: text, type)
            return nil
        } catch {
            return (error as? Inapplicable)?.reason ?? "\(error)"
        }
    }

    /// Why inputs of any length and content cannot be sent; `nil` if they can.
    var restriction: String? {
        if !samples.isEmpty { return "only the inputs of --sample-input are sent" }
        if let length { return "every input is to have \(counted(length, "element")) (--input-length)" }
        return nil
    }
}

/// Inputs of one type, as bytes of the wire.
struct Inputs {
    let type: InputType
    let choice: InputChoice

    /// Inputs that differ from one another, as far as there are so many.
    func distinct(_ count: Int, from first: Int = 0) throws -> [[UInt8]] {
        if !choice.samples.isEmpty {
            let samples = try choice.samples.map { try Self.bytes(of: $0, type) }
            return (0..<count).map { samples[(first + $0) % samples.count] }
        }
        let length = choice.length ?? 3
        return (0..<count).map { made(first + $0, length: length) }
    }

    /// Input number `index`, of so many elements.
    func made(_ index: Int, length: Int) -> [UInt8] {
        switch type {
        case .string:
            let text = Array("input \(index) ".utf8)
            return (0..<(choice.length ?? max(length, text.count - 1))).map { text[$0 % text.count] }
        case .bytes:
            return (0..<length).map { UInt8(truncatingIfNeeded: index / (1 << (8 * min($0, 3))) + $0) }
        case .int32:
            return Self.packed((0..<length).map { Int32(truncatingIfNeeded: index * 3 + $0 * 2 + 1) })
        case .float32:
            return Self.packed((0..<length).map { (Float(index) * 0.5 + Float($0) * 0.25 + 1).bitPattern })
        case .float64:
            return Self.packed((0..<length).map { (Double(index) * 0.5 + Double($0) * 0.25 + 1).bitPattern })
        }
    }

    /// An input of so many bytes, all of whose elements are small.
    func large(byteCount: Int) -> [UInt8] {
        switch type {
        case .string, .bytes: [UInt8](repeating: UInt8(ascii: "a"), count: byteCount)
        default: Self.repeated(made(0, length: 1), count: byteCount / type.elementByteCount)
        }
    }

    /// By doubling: element by element it would take seconds in an unoptimised build.
    private static func repeated(_ element: [UInt8], count: Int) -> [UInt8] {
        var bytes = element
        bytes.reserveCapacity(element.count * count)
        while bytes.count < element.count * count {
            bytes += bytes.prefix(element.count * count - bytes.count)
        }
        return bytes
    }

    private static func packed(_ values: [some FixedWidthInteger]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }

    /// An input that a user wrote.
    ///
    /// - Throws: `Inapplicable` where it is none of the type.
    static func bytes(of text: String, _ type: InputType) throws -> [UInt8] {
        switch type {
        case .string: return Array(text.utf8)
        case .bytes:
            guard let data = Data(base64Encoded: text) else { return Array(text.utf8) }
            return Array(data)
        default: break
        }
        guard let values = try? ForeignJSON.decode([Double].self, from: Data(text.utf8)) else {
            throw Inapplicable(
                "the input '\(text.shortened(to: 60))' is no JSON array of numbers, but the container takes \(type)")
        }
        switch type {
        case .int32:
            let integers = values.compactMap { Int32(exactly: $0) }
            guard integers.count == values.count else {
                throw Inapplicable("the input '\(text.shortened(to: 60))' has numbers that are no integers of 32 bits")
            }
            return packed(integers)
        case .float32: return packed(values.map { Float($0).bitPattern })
        default: return packed(values.map(\.bitPattern))
        }
    }

    /// Text of many kinds, for containers that take strings.
    static let texts: [String] = [
        "", "plain", "naïve café", "日本語のテキスト", "😀 👩‍👩‍👧 🏳️‍🌈", "שלום עולם", "e\u{301} is not \u{e9}", "a\u{0}b",
        "\u{FEFF}a byte order mark", "line\nbreak\ttab", "\u{10FFFF}", "\"quoted\" \\ [1, 2]",
    ]
}
