/// Texts from elsewhere, made fit for a terminal: one line, no control sequences.
enum Printable {
    /// Whether a text can be printed as one line as it is.
    static func isLine(_ text: String) -> Bool {
        !text.unicodeScalars.contains(where: needsEscape)
    }

    /// The text with line breaks and control characters escaped.
    static func line(_ text: String) -> String {
        guard !isLine(text) else { return text }
        var line = ""
        for scalar in text.unicodeScalars {
            if needsEscape(scalar) {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    /// JSON on one line, as JSON still: such characters stand in its strings alone, and are escaped as there.
    static func jsonLine(_ json: String) -> String {
        guard !isLine(json) else { return json }
        return json.unicodeScalars.reduce(into: "") { line, scalar in
            guard needsEscape(scalar) else { return line.unicodeScalars.append(scalar) }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
    }

    /// The same for each line of a text.
    static func text(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line(String($0)) }.joined(separator: "\n")
    }

    /// The line, cut to `count` characters where it is longer.
    static func line(_ text: String, upTo count: Int) -> String {
        let line = line(text)
        return line.count <= count ? line : line.prefix(count - 1) + "…"
    }

    /// A word for a shell, in quotes where it needs them.
    static func shellWord(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return byte < 0x80 && (character.isLetter || character.isNumber || "-._/".contains(character))
        }
        guard text.isEmpty || !isPlain else { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // What turns the direction of a line, or is not seen, can make a text look like another.
        case 0x061C, 0x200B, 0x200E...0x200F, 0x202A...0x202E, 0x2060, 0x2066...0x2069, 0xFEFF: return true
        default: break
        }
        return switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
