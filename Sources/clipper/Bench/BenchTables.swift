import Foundation

/// What was measured, for people.
enum BenchTables {
    /// Reasons and errors beyond these are counted together.
    private static let mostTexts = 5

    /// The report, line by line.
    static func lines(_ report: BenchReport) -> [String] {
        var sections = [[heading(report)], runs(report.runs).lines]
        if let run = report.runs.first, report.runs.count == 1 { sections.append(latencies(of: run).lines) }
        sections += [notes(report)].filter { !$0.isEmpty }
        return Array(sections.joined(separator: [""]))
    }

    private static func heading(_ report: BenchReport) -> String {
        let arrivals = report.arrivals == "poisson" ? "Poisson" : report.arrivals
        let kind = report.arrivals == "closed" ? "closed loop" : "\(arrivals) arrivals"
        let slo = DurationText.format(.microseconds(report.sloMicros))
        return Printable.line(
            "\(report.application) at \(report.url): \(kind), \(report.connections) connections, SLO \(slo), "
                + "seed \(report.seed)")
    }

    static func runs(_ runs: [BenchRun]) -> Table {
        Table(
            columns: [
                .right("RATE"), .right("SECONDS"), .right("SENT"), .right("ANSWERED"), .right("GOODPUT"),
                .right("IN SLO"), .right("DEFAULTS"), .right("REJECTED"), .right("ERRORS"), .right("UNANSWERED"),
                .right("P50"), .right("P99"), .right("P99.9"), .right("MAX"), .right("LAG P99"),
            ],
            rows: runs.map { run in
                [
                    run.rate.map(Figures.rate) ?? "closed", Figures.mean(run.durationSeconds), "\(run.sent)",
                    Figures.rate(run.achievedRate), Figures.rate(run.goodput),
                    run.sent > 0 ? percent(run.shareInSLO) : "-",
                    Figures.share(run.defaultCount, of: run.sent), Figures.share(run.rejected, of: run.sent),
                    Figures.share(run.errorCount, of: run.sent), Figures.share(run.unanswered, of: run.sent),
                ]
                    + [run.latency?.p50, run.latency?.p99, run.latency?.p999, run.latency?.max, run.sendLag?.p99]
                    .map(latency)
            })
    }

    /// All percentiles of one run.
    static func latencies(of run: BenchRun) -> Table {
        func row(_ name: String, _ figures: LatencyFigures?) -> [String] {
            [name]
                + [
                    figures?.p50, figures?.p90, figures?.p95, figures?.p99, figures?.p999, figures?.p9999, figures?.max,
                    figures?.mean,
                ].map(latency)
        }
        let refusals = run.refusalLatency.map { [row("refusals", $0)] } ?? []
        return Table(
            columns: [.left("LATENCY")]
                + ["P50", "P90", "P95", "P99", "P99.9", "P99.99", "MAX", "MEAN"].map { .right($0) },
            rows: [row("all but refusals", run.latency), row("predictions", run.predictionLatency)] + refusals)
    }

    private static func notes(_ report: BenchReport) -> [String] {
        var defaults: [String: Int] = [:]
        var errors: [String: Int] = [:]
        for run in report.runs {
            defaults.merge(run.defaults, uniquingKeysWith: +)
            errors.merge(run.errors, uniquingKeysWith: +)
        }
        var notes = counts(defaults, heading: "Default outputs:") + counts(errors, heading: "Errors:")
        let late = report.runs.filter { ($0.sendLag?.p99 ?? 0) > 1000 }
        if let worst = late.max(by: { $0.generatorCPUShare < $1.generatorCPUShare }) {
            notes.append(
                "The generator itself was late (LAG P99 above 1ms; it took \(percent(worst.generatorCPUShare)) of a "
                    + "core): latencies hold that lateness too.")
        }
        let waited = report.runs.reduce(0) { $0 + $1.waitedForConnection }
        let sent = report.runs.reduce(0) { $0 + $1.sent }
        if report.arrivals != "closed", waited * 100 > sent {
            notes.append(
                "\(Figures.share(waited, of: sent)) of the requests waited for a connection, as all were busy; their "
                    + "wait counts. --connections gives more.")
        }
        if report.arrivals != "closed", report.runs.contains(where: { !$0.isInterrupted && !$0.keepsUp }) {
            notes.append(
                "Where fewer answers came than requests were due, what waits grows: a longer run would keep less of them "
                    + "inside the SLO.")
        }
        for run in report.runs where report.isLost(atEndOf: run) {
            let name = run.rate.map { "At \(Figures.rate($0)) the" } ?? "The"
            notes.append(
                "\(name) frontend gave no answer any more in the last \(Figures.mean(run.silentSeconds ?? 0)) seconds.")
        }
        if report.runs.contains(where: \.isInterrupted) { notes.append("The last run was interrupted.") }
        return notes + [found(report)].compactMap(\.self)
            + (report.search.map { remarks(on: $0, goal: report.goal) } ?? [])
    }

    /// What a search has found; `nil` where there was none.
    private static func found(_ report: BenchReport) -> String? {
        let goal = "\(percent(report.goal)) inside the SLO"
        if report.search?.isComplete == false {
            return "The search was ended before its end: \(goal): "
                + (report.highestRateWithinSLO.map { "kept up to \(Figures.rate($0)) so far, perhaps higher." }
                    ?? "no rate that keeps it was found so far.")
        }
        let rates = report.runs.compactMap(\.rate)
        if let rate = report.highestRateWithinSLO {
            return "\(goal): kept up to \(Figures.rate(rate))"
                + (rate == rates.max() ? ", the highest rate that was tried (--stop)." : ".")
        }
        guard report.search != nil else { return nil }
        return "\(goal): kept at no rate from \(Figures.rate(rates.min() ?? 0)) to \(Figures.rate(rates.max() ?? 0))."
    }

    /// What the result of a search is worth.
    private static func remarks(on search: BenchSearch, goal: Double) -> [String] {
        var remarks: [String] = []
        if search.restsOnTooFew, let requests = search.requests {
            let count = "\(requests) \(requests == 1 ? "request" : "requests")"
            remarks.append(
                search.requestsNeeded.map { needed in
                    "That rests on too few: a step had \(count), and a goal of \(percent(goal)) takes some \(needed). "
                        + "A longer --duration gives more."
                } ?? "That is what came of \(count): no number tells that all the others would be inside the SLO too.")
        }
        if search.isGeneratorLate {
            remarks.append(
                "At the lowest rate that missed the generator itself was late, by more than a tenth of the SLO: the "
                    + "frontend may keep more.")
        }
        return remarks
    }

    private static func counts(_ texts: [String: Int], heading: String) -> [String] {
        guard !texts.isEmpty else { return [] }
        let sorted = texts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        var rows = sorted.prefix(mostTexts).map { ["\($0.value)", $0.key] }
        let rest = sorted.dropFirst(mostTexts).reduce(0) { $0 + $1.value }
        if rest > 0 { rows.append(["\(rest)", "others"]) }
        return [heading]
            + Table(columns: [.right(""), .left("")], rows: rows).lines.dropFirst().map { "  " + $0 }
    }

    private static func latency(_ micros: Double?) -> String {
        micros.map { Figures.latency(milliseconds: $0 / 1000) } ?? ""
    }

    /// Rounded down, so that only all of something is 100%.
    static func percent(_ share: Double) -> String {
        let hundredths = (share * 10_000 + 1e-6).rounded(.down) / 100
        return String(format: hundredths == hundredths.rounded() ? "%.0f%%" : "%.2f%%", hundredths)
    }

    /// One second of a run.
    static func line(_ second: LoadSecond) -> String {
        let share = second.due > 0 ? percent(min(1, Double(second.inSLO) / Double(second.due))) : "-"
        return "\(second.isWarmup ? "warm-up" : "running") \(second.second + 1)s: sent \(second.due)/s, "
            + "answered \(second.answered)/s, inside the SLO \(share), "
            + "p99 \(Figures.latency(milliseconds: second.p99Micros / 1000)), in flight \(second.inFlight), "
            + "waiting \(second.waiting)"
    }

    /// A step of the search.
    static func line(step: Int, rate: Double, run: BenchRun, _ verdict: RateSearch.Verdict) -> String {
        let share = "\(percent(run.shareInSLO)) inside the SLO, p99 \(latency(run.latency?.p99))"
        return "step \(step): \(Figures.rate(rate)): \(share): " + words(verdict, run)
    }

    private static func words(_ verdict: RateSearch.Verdict, _ run: BenchRun) -> String {
        let short = run.keepsUp ? "missed" : "missed, answers \(Figures.rate(run.achievedRate)) only"
        let late = ", while the generator was late (LAG P99 \(latency(run.sendLag?.p99)))"
        return switch verdict {
        case .kept: "kept"
        case .triedAgain(let isLate): short + (isLate ? late : "") + "; once more"
        case .missed(let isLate): short + (isLate ? late : "")
        }
    }
}
