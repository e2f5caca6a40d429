import ArgumentParser
import Foundation

/// What a plot of several reports shows.
enum BenchFigure: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Predictions within the SLO per second.
    case goodput
    /// Their share of all requests.
    case share
    /// Percentiles of the latency.
    case p50, p99, p999
    /// The whole distribution of the latency, of each report's last run.
    case latency

    /// The figure of a run; `nil` where there is none, as of a run that ended before a request was due.
    fileprivate func value(of run: BenchRun) -> Double? {
        guard run.sent > 0 else { return nil }
        return switch self {
        case .goodput: run.goodput
        case .share: run.shareInSLO * 100
        case .p50: run.latency.map { $0.p50 / 1000 }
        case .p99: run.latency.map { $0.p99 / 1000 }
        case .p999: run.latency.map { $0.p999 / 1000 }
        case .latency: nil
        }
    }

    fileprivate var title: String {
        switch self {
        case .goodput: "goodput (predictions inside the SLO per second)"
        case .share: "inside the SLO (% of all requests)"
        case .p50: "latency, median (ms)"
        case .p99: "latency, 99th percentile (ms)"
        case .p999: "latency, 99.9th percentile (ms)"
        case .latency: "latency (ms)"
        }
    }
}

/// A report and the name that it goes by in a plot.
struct LabelledReport: Equatable, Sendable {
    var label: String
    var report: BenchReport
}

/// Plots of what was measured.
enum BenchPlots {
    /// What one report shows best: over the rates where there are several, else the latencies of its run.
    static func plot(_ report: BenchReport) -> Plot {
        let reports = [LabelledReport(label: report.application, report: report)]
        let hasRates = Set(report.runs.compactMap(\.rate)).count > 1
        var plot = Plot(title: "", subtitle: subtitle(report), panels: [])
        if hasRates {
            plot.title = "Load on \(report.application)"
            plot.panels = [overRates(.goodput, reports), overRates(.share, reports), overRates(.p99, reports)]
        } else {
            plot.title = "Latency of \(report.application)"
            plot.panels = [distribution(reports)]
        }
        return plot
    }

    /// One figure of several reports; those of one label count as repetitions, of which the median is drawn.
    ///
    /// - Parameter optimum: a value to draw a line at.
    static func plot(
        _ figure: BenchFigure, _ reports: [LabelledReport], title: String? = nil, optimum: Double? = nil,
        x: PlotAxis.Scale = .linear, y: PlotAxis.Scale = .linear
    ) -> Plot {
        let panel =
            figure == .latency
            ? distribution(reports, scale: y) : overRates(figure, reports, optimum: optimum, x: x, y: y)
        return Plot(
            title: title ?? "\(figure.title.prefix(1).uppercased())\(figure.title.dropFirst())",
            subtitle: subtitle(reports) + repetitions(panel), panels: [panel])
    }

    /// What the reports were measured with, as far as they have it in common.
    private static func subtitle(_ reports: [LabelledReport]) -> String {
        let all = reports.map { parts(of: $0.report) }
        // The lines and the legend say what differs.
        return (all.first ?? []).filter { part in all.allSatisfy { $0.contains(part) } }.joined(separator: ", ")
    }

    private static func repetitions(_ panel: Plot.Panel) -> String {
        let isRepeated = panel.series.flatMap(\.points).contains { $0.spread.lowerBound < $0.spread.upperBound }
        return isRepeated ? "; median and range of repeated runs" : ""
    }

    private static func subtitle(_ report: BenchReport) -> String { parts(of: report).joined(separator: ", ") }

    private static func parts(of report: BenchReport) -> [String] {
        let arrivals = report.arrivals == "poisson" ? "Poisson" : report.arrivals
        let kind = report.arrivals == "closed" ? ["closed loop"] : ["open loop", "\(arrivals) arrivals"]
        let seconds = PlotAxis.number(report.runs.map(\.durationSeconds).max() ?? 0)
        var parts = kind + [report.runs.count == 1 ? "\(seconds) s" : "\(seconds) s each"]
        if report.runs.count == 1, let rate = report.runs[0].rate {
            parts.insert("\(PlotAxis.number(rate))/s", at: kind.count)
        }
        return parts + [objective(report)]
    }

    private static func objective(_ report: BenchReport) -> String {
        "SLO \(DurationText.format(.microseconds(report.sloMicros)))"
    }

    /// The objectives in milliseconds, each once; where there are several, each is named by its time.
    private static func objectives(of reports: [LabelledReport]) -> [(name: String, value: Double)] {
        let all = reports.map(\.report).reduce(into: [BenchReport]()) { all, report in
            if !all.contains(where: { $0.sloMicros == report.sloMicros }) { all.append(report) }
        }
        return all.map { (all.count == 1 ? "SLO" : objective($0), Double($0.sloMicros) / 1000) }
    }

    // MARK: - Over the offered rate

    private static func overRates(
        _ figure: BenchFigure, _ reports: [LabelledReport], optimum: Double? = nil, x: PlotAxis.Scale = .linear,
        y: PlotAxis.Scale = .linear
    ) -> Plot.Panel {
        let series = labels(of: reports).map { label in
            Plot.Series(name: label, points: points(figure, reports.filter { $0.label == label }.map(\.report)))
        }
        let all = series.flatMap(\.points)
        let rates = all.map(\.x)
        let values = all.flatMap { [$0.spread.lowerBound, $0.spread.upperBound] }
        let goals = Set(reports.map { $0.report.goal * 100 })
        let xAxis = PlotAxis.fitting(rates, title: "offered rate (requests per second)", scale: x)
        var lines: [(name: String, value: Double)] = []
        switch figure {
        case .share: lines += goals.count == 1 ? goals.map { ("goal", $0) } : []
        case .goodput: lines += optimum.map { [("optimum", $0)] } ?? []
        // An objective far above all that was measured would press the curves flat.
        default: lines += objectives(of: reports).filter { $0.value < (values.max() ?? 0) * 4 }
        }
        let shown = values + lines.map(\.value)
        // A curve or line along the upper edge would be hard to see.
        let yAxis = PlotAxis.fitting(
            shown + (shown.max().map { [$0 * 1.02] } ?? []), title: figure.title, scale: y,
            limit: figure == .share ? 100 : nil)
        var references = lines.map { line in
            Plot.Reference(
                name: line.name, from: Plot.Point(x: xAxis.range.lowerBound, y: line.value),
                to: Plot.Point(x: xAxis.range.upperBound, y: line.value))
        }
        // It is a line where both axes have one scale.
        if figure == .goodput, x == y {
            let low = max(xAxis.range.lowerBound, yAxis.range.lowerBound)
            let high = max(low, min(xAxis.range.upperBound, yAxis.range.upperBound))
            references.append(
                Plot.Reference(
                    name: "all of the offered", from: Plot.Point(x: low, y: low), to: Plot.Point(x: high, y: high)))
        }
        return Plot.Panel(x: xAxis, y: yAxis, series: series, references: references)
    }

    /// The median over the runs with the same rate, and their range.
    private static func points(_ figure: BenchFigure, _ reports: [BenchReport]) -> [Plot.Point] {
        var values: [Double: [Double]] = [:]
        for run in reports.flatMap(\.runs) {
            if let rate = run.rate, let value = figure.value(of: run) { values[rate, default: []].append(value) }
        }
        return values.sorted { $0.key < $1.key }.map { rate, values in
            let sorted = values.sorted()
            let middle = sorted.count / 2
            let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            return Plot.Point(x: rate, y: median, spread: sorted[0]...sorted[sorted.count - 1])
        }
    }

    // MARK: - The distribution

    /// Latency over its percentile, whose axis gives each further nine the same room.
    private static func distribution(
        _ reports: [LabelledReport], scale: PlotAxis.Scale = .linear
    ) -> Plot.Panel {
        let series = reports.compactMap { entry in
            entry.report.runs.last.map { run in
                Plot.Series(
                    // The last of several: the legend says which.
                    name: entry.label + (run.rate.map { ", \(PlotAxis.number($0))/s" } ?? ""),
                    points: run.latencyCurve.filter { $0.count == 2 && $0[0] < 100 }.map { pair in
                        Plot.Point(x: 1 / (1 - pair[0] / 100), y: pair[1] / 1000)
                    })
            }
        }
        let points = series.flatMap(\.points)
        let shown = objectives(of: reports).filter { $0.value < (points.map(\.y).max() ?? 0) * 4 }
        let last = max(10, points.map(\.x).filter(\.isFinite).max() ?? 10)
        let nines = (0...Int(log10(last).rounded(.up))).map { Double.exp10(Double($0)) }
        let xAxis = PlotAxis(
            title: "percentile", scale: .logarithmic, range: 1...last,
            ticks: nines.filter { $0 <= last }.map { PlotAxis.Tick(value: $0, label: percentile($0)) })
        let yAxis = PlotAxis.fitting(
            points.map(\.y) + shown.map(\.value), title: BenchFigure.latency.title, scale: scale)
        let references = shown.map { line in
            Plot.Reference(
                name: line.name, from: Plot.Point(x: 1, y: line.value), to: Plot.Point(x: last, y: line.value))
        }
        return Plot.Panel(x: xAxis, y: yAxis, series: series, references: references)
    }

    /// `99.9%` for one in a thousand.
    private static func percentile(_ oneIn: Double) -> String {
        PlotAxis.number(((1 - 1 / oneIn) * 100).rounded(places: 6)) + "%"
    }

    private static func labels(of reports: [LabelledReport]) -> [String] {
        reports.reduce(into: []) { labels, entry in
            if !labels.contains(entry.label) { labels.append(entry.label) }
        }
    }
}
