public import ContainerRPC

/// What keeps a container from running, or a batch from being answered.
public enum ContainerError: Error, Hashable, Sendable {
    /// The model's name or version is given nowhere.
    case missing(what: String, flag: String, variable: String)
    /// A setting has a value that cannot be.
    case invalid(what: String, value: String, expected: String)
    /// Two settings contradict each other.
    case contradiction(String)
    /// A batch has another type than the model takes.
    case wrongInputType(expected: InputType, found: InputType)
    /// A closure returned another number of outputs than it was given inputs.
    case wrongOutputCount(expected: Int, found: Int)
}

extension ContainerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let what, let flag, let variable):
            "\(what) is missing: give it in code, with \(flag), or in the environment variable \(variable)"
        case .invalid(let what, let value, let expected):
            "\(what) is '\(value)'; expected \(expected)"
        case .contradiction(let text):
            text
        case .wrongInputType(let expected, let found):
            "the model takes \(expected), the batch holds \(found)"
        case .wrongOutputCount(let expected, let found):
            "the model returned \(found) output\(found == 1 ? "" : "s") for \(expected) input\(expected == 1 ? "" : "s")"
        }
    }
}
