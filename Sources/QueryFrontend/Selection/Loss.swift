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

    /// What an answer costs when this is the label; `nil` where the two cannot be compared.
    func value(of output: ModelOutput, label: Label) -> Double? {
        switch self {
        case .zeroOne:
            return output.agrees(with: label) ? 0 : 1
        case .absolute:
            return Self.mean(output, label) { abs($0) }
        case .squared:
            return Self.mean(output, label) { $0 * $0 }
        case .log:
            guard let probability = output.probability(of: label) else { return nil }
            return -logarithm(min(1, max(Self.leastProbability, probability)))
        }
    }

    private static func mean(_ output: ModelOutput, _ label: Label, _ cost: (Double) -> Double) -> Double? {
        guard let answer = output.numbers, let truth = label.numbers, answer.count == truth.count, !answer.isEmpty
        else { return nil }
        let mean = zip(answer, truth).reduce(0) { $0 + cost($1.0 - $1.1) } / Double(answer.count)
        return mean.isFinite ? mean : nil
    }
}

/// Within `Loss` the name `log` is that of a case.
private func logarithm(_ value: Double) -> Double { log(value) }
