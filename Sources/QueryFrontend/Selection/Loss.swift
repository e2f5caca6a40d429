#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How an application measures what a wrong answer costs.
public enum Loss: String, Sendable, Hashable, CaseIterable, Codable {
    /// 0 where the answer is the label, else 1. Numbers are compared as numbers, all else as text.
    case zeroOne = "zero-one"
    /// The distance of two numbers; of two arrays of them, the mean.
    case absolute = "absolute"
    /// The square of that distance; of two arrays of them, the mean.
    case squared = "squared"
    /// The negative logarithm of the probability that the answer gave to the label.
    ///
    /// The answer is the probability of label 1 (the label is then 0 or 1), an array of probabilities that the label is
    /// an index of, or an object of probabilities by label.
    case log = "log"

    /// No probability is taken for less, so that a model that is sure of what is wrong costs much, but not everything.
    static let leastProbability = 1e-15

    /// What comes of comparing an answer with a label.
    enum Comparison: Hashable {
        /// What the answer costs; finite, and never negative.
        case cost(Double)
        /// No label could be compared with this answer.
        case unfitOutput
        /// No answer could be compared with this label.
        case unfitLabel
        /// Both could be right, but not with each other, such as arrays of different lengths.
        case mismatch
    }

    /// What an answer costs when this is the label; `nil` where the two cannot be compared.
    func value(of output: ModelOutput, label: Label) -> Double? {
        if case .cost(let cost) = compare(output, with: label) { cost } else { nil }
    }

    /// Compares an answer with a label.
    func compare(_ output: ModelOutput, with label: Label) -> Comparison {
        switch self {
        case .zeroOne:
            return .cost(output.agrees(with: label) ? 0 : 1)
        case .absolute:
            return Self.mean(output, label) { abs($0) }
        case .squared:
            return Self.mean(output, label) { $0 * $0 }
        case .log:
            if case .numbers = label { return .unfitLabel }
            return switch output.probability(of: label) {
            case .given(let probability): .cost(-logarithm(max(Self.leastProbability, probability)))
            case .unfitOutput: .unfitOutput
            case .mismatch: .mismatch
            }
        }
    }

    private static func mean(_ output: ModelOutput, _ label: Label, _ cost: (Double) -> Double) -> Comparison {
        guard let truth = label.numbers, !truth.isEmpty, truth.allSatisfy(\.isFinite) else { return .unfitLabel }
        guard let answer = output.numbers, !answer.isEmpty else { return .unfitOutput }
        guard answer.count == truth.count else { return .mismatch }
        let sum = zip(answer, truth).reduce(0) { $0 + cost($1.0 - $1.1) }
        // What is beyond all numbers costs as much as a loss can.
        return .cost(min(LossStatistics.largest, sum / Double(answer.count)))
    }
}

/// Within `Loss` the name `log` is that of a case.
private func logarithm(_ value: Double) -> Double { log(value) }
