import ContainerConformance
import ContainerRPC
import Foundation

/// What came of a run: a table, all that there is to say of each failure, and the numbers.
struct ConformanceReport {
    private let results: [ScenarioResult]
    private let time: Duration

    /// The longest remark in the table; the rest of it stands below.
    private static let longestRemark = 100

    init(_ results: [ScenarioResult], time: Duration) {
        self.results = results
        self.time = time
    }

    /// All of it, as lines.
    func lines(inColour: Bool) -> [String] {
        let table = table.styledLines.map { inColour ? $0.coloured : $0.plain }
        return table + failures + ["", summary]
    }

    private var table: Table {
        Table(
            columns: [
                .left("SCENARIO"), .left("RPC"), .left("RESULT"), .right("TIME"), .left("SECTION"), .left("REMARK"),
            ],
            cells: results.map { result in
                [
                    Table.Cell(result.name), Table.Cell("\(result.version.rawValue)"),
                    Table.Cell(Self.word(result.verdict), Self.style(result.verdict)),
                    Table.Cell(Self.text(result.duration)), Table.Cell(result.section),
                    Table.Cell(result.remark.isEmpty ? " " : Printable.line(result.remark, upTo: Self.longestRemark)),
                ]
            })
    }

    private var failures: [String] {
        results.filter(\.verdict.isFailure).flatMap { result in
            [
                "", "\(result.title) failed: \(Printable.line(result.remark))",
                "  tests: \(result.summary) (\(result.section))",
            ]
                + result.account.map { "  " + Printable.line($0) }
        }
    }

    /// How many passed, failed and were skipped, and the time.
    var summary: String {
        let counts = ["passed", "failed", "skipped"].map { word in
            "\(results.count { Self.word($0.verdict) == word }) \(word)"
        }
        return counts.joined(separator: ", ") + " in \(Self.text(time))"
    }

    static func word(_ verdict: Verdict) -> String {
        switch verdict {
        case .passed: "passed"
        case .failed: "failed"
        case .skipped: "skipped"
        }
    }

    private static func style(_ verdict: Verdict) -> TextStyle? {
        switch verdict {
        case .passed: nil
        case .failed: .alarm
        case .skipped: .faint
        }
    }

    static func text(_ duration: Duration) -> String {
        String(format: "%.1f s", duration.inSeconds)
    }
}

/// Tells on standard error what has been played, as it goes.
final class ConformanceProgress: Sendable {
    private let total: Int
    private let done = Locked(0)

    init(total: Int) {
        self.total = total
    }

    func note(_ result: ScenarioResult) {
        // The lock is held while the line is written, lest two be mixed.
        done.withLock { done in
            done += 1
            let remark = result.verdict.isFailure ? ": " + Printable.line(result.remark) : ""
            Terminal.note("[\(done)/\(total)] \(ConformanceReport.word(result.verdict)) \(result.title)\(remark)")
        }
    }
}
