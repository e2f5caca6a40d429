/// A terminal that is drawn over again and again, as control sequences (ECMA-48, and xterm's alternate screen).
struct Screen: Equatable {
    /// The size in characters.
    var columns: Int
    var rows: Int
    /// Whether looks are shown.
    var showsColour: Bool

    /// Turns to the alternate screen, without a cursor, and clips lines instead of wrapping them.
    static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l"
    /// Brings back what was there before.
    static let leave = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    /// Draws the lines from the top, over what is there. What has no room is left out, and a line says so.
    func drawing(_ lines: [StyledLine]) -> String {
        var shown = lines
        if lines.count > rows {
            let kept = max(0, rows - 1)
            shown = lines.prefix(kept) + [StyledLine("… and \(lines.count - kept) more lines", .faint)]
        }
        let texts = shown.prefix(max(1, rows)).map { line in
            // Erased before it is written: after a full line the cursor still stands in its last column.
            "\u{1B}[2K" + text(line.cut(to: columns))
        }
        let below = texts.count < rows ? "\r\n\u{1B}[0J" : ""
        return "\u{1B}[H" + texts.joined(separator: "\r\n") + below
    }

    private func text(_ line: StyledLine) -> String {
        showsColour ? line.coloured : line.plain
    }
}
