/// A frontend's answer to a prediction.
struct PredictAnswer: Equatable, Sendable {
    /// The answer to one input.
    struct Output: Equatable, Sendable {
        /// The output, of any JSON type.
        var json: RawJSON
        /// Whether it is the application's default output.
        var isDefault: Bool
        /// Why it is.
        var explanation: String?

        /// The output on one line: strings as their text, unless they would not fit one line; all else as JSON.
        var line: String {
            guard let text = json.stringValue, Printable.isLine(text) else {
                return Printable.jsonLine(json.compact.text)
            }
            return text
        }
    }

    /// The outputs, in the order of the inputs.
    let outputs: [Output]

    /// Reads a body; `nil` if it is no answer to a prediction.
    init?(_ body: String) {
        guard let json = RawJSON(body) else { return nil }
        if let predictions = json["batch_predictions"] {
            guard let elements = predictions.elements else { return nil }
            let outputs = elements.compactMap(Self.output)
            guard outputs.count == elements.count else { return nil }
            self.outputs = outputs
        } else {
            guard let output = Self.output(json) else { return nil }
            outputs = [output]
        }
    }

    private static func output(_ json: RawJSON) -> Output? {
        guard let output = json["output"], let isDefault = json["default"] else { return nil }
        return Output(
            json: output, isDefault: isDefault == .boolean(true),
            explanation: json["default_explanation"]?.stringValue)
    }

    /// A line for each default output: which input, and why.
    var defaultNotes: [String] {
        outputs.enumerated().filter(\.element.isDefault).map { index, output in
            let place = outputs.count == 1 ? "" : " for input \(index + 1)"
            return "default output\(place): \(Printable.line(output.explanation ?? "the frontend does not say why"))"
        }
    }
}
