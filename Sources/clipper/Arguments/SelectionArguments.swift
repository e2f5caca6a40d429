import ArgumentParser
import QueryFrontend

/// How an application judges its models' answers, beside its policy.
struct SelectionArguments: ParsableArguments {
    private static let losses = Loss.allCases.map(\.rawValue)

    @Option(
        help: ArgumentHelp(
            "How feedback measures errors: 'zero-one' (right or wrong), 'absolute' or 'squared' (of numbers), 'log' "
                + "(of probabilities).", valueName: "loss"),
        completion: .list(losses), transform: { text in try Self.loss(text) })
    var loss: Loss?

    @Option(
        help: ArgumentHelp(
            "Below this confidence, the share of models that agree, the default output is given: 0.6 or 60%; 0 is never.",
            valueName: "share"),
        transform: { text in try ShareText.parse(text, allowsZero: true) })
    var minConfidence: Double?

    @Option(
        name: .customLong("shadow"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Registered models that get every query and only watch: their answers are compared and counted, never "
                + "returned. They need not be linked; one that is linked too only watches.", valueName: "model"))
    var shadows: [String] = []

    @Flag(help: "No model only watches any more.")
    var noShadow = false

    func validate() throws {
        guard shadows.isEmpty || !noShadow else {
            throw ValidationError("--shadow and --no-shadow contradict each other; leave one of them out.")
        }
    }

    /// What was given, with this policy.
    func options(_ policy: PolicyDescription? = nil) -> ApplicationOptions {
        ApplicationOptions(
            policy: policy, loss: loss, minConfidence: minConfidence,
            shadows: shadows.isEmpty && !noShadow ? nil : shadows)
    }

    private static func loss(_ text: String) throws(ArgumentTextError) -> Loss {
        guard let loss = Loss(rawValue: text) else {
            throw ArgumentTextError("the losses are \(losses.joined(separator: ", "))")
        }
        return loss
    }
}
