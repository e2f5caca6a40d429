import ContainerRPC
import Foundation

/// Writes a plot as SVG 1.1 that shows the same everywhere: no scripts, no style sheets, no fonts of its own.
struct PlotSVG {
    // Colours that are told apart by most of those who see few (Okabe and Ito), and shapes for all others.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999933",
    ]
    private static let referenceColour = "#555555"
    private static let shapeCount = 4
    private static let mostMarks = 20
    private static let width = 860.0, panelHeight = 330.0, panelGap = 26.0
    private static let left = 78.0, right = 24.0, axisSpace = 56.0
    private static let font = "font-family=\"Helvetica, Arial, sans-serif\""

    private let plot: Plot
    private var parts: [String] = []

    private init(_ plot: Plot) { self.plot = plot }

    /// The plot as an SVG document.
    static func document(_ plot: Plot) -> String {
        var writer = PlotSVG(plot)
        return writer.write()
    }

    /// The rectangle of a panel's data, in the document's units.
    struct Area: Equatable {
        var x, y, width, height: Double

        func point(_ point: Plot.Point, in panel: Plot.Panel) -> (x: Double, y: Double) {
            (x + panel.x.place(of: point.x) * width, y + (1 - panel.y.place(of: point.y)) * height)
        }
    }

    private mutating func write() -> String {
        let legend = legendRows()
        let top = 62.0 + Double(legend.count) * 20
        let height =
            top + Double(plot.panels.count) * (Self.panelHeight + Self.axisSpace)
            + Double(max(0, plot.panels.count - 1)) * Self.panelGap
        text(Self.left, 28, plot.title, size: 18, weight: "bold")
        text(Self.left, 48, plot.subtitle, size: 12, colour: "#555555")
        for (row, entries) in legend.enumerated() { draw(legend: entries, y: 68 + Double(row) * 20) }
        for (index, panel) in plot.panels.enumerated() {
            let y = top + Double(index) * (Self.panelHeight + Self.axisSpace + Self.panelGap)
            draw(
                panel,
                in: Area(x: Self.left, y: y, width: Self.width - Self.left - Self.right, height: Self.panelHeight))
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.figure(Self.width))" \
            height="\(Self.figure(height))" viewBox="0 0 \(Self.figure(Self.width)) \(Self.figure(height))" \
            role="img" aria-label="\(XMLText.escaped(plot.title))">
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(parts.joined(separator: "\n"))
            </svg>

            """
    }

    // MARK: - Panels

    private mutating func draw(_ panel: Plot.Panel, in area: Area) {
        drawGrid(panel, in: area)
        for reference in panel.references {
            let (from, to) = (area.point(reference.from, in: panel), area.point(reference.to, in: panel))
            line(from, to, colour: Self.referenceColour, dashes: dashes(of: reference.name))
        }
        for series in panel.series { draw(series, of: panel, in: area) }
    }

    private mutating func drawGrid(_ panel: Plot.Panel, in area: Area) {
        let bottom = area.y + area.height
        for tick in panel.y.ticks {
            let y = bottom - panel.y.place(of: tick.value) * area.height
            line((area.x, y), (area.x + area.width, y), colour: "#e3e3e3")
            text(area.x - 8, y + 4, tick.label, size: 12, anchor: "end", colour: "#333333")
        }
        for tick in panel.x.ticks {
            let x = area.x + panel.x.place(of: tick.value) * area.width
            line((x, area.y), (x, bottom), colour: "#e3e3e3")
            line((x, bottom), (x, bottom + 5), colour: "#333333")
            text(x, bottom + 20, tick.label, size: 12, anchor: "middle", colour: "#333333")
        }
        line((area.x, area.y), (area.x, bottom), colour: "#333333")
        line((area.x, bottom), (area.x + area.width, bottom), colour: "#333333")
        text(area.x + area.width / 2, bottom + 42, panel.x.title, size: 13, anchor: "middle")
        let (x, y) = (18.0, area.y + area.height / 2)
        text(x, y, panel.y.title, size: 13, anchor: "middle", turn: "rotate(-90 \(Self.figure(x)) \(Self.figure(y)))")
    }

    private mutating func draw(_ series: Plot.Series, of panel: Plot.Panel, in area: Area) {
        let style = names.firstIndex(of: series.name) ?? 0
        let colour = Self.colour(style)
        let points = series.points.filter { $0.x.isFinite && $0.y.isFinite }
        for point in points where point.spread.lowerBound < point.spread.upperBound {
            let low = area.point(Plot.Point(x: point.x, y: point.spread.lowerBound), in: panel)
            let high = area.point(Plot.Point(x: point.x, y: point.spread.upperBound), in: panel)
            line(low, high, colour: colour)
            for end in [low, high] { line((end.x - 4, end.y), (end.x + 4, end.y), colour: colour) }
        }
        let places = points.map { area.point($0, in: panel) }
        let path = places.map { "\(Self.figure($0.x)),\(Self.figure($0.y))" }.joined(separator: " ")
        if places.count > 1 {
            parts.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>")
        }
        // A long curve needs its shape only now and then.
        let distance = places.count / Self.mostMarks + 1
        for (index, place) in places.enumerated() where index % distance == 0 { mark(place, style: style) }
    }

    // MARK: - Legend

    /// What the legend names.
    private enum Entry {
        case series(String)
        case reference(String)

        var name: String {
            switch self {
            case .series(let name), .reference(let name): name
            }
        }
    }

    /// The names of all series; their places say how they are drawn, in every panel.
    private var names: [String] { Self.unique(plot.panels.flatMap(\.series).map(\.name)) }

    /// The names of all references, likewise.
    private var referenceNames: [String] { Self.unique(plot.panels.flatMap(\.references).map(\.name)) }

    private static func unique(_ names: [String]) -> [String] {
        names.reduce(into: []) { unique, name in
            if !unique.contains(name) { unique.append(name) }
        }
    }

    private func legendRows() -> [[Entry]] {
        let entries = names.map(Entry.series) + referenceNames.map(Entry.reference)
        var rows: [[Entry]] = []
        var left = 0.0
        for entry in entries {
            let space = Self.legendWidth(entry)
            if rows.isEmpty || left + space > Self.width - Self.left - Self.right {
                rows.append([])
                left = 0
            }
            rows[rows.count - 1].append(entry)
            left += space
        }
        return rows
    }

    /// Nobody knows the font's widths here; 7 is more than most letters of size 13 take.
    private static func legendWidth(_ entry: Entry) -> Double { 54 + Double(TextWidth.columns(of: entry.name)) * 7 }

    private mutating func draw(legend entries: [Entry], y: Double) {
        var x = Self.left
        for entry in entries {
            switch entry {
            case .series(let name):
                let style = names.firstIndex(of: name) ?? 0
                line((x, y), (x + 28, y), colour: Self.colour(style), width: 2)
                mark((x + 14, y), style: style)
            case .reference(let name):
                line((x, y), (x + 28, y), colour: Self.referenceColour, dashes: dashes(of: name))
            }
            text(x + 34, y + 4, entry.name, size: 13)
            x += Self.legendWidth(entry)
        }
    }

    // MARK: - Elements

    private static func colour(_ style: Int) -> String { colours[style % colours.count] }

    private func dashes(of reference: String) -> String {
        let all = ["7 4", "2 3", "12 4 2 4", "4 2"]
        return all[(referenceNames.firstIndex(of: reference) ?? 0) % all.count]
    }

    private mutating func mark(_ place: (x: Double, y: Double), style: Int) {
        let (x, y, colour) = (place.x, place.y, Self.colour(style))
        func corners(_ offsets: [(Double, Double)]) -> String {
            let points = offsets.map { "\(Self.figure(x + $0.0)),\(Self.figure(y + $0.1))" }.joined(separator: " ")
            return "<polygon points=\"\(points)\" fill=\"\(colour)\"/>"
        }
        let shape =
            switch style % Self.shapeCount {
            case 0: "<circle cx=\"\(Self.figure(x))\" cy=\"\(Self.figure(y))\" r=\"3.5\" fill=\"\(colour)\"/>"
            case 1: corners([(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)])
            case 2: corners([(0, -4.4), (4.2, 3.2), (-4.2, 3.2)])
            default: corners([(0, -4.6), (4.6, 0), (0, 4.6), (-4.6, 0)])
            }
        parts.append(shape)
    }

    private mutating func line(
        _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), colour: String, width: Double = 1,
        dashes: String? = nil
    ) {
        let dashes = dashes.map { " stroke-dasharray=\"\($0)\"" } ?? ""
        parts.append(
            "<line x1=\"\(Self.figure(from.x))\" y1=\"\(Self.figure(from.y))\" x2=\"\(Self.figure(to.x))\" "
                + "y2=\"\(Self.figure(to.y))\" stroke=\"\(colour)\" stroke-width=\"\(Self.figure(width))\"\(dashes)/>")
    }

    private mutating func text(
        _ x: Double, _ y: Double, _ text: String, size: Double, anchor: String = "start", weight: String = "normal",
        colour: String = "#111111", turn: String? = nil
    ) {
        let turn = turn.map { " transform=\"\($0)\"" } ?? ""
        parts.append(
            "<text x=\"\(Self.figure(x))\" y=\"\(Self.figure(y))\" \(Self.font) font-size=\"\(Self.figure(size))\" "
                + "font-weight=\"\(weight)\" text-anchor=\"\(anchor)\" fill=\"\(colour)\"\(turn)>"
                + "\(XMLText.escaped(text))</text>")
    }

    /// A coordinate to a hundredth.
    private static func figure(_ value: Double) -> String {
        let rounded = value.rounded(places: 2)
        return rounded == rounded.rounded() ? String(format: "%.0f", rounded) : String(format: "%.2f", rounded)
    }
}
