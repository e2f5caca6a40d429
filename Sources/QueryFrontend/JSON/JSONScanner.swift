/// Finds where the values of a JSON text begin and end, and whether it is one (RFC 8259).
///
/// It is for what people write, and for telling them what is wrong; queries are read by simdjson.
package struct JSONScanner {
    /// The arrays and objects that a value may lie within, as many as simdjson follows: one that lies deeper counts as invalid,
    /// and an empty array or object is a value like another.
    private static let greatestDepth = 1023

    private let bytes: [UInt8]
    private var position = 0
    private var isTooDeep = false
    private var isUnpaired = false

    package init(_ text: String) { bytes = Array(text.utf8) }

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// White space between values.
    package static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// The text of a range that was found.
    package func text(in range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The one value of the text; `nil` if there is none, an invalid one, or something after it.
    package mutating func scanDocument() -> Range<Int>? {
        position = 0
        skipSpace()
        guard let range = scanValue(depth: 0) else { return nil }
        skipSpace()
        return position == bytes.count ? range : nil
    }

    /// The elements of the text's array; `nil` if it is none.
    package mutating func scanElements() -> [Range<Int>]? {
        position = 0
        skipSpace()
        var elements: [Range<Int>] = []
        return scanArray(depth: 0, onElement: { elements.append($0) }) ? elements : nil
    }

    /// The members of the text's object; `nil` if it is none.
    package mutating func scanMembers() -> [(key: Range<Int>, value: Range<Int>)]? {
        position = 0
        skipSpace()
        var members: [(key: Range<Int>, value: Range<Int>)] = []
        return scanObject(depth: 0, onMember: { members.append(($0, $1)) }) ? members : nil
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, Self.isSpace(byte) { position += 1 }
    }

    /// Steps over `character` if it is next.
    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func scanValue(depth: Int) -> Range<Int>? {
        guard depth <= Self.greatestDepth else {
            isTooDeep = true
            return nil
        }
        guard let first = next else { return nil }
        let start = position
        let isValid =
            switch first {
            case UInt8(ascii: "{"): scanObject(depth: depth, onMember: { _, _ in })
            case UInt8(ascii: "["): scanArray(depth: depth, onElement: { _ in })
            case UInt8(ascii: "\""): scanString()
            case UInt8(ascii: "t"): scanWord("true")
            case UInt8(ascii: "f"): scanWord("false")
            case UInt8(ascii: "n"): scanWord("null")
            default: scanNumber()
            }
        return isValid ? start..<position : nil
    }

    private mutating func scanArray(depth: Int, onElement: (Range<Int>) -> Void) -> Bool {
        guard accept("[") else { return false }
        skipSpace()
        if accept("]") { return true }
        repeat {
            skipSpace()
            guard let element = scanValue(depth: depth + 1) else { return false }
            onElement(element)
            skipSpace()
        } while accept(",")
        return accept("]")
    }

    private mutating func scanObject(depth: Int, onMember: (Range<Int>, Range<Int>) -> Void) -> Bool {
        guard accept("{") else { return false }
        skipSpace()
        if accept("}") { return true }
        repeat {
            skipSpace()
            let start = position
            guard scanString() else { return false }
            let key = start..<position
            skipSpace()
            guard accept(":") else { return false }
            skipSpace()
            guard let value = scanValue(depth: depth + 1) else { return false }
            onMember(key, value)
            skipSpace()
        } while accept(",")
        return accept("}")
    }

    private mutating func scanString() -> Bool {
        guard accept("\"") else { return false }
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard scanEscape() else { return false }
            case ..<0x20:
                position -= 1
                return false
            default: break
            }
        }
        return false
    }

    /// What follows a backslash.
    private mutating func scanEscape() -> Bool {
        guard let byte = next else { return false }
        // What is no escape is where it stands.
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
            return true
        case UInt8(ascii: "u"):
            let start = position - 1
            guard let unit = scanCodeUnit() else { return false }
            guard UTF16.isLeadSurrogate(unit) || UTF16.isTrailSurrogate(unit) else { return true }
            if UTF16.isLeadSurrogate(unit), accept("\\"), next == UInt8(ascii: "u"), let second = scanCodeUnit(),
                UTF16.isTrailSurrogate(second)
            {
                return true
            }
            isUnpaired = true
            position = start
            return false
        default:
            return false
        }
    }

    /// The letter `u` and four hexadecimal digits.
    private mutating func scanCodeUnit() -> UInt16? {
        position += 1
        let digits = bytes[position...].prefix(4).prefix { Character(Unicode.Scalar($0)).isHexDigit }
        position += digits.count
        return digits.count == 4 ? UInt16(String(decoding: digits, as: UTF8.self), radix: 16) : nil
    }

    private mutating func scanWord(_ word: StaticString) -> Bool {
        let expected = word.description.utf8
        guard bytes[position...].starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    private mutating func scanNumber() -> Bool {
        _ = accept("-")
        guard accept("0") || scanDigits() else { return false }
        if accept("."), !scanDigits() { return false }
        if accept("e") || accept("E") {
            _ = accept("+") || accept("-")
            return scanDigits()
        }
        return true
    }

    private mutating func scanDigits() -> Bool {
        let start = position
        while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
        return position > start
    }
}

extension JSONScanner {
    /// What keeps the text from being a JSON value, and where; `nil` where nothing does.
    package static func problem(of bytes: [UInt8]) -> String? {
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { return "it begins with a byte order mark" }
        var scanner = JSONScanner(bytes: bytes)
        guard scanner.scanDocument() == nil else { return nil }
        return scanner.problem
    }

    /// What is wrong where the scan has ended.
    private var problem: String {
        if isTooDeep { return "a value within more than \(Self.greatestDepth) arrays and objects" }
        if isUnpaired { return "half a surrogate pair, which is no character, at byte \(position)" }
        guard position < bytes.count else { return "it ends too early, after \(bytes.count) bytes" }
        return "\(unexpected(bytes[position...])) at byte \(position)"
    }

    private func unexpected(_ rest: ArraySlice<UInt8>) -> String {
        let word = rest.prefix { Character(Unicode.Scalar($0)).isLetter && $0 < 0x80 }.prefix(16)
        let text = String(decoding: word, as: UTF8.self)
        if ["nan", "infinity", "inf"].contains(text.lowercased()) { return "\(text), which is no number in JSON," }
        if ["true", "false", "none"].contains(text.lowercased()) {
            return "\(text), where JSON has \(text.lowercased() == "none" ? "null" : text.lowercased()),"
        }
        // A byte that is no character of its own is shown as a number.
        guard let first = rest.first, (0x20..<0x7F).contains(first) else {
            return "an unexpected byte of value \(rest.first ?? 0)"
        }
        return "an unexpected '\(Unicode.Scalar(first))'"
    }
}
