/// The type of a model's inputs; its raw value is the one on the wire.
public enum InputType: UInt32, Sendable, Hashable, CaseIterable {
    /// Opaque bytes.
    case bytes = 0
    /// Signed 32-bit integers, little-endian.
    case int32 = 1
    /// IEEE 754 binary32, little-endian.
    case float32 = 2
    /// IEEE 754 binary64, little-endian.
    case float64 = 3
    /// One UTF-8 string without a terminator.
    case string = 4

    /// Bytes of one element: an input's length is a multiple of it.
    public var elementByteCount: Int {
        switch self {
        case .bytes, .string: 1
        case .int32, .float32: 4
        case .float64: 8
        }
    }

    /// The name that Clipper prints: `bytes`, `integers`, `floats`, `doubles`, `strings`.
    public var name: String {
        switch self {
        case .bytes: "bytes"
        case .int32: "integers"
        case .float32: "floats"
        case .float64: "doubles"
        case .string: "strings"
        }
    }

    /// Reads any of the names that Clipper's containers and frontends take, in any case; `nil` for another.
    public init?(name: String) {
        switch name.lowercased() {
        case "bytes", "byte", "b": self = .bytes
        case "integers", "ints", "integer", "int", "i": self = .int32
        case "floats", "float", "f": self = .float32
        case "doubles", "double", "d": self = .float64
        case "strings", "string", "strs", "str", "s": self = .string
        default: return nil
        }
    }
}

extension InputType: CustomStringConvertible {
    public var description: String { name }
}
