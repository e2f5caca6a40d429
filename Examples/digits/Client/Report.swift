import DigitsModel
import Foundation

/// One query and what came of it.
struct Outcome: Sendable {
    let index: Int
    let digit: Digit
    let answer: Answer
    let latency: Duration

    var isCorrect: Bool { !answer.isDefault && answer.digit == digit.label }
}

/// What came of all queries.
struct Report: Sendable {
    static let requiredAccuracy = 0.95

    let outcomes: [Outcome]
    /// From the first request to the last answer.
    let time: Duration

    private var correct: Int { outcomes.count(where: \.isCorrect) }
    private var defaults: Int { outcomes.count(where: \.answer.isDefault) }
    private var accuracy: Double { outcomes.isEmpty ? 0 : Double(correct) / Double(outcomes.count) }

    /// A digit that was read rightly beside one that was not; just another one if all were.
    var drawings: String {
        guard let first = outcomes.first(where: \.isCorrect) ?? outcomes.first, let last = outcomes.last else {
            return ""
        }
        let second = outcomes.first { !$0.isCorrect && $0.index != first.index } ?? last
        let gap = "      "
        let images = zip(first.digit.drawing, second.digit.drawing).map { $0 + gap + $1 }
        let captions = [first, second].map { outcome in
            let answer = outcome.answer.digit.map(String.init) ?? "?"
            return "answer \(answer), truth \(outcome.digit.label)"
        }
        let width = (first.digit.drawing.first?.count ?? 0) + gap.count
        let caption = captions[0].padding(toLength: max(width, captions[0].count + 2), withPad: " ", startingAt: 0)
        return (images + [caption + captions[1]]).joined(separator: "\n") + "\n"
    }

    var summary: String {
        let sorted = outcomes.map(\.latency).sorted()
        return """
            accuracy          \(decimals(accuracy, 4)) (\(correct) of \(outcomes.count))
            default outputs   \(defaults)
            throughput        \(decimals(Double(outcomes.count) / (time / .seconds(1)), 0)) queries/s
            latency           p50 \(milliseconds(quantile(0.5, of: sorted))), p99 \(milliseconds(quantile(0.99, of: sorted)))
            """
    }

    /// - Throws: ``ClientError`` if an answer was the default output, or too few were right.
    func judge() throws {
        if let outcome = outcomes.first(where: \.answer.isDefault) {
            throw ClientError(
                "\(defaults) of \(outcomes.count) answers were the default output, the first one because: "
                    + (outcome.answer.explanation ?? "no explanation"))
        }
        guard accuracy >= Self.requiredAccuracy else {
            throw ClientError("the accuracy is \(decimals(accuracy, 4)), below \(Self.requiredAccuracy)")
        }
    }

    /// The smallest latency that at least the given share of all stays within.
    private func quantile(_ share: Double, of sorted: [Duration]) -> Duration {
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted.isEmpty ? .zero : sorted[min(max(rank, 1), sorted.count) - 1]
    }

    private func milliseconds(_ duration: Duration) -> String {
        "\(decimals(duration / .milliseconds(1), 2)) ms"
    }

    private func decimals(_ number: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", number)
    }
}
