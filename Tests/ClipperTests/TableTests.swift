import Testing

@testable import clipper

@Suite("Tables")
struct TableTests {
    @Test("Columns are as wide as their widest cell, and no line ends with white space")
    func aligns() {
        let table = Table(
            columns: [.left("NAME"), .right("QUERIES"), .left("MODELS")],
            rows: [["digits", "7", "a, b"], ["x", "123456789", "m"]])
        #expect(
            table.lines == [
                "NAME      QUERIES  MODELS",
                "digits          7  a, b",
                "x       123456789  m",
            ])
    }

    @Test("An empty cell shows as a dash")
    func showsEmptyCells() {
        let table = Table(columns: [.left("A"), .right("B")], rows: [["", ""]])
        #expect(table.lines == ["A  B", "-  -"])
    }

    @Test("A table without rows is its headings")
    func showsHeadings() {
        #expect(Table(columns: [.left("A"), .right("B")], rows: []).lines == ["A  B"])
    }

    @Test("Line breaks and control characters in a cell are escaped")
    func escapes() {
        let table = Table(columns: [.left("A"), .left("B")], rows: [["1\n2\t3", "\u{1B}[2J"]])
        #expect(table.lines == ["A        B", "1\\n2\\t3  \\u{1B}[2J"])
    }

    @Test("Wide characters take two columns")
    func measuresWideCharacters() {
        let table = Table(columns: [.left("A"), .left("B")], rows: [["数字", "x"], ["ab", "y"], ["é", "z"]])
        #expect(table.lines == ["A     B", "数字  x", "ab    y", "é     z"])
    }

    @Test("A cell's look covers its text and not the space beside it, the headings have their own")
    func keepsLooks() throws {
        let table = Table(columns: [.left("A"), .right("LONG")], cells: [[Table.Cell("x"), Table.Cell("1", .alarm)]])
        let lines = table.styledLines
        #expect(try #require(lines.first).spans.filter { $0.style == .heading }.map(\.text) == ["A", "LONG"])
        #expect(try #require(lines.last).spans.filter { $0.style != nil } == [.init(text: "1", style: .alarm)])
        #expect(lines.map(\.plain) == table.lines)
    }

    @Test("Fields stand below one another, the values in one column")
    func showsFields() {
        #expect(Table.fields([("name", "a"), ("input type", "doubles")]) == ["name        a", "input type  doubles"])
    }
}

@Suite("Texts for a terminal")
struct PrintableTests {
    @Test("What steers a terminal, or makes a text look like another, is escaped; what only looks odd is not")
    func escapes() {
        #expect(Printable.line("a\u{9B}31mb\u{202E}c\u{7F}") == #"a\u{009B}31mb\u{202E}c\u{7F}"#)
        #expect(Printable.line("👩‍🔬 é") == "👩‍🔬 é")
    }

    @Test("JSON stays JSON where such characters are escaped in its strings")
    func escapesJSON() throws {
        let json = #"["a\#u{9B}31m","\#u{E0001}👩‍🔬"]"#
        #expect(Printable.jsonLine(json) == #"["a\u009b31m","\#u{E0001}👩‍🔬"]"#)
        let answer = try #require(PredictAnswer(#"{"query_id":1,"output":\#(json),"default":false}"#))
        #expect(answer.outputs.map(\.line) == [#"["a\u009b31m","\#u{E0001}👩‍🔬"]"#])
    }

    @Test("A long line is cut and says so")
    func cuts() {
        #expect(Printable.line("abcdef", upTo: 4) == "abc…")
        #expect(Printable.line("abcd", upTo: 4) == "abcd")
    }

    @Test(
        "A word that a shell would read otherwise is quoted",
        arguments: [
            ("digits", "digits"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x", "'$x'"), ("数", "'数'"),
        ])
    func quotes(text: String, word: String) {
        #expect(Printable.shellWord(text) == word)
    }
}

@Suite("A table on a narrow terminal")
struct NarrowTableTests {
    private let table = Table(
        columns: [.left("NAME"), .right("A"), .right("B")],
        rows: [["a-very-long-name-of-a-model:1", "12", "345"], ["b", "6", "7"]])

    @Test("A long name gives way in its middle, and every number is seen")
    func elides() {
        #expect(
            table.styledLines(within: 34).map(\.plain) == [
                "NAME                        A    B", "a-very-long-…of-a-model:1  12  345",
                "b                           6    7",
            ])
    }

    @Test("Where that is not enough the columns move together, and a name keeps ten characters")
    func moves() {
        #expect(table.styledLines(within: 20).map(\.plain)[1] == "a-very…odel:1 12 345")
        #expect(table.styledLines(within: 5).map(\.plain)[1] == "a-ver…el:1 12 345")
    }

    @Test("What fits stays as it is")
    func stays() {
        #expect(table.styledLines(within: 80) == table.styledLines)
    }

    @Test(
        "A text keeps its beginning and its end",
        arguments: [
            ("abcdef", 6, "abcdef"), ("abcdef", 5, "ab…ef"), ("abcdef", 4, "ab…f"), ("abcdef", 1, "…"),
            ("数字数字", 6, "数…字"), ("数字数字", 5, "数…字"),
        ])
    func elides(text: String, columns: Int, shown: String) {
        #expect(TextWidth.elided(text, to: columns) == shown)
    }
}

@Suite("Figures")
struct FiguresTests {
    @Test(
        "A latency has three digits",
        arguments: [
            (0, "0us"), (0.42, "420us"), (1, "1.00ms"), (9.99, "9.99ms"), (9.996, "10.0ms"), (12.34, "12.3ms"),
            (250, "250ms"), (999.6, "1.0s"), (1500, "1.5s"), (120_000, "120s"), (.nan, "-"), (.infinity, "-"),
        ])
    func showsLatency(milliseconds: Double, text: String) {
        #expect(Figures.latency(milliseconds: milliseconds) == text)
    }

    @Test("A rate is per second", arguments: [(0, "0/s"), (0.5, "0.50/s"), (12.34, "12.3/s"), (8123.4, "8123/s")])
    func showsRate(perSecond: Double, text: String) {
        #expect(Figures.rate(perSecond) == text)
    }

    @Test(
        "A part comes with its share of the whole",
        arguments: [(0, 0, "0"), (0, 10, "0"), (5, 10, "5 (50.0%)"), (1, 100_000, "1 (<0.1%)")])
    func showsShare(part: Int, whole: Int, text: String) {
        #expect(Figures.share(part, of: whole) == text)
    }

    @Test(
        "A share is in percent, and what is not quite nothing does not look like nothing",
        arguments: [(0, "0.0%"), (0.0001, "<0.1%"), (0.25, "25.0%"), (1, "100.0%"), (.nan, "-")])
    func showsPercent(share: Double, text: String) {
        #expect(Figures.percent(share) == text)
    }

    @Test(
        "A span is told in its two largest units",
        arguments: [(0.26, "0.3s"), (12, "12s"), (75, "1m 15s"), (7_380, "2h 3m"), (165_600, "1d 22h")])
    func showsSpan(seconds: Double, text: String) {
        #expect(Figures.span(seconds: seconds) == text)
    }
}
