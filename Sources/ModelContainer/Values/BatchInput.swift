public import ContainerRPC

/// A whole batch as a closure takes it: `InputBatch`, or `[String]` for text.
public protocol BatchInput: Sendable {
    /// The input type of a model that takes these.
    static var inputType: InputType { get }

    /// The batch of these inputs.
    /// - Throws: `ContainerError.wrongInputType` where they are of another type.
    init(of values: InputValues) throws
}

extension InputBatch: BatchInput {
    public static var inputType: InputType { Element.inputType }

    @inlinable
    public init(of values: InputValues) throws {
        try self.init(values)
    }
}

extension Array: BatchInput where Element == String {
    public static var inputType: InputType { .string }

    public init(of values: InputValues) throws {
        self = try String.inputs(of: values)
    }
}
