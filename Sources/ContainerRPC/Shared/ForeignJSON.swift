package import Foundation

/// JSON that somebody else has written, decoded without harm to the process.
///
/// Foundation's decoder takes 512 arrays and objects within one another, and then refuses; but of a text that ends with the
/// bracket that is one too many it asks for a place behind the end, and the process ends (Swift 6.3). So nothing gets near
/// that.
package enum ForeignJSON {
    /// Arrays and objects within one another at most: more than anything that is asked here has.
    package static let greatestDepth = 256

    /// Why a text is not decoded.
    package enum Problem: Error {
        /// It is no UTF-8, or has a NUL: Foundation would guess at another encoding.
        case notUTF8
        /// More arrays and objects than that are within one another.
        case tooDeep
    }

    /// Decodes a text.
    ///
    /// - Throws: `Problem`, and what the decoder says.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from text: Data, by decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        guard String(validating: text, as: UTF8.self) != nil, !text.contains(0) else { throw Problem.notUTF8 }
        guard depth(of: text) <= greatestDepth else { throw Problem.tooDeep }
        return try decoder.decode(type, from: text)
    }

    /// The most brackets that are open at a time, outside of strings.
    static func depth(of text: some Sequence<UInt8>) -> Int {
        var depth = 0
        var greatest = 0
        var isInString = false
        var isEscaped = false
        for byte in text {
            if isEscaped {
                isEscaped = false
            } else if isInString {
                isEscaped = byte == UInt8(ascii: "\\")
                isInString = byte != UInt8(ascii: "\"")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    greatest = max(greatest, depth)
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                default: break
                }
            }
        }
        return greatest
    }
}
