/// How a piece of text looks on a terminal that shows colours.
enum TextStyle: Equatable {
    case heading, faint, warning, alarm

    /// The parameter of "select graphic rendition" (ECMA-48).
    fileprivate var code: String {
        switch self {
        case .heading: "1"
        case .faint: "2"
        case .warning: "33"
        case .alarm: "31"
        }
    }
}

/// One line of text in pieces that may look different.
struct StyledLine: Equatable {
    /// A piece of text of one look.
    struct Span: Equatable {
        var text: String
        var style: TextStyle?
    }

    private(set) var spans: [Span]

    /// A line of one look.
    init(_ text: String, _ style: TextStyle? = nil) {
        spans = [Span(text: text, style: style)]
    }

    init(_ spans: [Span]) {
        self.spans = spans
    }

    /// The text alone.
    var plain: String { spans.map(\.text).joined() }

    /// The text with a terminal's control sequences for its looks.
    var coloured: String {
        spans.map { span in
            guard let style = span.style, !span.text.isEmpty else { return span.text }
            return "\u{1B}[\(style.code)m\(span.text)\u{1B}[0m"
        }.joined()
    }

    /// The same line in one look.
    func styled(_ style: TextStyle) -> StyledLine {
        StyledLine(plain, style)
    }

    /// The line without the spaces that it ends with.
    var withoutSpaceAtEnd: StyledLine {
        var spans = spans
        while let last = spans.last {
            spans.removeLast()
            guard let end = last.text.lastIndex(where: { $0 != " " }) else { continue }
            spans.append(Span(text: String(last.text[...end]), style: last.style))
            break
        }
        return StyledLine(spans)
    }

    /// The line, cut where it would take more columns of a terminal than there are; then it ends with an ellipsis.
    func cut(to columns: Int) -> StyledLine {
        guard TextWidth.columns(of: plain) > columns else { return self }
        var left = max(0, columns - 1)
        var kept: [Span] = []
        for span in spans {
            let text = span.text.prefix { character in
                left -= TextWidth.columns(of: String(character))
                return left >= 0
            }
            kept.append(Span(text: String(text), style: span.style))
            guard text.count == span.text.count else { break }
        }
        if columns > 0 { kept.append(Span(text: "…")) }
        return StyledLine(kept)
    }
}
