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
    /// The outputs of a batch, or the errors in their place, are longer than a message may be, in bytes.
    case outputsTooLong(byteCount: Int, most: Int)
    /// A batch came to its turn when no answer of it was of use any more.
    case tooLate(by: Duration)
}

/// What a closure throws for an input that its model cannot take, to be told from a failure of the model.
public struct InvalidInput: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with the input; whoever sent it gets to read it.
    public var description: String

    /// - Parameter description: what is wrong, and what would be right.
    public init(_ description: String) {
        self.description = description
    }
}

/// What a closure throws when its model cannot answer now, whatever the inputs are; another replica may. A frontend of
/// RPC 4 sends the batch's queries there. A closure that takes inputs one by one says it of that one alone.
public struct Unavailable: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is missing, for the one who runs the container.
    public var description: String

    /// - Parameter description: what is missing.
    public init(_ description: String) {
        self.description = description
    }
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
        case .outputsTooLong(let byteCount, let most):
            "the outputs of the batch take \(byteCount) bytes, and an answer holds \(most) at most"
        case .tooLate(let delay):
            "the time for the batch was spent \(delay.wholeNanoseconds / 1000) µs before the model was free"
        }
    }
}

extension FailureCode {
    /// What a container says of an error that its model, or the SDK before it, has thrown.
    init(of error: any Error) {
        switch error {
        case ContainerError.tooLate, is NotRunAgain: self = .tooLate
        case ContainerError.outputsTooLong: self = .tooLarge
        case ContainerError.wrongInputType, is InvalidInput: self = .invalidInput
        case is Unavailable: self = .unavailable
        default: self = .modelError
        }
    }
}
