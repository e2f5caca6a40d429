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

    /// A cell with a look.
    struct Cell {
        let text: String
        let style: TextStyle?

        init(_ text: String, _ style: TextStyle? = nil) {
            self.text = text
            self.style = style
        }
    }

    /// The columns, from the left.
    let columns: [Column]
    /// The rows, from the top; a cell for each column.
    let cells: [[Cell]]

    init(columns: [Column], rows: [[String]]) {
        self.init(columns: columns, cells: rows.map { $0.map { Cell($0) } })
    }

    init(columns: [Column], cells: [[Cell]]) {
        self.columns = columns
        self.cells = cells
    }

    /// The cells' texts.
    var rows: [[String]] { cells.map { $0.map(\.text) } }

    /// The lines, headings first, without white space at their ends; an empty cell shows as `-`.
    var lines: [String] { styledLines.map(\.plain) }

    /// The same lines with their looks.
    var styledLines: [StyledLine] {
        let shown = cells.map { row in
            row.map { Cell($0.text.isEmpty ? "-" : Printable.line($0.text), $0.style) }
        }
        let all = [columns.map { Cell($0.title, .heading) }] + shown
        let widths = columns.indices.map { column in
            all.map { $0.indices.contains(column) ? TextWidth.columns(of: $0[column].text) : 0 }.max() ?? 0
        }
        return all.map { row in
            var spans: [StyledLine.Span] = []
            for (index, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[index] - TextWidth.columns(of: cell.text))
                if index > 0 { spans.append(StyledLine.Span(text: "  ")) }
                if columns[index].alignment == .right { spans.append(StyledLine.Span(text: space)) }
                spans.append(StyledLine.Span(text: cell.text, style: cell.style))
                if columns[index].alignment == .left { spans.append(StyledLine.Span(text: space)) }
            }
            return StyledLine(spans).withoutSpaceAtEnd
        }
    }

    /// Names and values below one another, the values in one column.
    static func fields(_ fields: [(String, String)]) -> [String] {
        let table = Table(columns: [.left(""), .left("")], rows: fields.map { [$0.0, $0.1] })
        return Array(table.lines.dropFirst())
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
