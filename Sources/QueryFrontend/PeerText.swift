/// Text that a peer wrote, where a person reads it.
enum PeerText {
    /// The most that is shown of it, in bytes.
    static let mostBytes = 1024

    /// Its beginning, up to a character's end.
    static func beginning(of text: String) -> String {
        guard text.utf8.count > mostBytes else { return text }
        var shown = text.utf8.prefix(mostBytes)
        // No more than three bytes of a scalar follow its first.
        while let last = shown.last, last & 0xC0 == 0x80 { shown = shown.dropLast() }
        if let last = shown.last, last & 0x80 != 0 { shown = shown.dropLast() }
        return String(decoding: shown, as: UTF8.self) + "… (\(text.utf8.count) bytes)"
    }

    /// As a part of one line of a log: what ends lines or moves a terminal's cursor is escaped (RPC 3, 9.1).
    static func line(_ text: String) -> String {
        let beginning = beginning(of: text)
        guard beginning.unicodeScalars.contains(where: isControl) else { return beginning }
        return beginning.unicodeScalars.reduce(into: "") { line, scalar in
            if isControl(scalar) {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
