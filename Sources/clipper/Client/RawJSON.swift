import ContainerRPC
import Foundation
import QueryFrontend

/// A JSON value as its text, so that numbers and the order of keys stay as they were written.
struct RawJSON: Equatable, Sendable {
    /// One valid JSON value, without white space around it.
    let text: String

    private init(unchecked text: String) { self.text = text }

    /// Takes a text that is one JSON value, with white space around it or not; `nil` for any other.
    init?(_ text: String) {
        var scanner = JSONScanner(text)
        guard let range = scanner.scanDocument() else { return nil }
        self.text = scanner.text(in: range)
    }

    /// An array of values.
    static func array(_ elements: [RawJSON]) -> Self {
        RawJSON(unchecked: "[" + elements.map(\.text).joined(separator: ",") + "]")
    }

    /// `true` or `false`.
    static func boolean(_ value: Bool) -> Self {
        RawJSON(unchecked: value ? "true" : "false")
    }

    /// A whole number.
    static func integer(_ value: some BinaryInteger) -> Self {
        RawJSON(unchecked: "\(value)")
    }

    /// A finite number.
    static func number(_ value: Double) -> Self {
        RawJSON(unchecked: "\(value)")
    }

    /// An object with the keys in this order.
    static func object(_ members: [(String, RawJSON)]) -> Self {
        let texts = members.map { string($0.0).text + ":" + $0.1.text }
        return RawJSON(unchecked: "{" + texts.joined(separator: ",") + "}")
    }

    /// A name of a user or of a piece of feedback: an integer where it is one, for those who take no others.
    static func name(_ text: String) -> Self {
        // "007" and "+7" are names of their own.
        if let number = Int64(text), String(number) == text { integer(number) } else { string(text) }
    }

    /// A string.
    static func string(_ value: String) -> Self {
        RawJSON(unchecked: JSONString.quoted(value))
    }
}

extension RawJSON {
    /// What was done, for programs, where the frontend tells it in words.
    static func done(_ message: String, advice: String? = nil) -> Self {
        .object(
            [("ok", .boolean(true)), ("message", .string(message))]
                + (advice.map { [("advice", .string($0))] } ?? []))
    }

    /// An object with one more key behind its own.
    func with(_ key: String, _ value: String) -> Self {
        let rest = compact.text.dropLast()
        let member = Self.string(key).text + ":" + Self.string(value).text
        return RawJSON(unchecked: rest + (rest == "{" ? "" : ",") + member + "}")
    }

    /// Whether it is an array.
    var isArray: Bool { text.hasPrefix("[") }

    /// The elements of an array; `nil` for another value.
    var elements: [RawJSON]? {
        var scanner = JSONScanner(text)
        return scanner.scanElements()?.map { RawJSON(unchecked: scanner.text(in: $0)) }
    }

    /// The value of a key of an object, the last one where the key is there twice; `nil` without it.
    subscript(_ key: String) -> RawJSON? {
        var scanner = JSONScanner(text)
        let member = scanner.scanMembers()?.last { RawJSON(unchecked: scanner.text(in: $0.key)).stringValue == key }
        return member.map { RawJSON(unchecked: scanner.text(in: $0.value)) }
    }

    /// The value of a string; `nil` for another value, and for a string that is no Unicode.
    var stringValue: String? {
        guard text.hasPrefix("\"") else { return nil }
        return try? ForeignJSON.decode(String.self, from: Data(text.utf8))
    }

    /// The same value on one line: without white space outside of strings.
    var compact: RawJSON {
        var bytes: [UInt8] = []
        var isInString = false
        var isEscaped = false
        for byte in text.utf8 {
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else {
                if JSONScanner.isSpace(byte) { continue }
                isInString = byte == UInt8(ascii: "\"")
            }
            bytes.append(byte)
        }
        return RawJSON(unchecked: String(decoding: bytes, as: UTF8.self))
    }
}
