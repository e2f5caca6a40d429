/// Rows under headings, in columns as wide as their widest cell.
struct Table {
    /// One column.
    struct Column {
        /// Where the cells stand in the column.
        enum Alignment { case left, right }

        let title: String
        let alignment: Alignment

        static func left(_ title: String) -> Self { Column(title: title, alignment: .left) }
        static func right(_ title: String) -> Self { Column(title: title, alignment: .right) }
    }

    /// The columns, from the left.
    let columns: [Column]
    /// The rows, from the top; a cell for each column.
    var rows: [[String]]

    /// The lines, headings first, without white space at their ends; an empty cell shows as `-`.
    var lines: [String] {
        let cells = rows.map { row in row.map { $0.isEmpty ? "-" : Printable.line($0) } }
        let all = [columns.map(\.title)] + cells
        let widths = columns.indices.map { column in
            all.map { $0.indices.contains(column) ? TextWidth.columns(of: $0[column]) : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = zip(row.indices, row).map { index, cell in
                Self.pad(cell, to: widths[index], columns[index].alignment)
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// Names and values below one another, the values in one column.
    static func fields(_ fields: [(String, String)]) -> [String] {
        let table = Table(columns: [.left(""), .left("")], rows: fields.map { [$0.0, $0.1] })
        return Array(table.lines.dropFirst())
    }

    private static func pad(_ cell: String, to width: Int, _ alignment: Column.Alignment) -> String {
        let space = String(repeating: " ", count: max(0, width - TextWidth.columns(of: cell)))
        return alignment == .left ? cell + space : space + cell
    }
}

/// How much of a terminal's line a text takes.
enum TextWidth {
    /// The columns of a text: two for a character of East Asian scripts or an emoji, one for others.
    static func columns(of text: String) -> Int {
        text.reduce(0) { $0 + (isWide($1) ? 2 : 1) }
    }

    private static func isWide(_ character: Character) -> Bool {
        guard let scalar = character.unicodeScalars.first else { return false }
        return switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            true
        default: scalar.properties.isEmojiPresentation
        }
    }
}
