public import ContainerRPC

/// One input of a model: `[UInt8]`, `[Int32]`, `[Float]`, `[Double]` or `String`.
public protocol ModelInput: Sendable {
    /// The input type of a model that takes these.
    static var inputType: InputType { get }

    /// The inputs of a batch.
    /// - Throws: `ContainerError.wrongInputType` where the batch is of another type.
    static func inputs(of values: InputValues) throws -> [Self]

    /// A batch of these inputs.
    static func values(of inputs: [Self]) -> InputValues
}

extension Array: ModelInput where Element: InputElement {
    public static var inputType: InputType { Element.inputType }

    @inlinable
    public static func inputs(of values: InputValues) throws -> [[Element]] {
        try InputBatch<Element>(values).map { [Element]($0) }
    }

    public static func values(of inputs: [[Element]]) -> InputValues {
        let batch = InputBatch(inputs)
        return InputValues(elements: Element.values(of: batch.elements), rowEnds: [Int](batch.rowBounds.dropFirst()))
    }
}

extension String: ModelInput {
    public static var inputType: InputType { .string }

    public static func inputs(of values: InputValues) throws -> [String] {
        guard case .string(let bytes) = values.elements else {
            throw ContainerError.wrongInputType(expected: .string, found: values.type)
        }
        var start = 0
        return values.rowEnds.map { end in
            defer { start = end }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }

    public static func values(of inputs: [String]) -> InputValues { .strings(inputs) }
}
