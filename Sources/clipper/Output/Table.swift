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
    var styledLines: [StyledLine] { styledLines(within: nil) }

    /// The lines for a terminal of so many columns: where they do not fit, the first column, the names, makes room, and then
    /// the space between the columns. One long name shall not cost all others their numbers.
    func styledLines(within width: Int?) -> [StyledLine] {
        let shown = cells.map { row in
            row.map { Cell($0.text.isEmpty ? "-" : Printable.line($0.text), $0.style) }
        }
        var all = [columns.map { Cell($0.title, .heading) }] + shown
        var widths = columns.indices.map { column in
            all.map { $0.indices.contains(column) ? TextWidth.columns(of: $0[column].text) : 0 }.max() ?? 0
        }
        var gap = 2
        if let width, let names = widths.first {
            let fitted = Self.fitted(names: names, others: widths.dropFirst().reduce(0, +), columns.count, width)
            (widths[0], gap) = fitted
            for row in all.indices where !all[row].isEmpty {
                all[row][0] = Cell(TextWidth.elided(all[row][0].text, to: fitted.names), all[row][0].style)
            }
        }
        return all.map { row in
            var spans: [StyledLine.Span] = []
            for (index, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[index] - TextWidth.columns(of: cell.text))
                if index > 0 { spans.append(StyledLine.Span(text: String(repeating: " ", count: gap))) }
                if columns[index].alignment == .right { spans.append(StyledLine.Span(text: space)) }
                spans.append(StyledLine.Span(text: cell.text, style: cell.style))
                if columns[index].alignment == .left { spans.append(StyledLine.Span(text: space)) }
            }
            return StyledLine(spans).withoutSpaceAtEnd
        }
    }

    /// The width of the names and the gap that let a line fit, as far as names stay readable.
    private static func fitted(
        names: Int, others: Int, _ count: Int, _ width: Int
    ) -> (names: Int, gap: Int) {
        let roomy = width - others - 2 * (count - 1)
        if roomy >= min(names, comfortableName) { return (min(names, roomy), 2) }
        let tight = width - others - (count - 1)
        return (min(names, max(shortestName, tight)), 1)
    }

    /// Names are cut to this before columns move together, and to that where they still do not fit.
    private static let comfortableName = 24
    private static let shortestName = 10

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

    /// The text, or its beginning and its end where it takes more columns than there are: names often differ in both.
    static func elided(_ text: String, to columns: Int) -> String {
        guard self.columns(of: text) > columns else { return text }
        let room = max(0, columns - 1)
        func fitting(_ characters: some Sequence<Character>, _ room: Int) -> [Character] {
            var left = room
            return characters.prefix { character in
                left -= self.columns(of: String(character))
                return left >= 0
            }
        }
        let end = fitting(text.reversed(), room / 2)
        let start = fitting(text, room - self.columns(of: String(end)))
        return String(start) + "…" + String(end.reversed())
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
