/// Text that a peer wrote, where a person reads it.
package enum PeerText {
    /// The most that is shown of it, in bytes.
    package static let mostBytes = 1024

    /// Its beginning, up to a character's end.
    package static func beginning(of text: String) -> String {
        guard text.utf8.count > mostBytes else { return text }
        return String(decoding: text.utf8Prefix(atMost: mostBytes), as: UTF8.self) + "… (\(text.utf8.count) bytes)"
    }

    /// As a part of one line of a log: what ends lines or moves a terminal's cursor is escaped (RPC 3, 9.1).
    package static func line(_ text: String) -> String {
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
