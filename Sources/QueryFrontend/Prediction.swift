/// The answer to one input, for a program that embeds the frontend.
public struct Prediction: Hashable, Sendable {
    /// The model's output, or the application's default output.
    public var output: String
    /// Why the output is the default one; `nil` where it is the model's.
    public var defaultExplanation: String?
    /// The id that feedback can name it by for some minutes, where the application's policy learns.
    public var queryID: UInt64
    /// The models whose answers were combined, as "name:version"; empty where the application chooses as Clipper does.
    public var models: [String] = []
    /// The share of the models, by weight, that agree with the output: 0 to 1; `nil` where the application chooses as
    /// Clipper does.
    public var confidence: Double?

    /// Whether the output is the application's default one.
    public var isDefault: Bool { defaultExplanation != nil }
}

/// Why a query of an embedding program cannot be answered at all.
public enum QueryError: Error, Hashable, Sendable {
    /// No application of this name is registered.
    case unknownApplication(String)
    /// The inputs are of another type than the application's.
    case wrongInputType(expected: String, found: String)
    /// The inputs contradict themselves, or are strings that are no UTF-8: what is wrong.
    case malformedInputs(String)
}

extension QueryError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownApplication(let name): "no application with name '\(name)' is registered"
        case .wrongInputType(let expected, let found): "the application takes \(expected), the inputs are \(found)"
        case .malformedInputs(let problem): "the inputs are malformed: \(problem)"
        }
    }
}
