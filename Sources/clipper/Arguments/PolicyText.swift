import Foundation
import QueryFrontend

/// A selection policy as it is written on the command line: `exp3`, `weighted(a: 90, b: 10)`.
enum PolicyText {
    /// What can be written, for messages.
    private static let forms = "NAME or NAME(KEY: VALUE, KEY: VALUE), such as weighted(a: 90, b: 10)"

    /// The policies that every frontend has, with what each does, in lines that fit a terminal.
    private static let policies = [
        ("DefaultOutputSelectionPolicy", "the first linked model (the default)"),
        ("weighted(MODEL: PERCENT, …)", "one model by these shares, the same for a uid"),
        ("epsilonGreedy(epsilon: 0.1)", "the model with the least loss, at times any"),
        ("ucb1", "one model, by the least loss that it may have"),
        ("thompson", "one model, by the odds that it is the best"),
        ("exp3", "one model, by weights that are learned"),
        ("majority", "all models: the answer that most give"),
        ("mean", "all models: the mean of their numbers"),
        ("median", "all models: the median of their numbers"),
        ("weightedMean(MODEL: WEIGHT, …)", "all models: the mean by these weights"),
        ("exp4", "all models, by weights that are learned"),
    ]

    /// The policies, line by line, for a help text.
    static var help: String {
        let width = policies.map(\.0.count).max() ?? 0
        let lines = policies.map { name, text in
            "  \(name)\(String(repeating: " ", count: width - name.count)) \(text)"
        }
        let parameters = [
            "PARAMETERS, each as KEY: VALUE, which may be left out:",
            "  epsilonGreedy: epsilon; exp3: learningRate, exploration, share;",
            "  exp4: learningRate, share; mean, median: tolerance",
        ]
        return (["POLICIES:"] + lines + [""] + parameters).joined(separator: "\n")
    }

    /// Names to offer for completion.
    static let names = [
        "DefaultOutputSelectionPolicy", "weighted", "epsilonGreedy", "ucb1", "thompson", "exp3", "majority", "mean",
        "median", "weightedMean", "exp4",
    ]

    /// Reads a policy; which there are and what they take is checked by the frontend, which may have others.
    ///
    /// - Throws: ``ArgumentTextError``.
    static func parse(_ text: String) throws(ArgumentTextError) -> PolicyDescription {
        let text = text.trimmingCharacters(in: .whitespaces)
        let name = String(text.prefix { $0 != "(" })
        guard !name.isEmpty, !name.contains(where: { ",:=\"')".contains($0) }) else {
            throw ArgumentTextError("\(forms) is expected")
        }
        let rest = text.dropFirst(name.count)
        let policy = name.trimmingCharacters(in: .whitespaces)
        guard !rest.isEmpty else { return PolicyDescription(policy) }
        guard rest.hasSuffix(")") else { throw ArgumentTextError("its ')' is missing; expected \(forms)") }
        let inner = rest.dropFirst().dropLast()
        guard inner.contains(where: { !$0.isWhitespace }) else { return PolicyDescription(policy) }
        var parameters: [String: PolicyDescription.Value] = [:]
        for part in try split(inner) {
            let (key, value) = try parameter(part)
            guard parameters.updateValue(value, forKey: key) == nil else {
                throw ArgumentTextError("'\(key)' is given twice")
            }
        }
        return PolicyDescription(policy, parameters)
    }

    /// The parts between commas, where those within quotation marks do not count.
    private static func split(_ text: Substring) throws(ArgumentTextError) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        for index in text.indices {
            if text[index] == "\"" { isQuoted.toggle() }
            if text[index] == ",", !isQuoted {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        guard !isQuoted else { throw ArgumentTextError("a quotation mark is missing") }
        return parts + [text[start...]]
    }

    private static func parameter(
        _ text: Substring
    ) throws(ArgumentTextError) -> (key: String, value: PolicyDescription.Value) {
        // No model's name holds a colon, but it may hold an equals sign.
        guard let separator = text.firstIndex(of: ":") ?? text.firstIndex(of: "=") else {
            throw ArgumentTextError(
                """
                '\(text.trimmingCharacters(in: .whitespaces))' is no parameter; parameters are named, \
                KEY: VALUE, such as epsilon: 0.1
                """)
        }
        let key = text[..<separator].trimmingCharacters(in: .whitespaces)
        let value = text[text.index(after: separator)...].trimmingCharacters(in: .whitespaces)
        guard !key.isEmpty else { throw ArgumentTextError("a parameter has no name; expected KEY: VALUE") }
        guard !value.isEmpty else { throw ArgumentTextError("'\(key)' has no value; expected KEY: VALUE") }
        if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
            return (key, .text(String(value.dropFirst().dropLast())))
        }
        let isDecimal = value.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
        if isDecimal, let number = Double(value), number.isFinite { return (key, .number(number)) }
        return (key, .text(value))
    }
}
