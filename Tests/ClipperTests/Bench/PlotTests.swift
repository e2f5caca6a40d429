import Foundation
import Testing

@testable import clipper

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("Axes")
struct PlotAxisTests {
    @Test(
        "Ticks are round, and the values lie between the first and the last",
        arguments: [(0.0, 1.0), (0, 0.0031), (0, 6000), (0, 97), (17, 1234), (-3, 8), (0, 1e7), (99.2, 99.9), (5, 5)])
    func coversValues(low: Double, high: Double) throws {
        let ticks = PlotAxis.linearTicks(from: low, to: high)
        #expect((2...9).contains(ticks.count))
        #expect(try #require(ticks.first) <= low)
        #expect(try #require(ticks.last) >= high)
        let step = ticks[1] - ticks[0]
        #expect(zip(ticks.dropFirst(), ticks).allSatisfy { abs($0 - $1 - step) < step * 1e-6 })
        let digits = step / pow(10, log10(step * (1 + 1e-9)).rounded(.down))
        #expect([1, 2, 2.5, 5].contains { abs($0 - digits) < 1e-6 })
    }

    @Test("An axis ends at its limit")
    func keepsLimit() {
        let axis = PlotAxis.fitting([12, 99.7], title: "", limit: 100)
        #expect(axis.range == 0...100)
        #expect(axis.ticks.last?.label == "100")
    }

    @Test("Logarithmic ticks cover the values", arguments: [(1.0, 10.0), (3, 700), (0.02, 0.021), (1, 1e9), (5, 5)])
    func coversLogarithmically(low: Double, high: Double) throws {
        let ticks = PlotAxis.logarithmicTicks(from: low, to: high)
        #expect((2...15).contains(ticks.count))
        #expect(try #require(ticks.first) <= low * 1.0001)
        #expect(try #require(ticks.last) >= high * 0.9999)
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("Values have their place; those beyond the axis are at its ends")
    func places() {
        let linear = PlotAxis(title: "", scale: .linear, range: 10...20, ticks: [])
        #expect([10, 15, 20, 0, 99, .nan].map(linear.place) == [0, 0.5, 1, 0, 1, 0])
        let logarithmic = PlotAxis(title: "", scale: .logarithmic, range: 1...100, ticks: [])
        #expect([1, 10, 100, 0, -5].map(logarithmic.place) == [0, 0.5, 1, 0, 0])
    }

    @Test(
        "Numbers are as short as can be",
        arguments: [
            (0, "0"), (1.5, "1.5"), (1000, "1,000"), (1_234_567, "1,234,567"), (0.0025, "0.0025"), (-1500, "-1,500"),
            (99.99, "99.99"), (0x1p62, "4,611,686,018,427,387,904"), (0x1p63, "9.22337e+18"), (-1e300, "-1e+300"),
            (.infinity, "inf"),
        ])
    func writesNumbers(value: Double, text: String) {
        #expect(PlotAxis.number(value) == text)
    }
}

@Suite("Plots")
struct PlotTests {
    private let labelled = [
        LabelledReport(label: "deadline", report: sampleReport()),
        LabelledReport(label: "fixed(64) & <more>", report: sampleReport()),
    ]

    @Test("A plot of any figure is well-formed XML with a curve for each label", arguments: BenchFigure.allCases)
    func isWellFormed(figure: BenchFigure) throws {
        let text = PlotSVG.document(BenchPlots.plot(figure, labelled, title: "a < b & \"c\"", optimum: 1500))
        let elements = try Elements(text)
        #expect(elements.names.first == "svg")
        #expect(elements.names.count { $0 == "polyline" } == 2)
        #expect(elements.texts.contains { $0.hasPrefix("fixed(64) & <more>") })
        #expect(elements.texts.contains("a < b & \"c\""))
    }

    @Test("A report of several rates is drawn over them, one of a single rate as its distribution")
    func choosesPanels() {
        var report = sampleReport()
        #expect(
            BenchPlots.plot(report).panels.map(\.x.title)
                == [String](repeating: "offered rate (requests per second)", count: 3))
        report.runs.removeLast()
        #expect(BenchPlots.plot(report).panels.map(\.x.title) == ["percentile"])
    }

    @Test("Every point lies inside its panel, and every text inside the document")
    func staysInside() throws {
        let plot = BenchPlots.plot(sampleReport())
        for panel in plot.panels {
            for point in panel.series.flatMap(\.points) {
                #expect(panel.x.range.contains(point.x))
                #expect(panel.y.range.contains(point.y))
            }
        }
        let elements = try Elements(PlotSVG.document(plot))
        let (width, height) = (try #require(elements.width), try #require(elements.height))
        #expect(!elements.places.isEmpty)
        #expect(elements.places.allSatisfy { (0...width).contains($0.x) && (0...height).contains($0.y) })
    }

    @Test("Reports of one label are repetitions: their median is drawn, and their range")
    func drawsMedians() throws {
        let reports = [500.0, 900, 700].map { goodput in
            var report = sampleReport()
            report.runs[0].goodput = goodput
            return LabelledReport(label: "deadline", report: report)
        }
        let series = try #require(BenchPlots.plot(.goodput, reports).panels.first?.series)
        #expect(series.count == 1)
        let point = try #require(series.first?.points.first)
        #expect(point == Plot.Point(x: 1000, y: 700, spread: 500...900))
    }

    @Test("The objective and the optimum are drawn as lines within the axes")
    func drawsReferences() throws {
        let panel = try #require(BenchPlots.plot(.goodput, labelled, optimum: 3000).panels.first)
        #expect(panel.references.map(\.name) == ["optimum", "all of the offered"])
        for reference in panel.references {
            for end in [reference.from, reference.to] {
                #expect(panel.x.range.contains(end.x) && panel.y.range.contains(end.y))
            }
        }
        #expect(BenchPlots.plot(.p99, labelled).panels.first?.references.map(\.name) == ["SLO"])
        #expect(BenchPlots.plot(.share, labelled).panels.first?.references.map(\.name) == ["goal"])
    }

    @Test("A distribution is that of the last run of each file, and says at which rate")
    func namesRates() throws {
        var reports = labelled
        reports[1].report.runs.removeLast()
        let panel = try #require(BenchPlots.plot(.latency, reports).panels.first)
        #expect(panel.series.map(\.name) == ["deadline, 2,000/s", "fixed(64) & <more>, 1,000/s"])
    }

    @Test("Files of different objectives have a line each, named by it", arguments: [BenchFigure.p99, .latency])
    func namesObjectives(figure: BenchFigure) throws {
        var reports = labelled
        reports[1].report.sloMicros = 30_000
        let plot = BenchPlots.plot(figure, reports)
        #expect(try #require(plot.panels.first).references.map(\.name) == ["SLO 20ms", "SLO 30ms"])
        #expect(!plot.subtitle.contains("SLO"))
        #expect(BenchPlots.plot(figure, labelled).subtitle.hasSuffix("SLO 20ms"))
    }

    @Test("Of files that differ the subtitle says what they have in common, and a goal is drawn that all have")
    func commonParts() throws {
        var reports = labelled
        #expect(BenchPlots.plot(.share, reports).subtitle.contains("Poisson arrivals"))
        #expect(try #require(BenchPlots.plot(.share, reports).panels.first).references.map(\.name) == ["goal"])
        reports[1].report.arrivals = "constant"
        reports[1].report.goal = 0.9
        let plot = BenchPlots.plot(.share, reports)
        #expect(!plot.subtitle.contains("arrivals") && plot.subtitle.contains("open loop"), "\(plot.subtitle)")
        #expect(try #require(plot.panels.first).references.isEmpty)
    }

    @Test("A run that ended before a request was due has no place in a plot")
    func emptyRun() throws {
        var report = sampleReport()
        report.runs[1].sent = 0
        let plot = BenchPlots.plot(.share, [LabelledReport(label: "a", report: report)])
        #expect(try #require(plot.panels.first?.series.first).points.map(\.x) == [1000])
    }

    @Test("What is offered is drawn where it is a line: both axes have one scale")
    func offered() throws {
        for (x, y, isDrawn) in [
            (PlotAxis.Scale.linear, PlotAxis.Scale.linear, true), (.logarithmic, .logarithmic, true),
            (.linear, .logarithmic, false), (.logarithmic, .linear, false),
        ] {
            let panel = try #require(BenchPlots.plot(.goodput, labelled, x: x, y: y).panels.first)
            #expect(panel.references.contains { $0.name == "all of the offered" } == isDrawn)
        }
    }

    @Test(
        "Numbers that nobody can have measured do no harm",
        arguments: [Double.greatestFiniteMagnitude, 1e19, .leastNonzeroMagnitude].flatMap { [$0, -$0] })
    func drawsAnything(number: Double) throws {
        var (report, other) = (sampleReport(), sampleReport())
        report.goal = number
        for index in report.runs.indices {
            report.runs[index].rate = number
            report.runs[index].durationSeconds = number
            report.runs[index].goodput = number
            report.runs[index].shareInSLO = number
            report.runs[index].latency?.p99 = number
            report.runs[index].latencyCurve = [[number, number], [(100.0).nextDown, -number]]
        }
        other.runs[0].goodput = -number
        let labelled = [report, other].map { LabelledReport(label: "a", report: $0) }
        for figure in BenchFigure.allCases {
            for scale in [PlotAxis.Scale.linear, .logarithmic] {
                _ = try Elements(PlotSVG.document(BenchPlots.plot(figure, labelled, x: scale, y: scale)))
                _ = try Elements(PlotSVG.document(BenchPlots.plot(figure, [labelled[0]], x: scale, y: scale)))
            }
        }
        _ = try Elements(PlotSVG.document(BenchPlots.plot(report)))
    }

    @Test("A report without runs makes an empty plot")
    func drawsNothing() throws {
        var report = sampleReport()
        report.runs = []
        for figure in BenchFigure.allCases {
            _ = try Elements(PlotSVG.document(BenchPlots.plot(figure, [LabelledReport(label: "a", report: report)])))
        }
        _ = try Elements(PlotSVG.document(BenchPlots.plot(report)))
    }
}

/// The elements of an SVG document: their names, texts and places.
private final class Elements: NSObject, XMLParserDelegate {
    var names: [String] = []
    var texts: [String] = []
    var places: [(x: Double, y: Double)] = []
    var width: Double?
    var height: Double?
    private var isText = false

    /// - Throws: what is wrong with the XML.
    init(_ text: String) throws {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        guard parser.parse() else { throw parser.parserError ?? CocoaError(.coderReadCorrupt) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        names.append(name)
        func number(_ key: String) -> Double? { attributes[key].flatMap(Double.init) }
        if name == "svg" { (width, height) = (number("width"), number("height")) }
        for (x, y) in [("x", "y"), ("x1", "y1"), ("x2", "y2"), ("cx", "cy")] {
            if let x = number(x), let y = number(y) { places.append((x, y)) }
        }
        for pair in attributes["points"]?.split(separator: " ") ?? [] {
            let numbers = pair.split(separator: ",").compactMap { Double($0) }
            if numbers.count == 2 { places.append((numbers[0], numbers[1])) }
        }
        isText = name == "text"
        if isText { texts.append("") }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) {
        if isText, !texts.isEmpty { texts[texts.count - 1] += characters }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        isText = false
    }
}
