/// The answer to one input, for a program that embeds the frontend.
public struct Prediction: Hashable, Sendable {
    /// The model's output, or the application's default output.
    public var output: String
    /// Why the output is the default one; `nil` where it is the model's.
    public var defaultExplanation: String?

    /// Whether the output is the application's default one.
    public var isDefault: Bool { defaultExplanation != nil }
}

/// Why a query of an embedding program cannot be answered at all.
public enum QueryError: Error, Hashable, Sendable {
    /// No application of this name is registered.
    case unknownApplication(String)
    /// The inputs are of another type than the application's.
    case wrongInputType(expected: String, found: String)
}

extension QueryError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownApplication(let name): "no application with name '\(name)' is registered"
        case .wrongInputType(let expected, let found): "the application takes \(expected), the inputs are \(found)"
        }
    }
}
