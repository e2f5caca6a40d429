public import ContainerRPC

/// A number that a model's inputs can consist of: `UInt8`, `Int32`, `Float` or `Double`.
public protocol InputElement: BitwiseCopyable, Hashable, Sendable {
    /// The input type whose elements these are.
    static var inputType: InputType { get }

    /// The elements of a batch, if they are of this type; shared, not copied.
    static func elements(of values: InputValues) -> [Self]?

    /// These elements as those of a batch; shared, not copied.
    static func values(of elements: [Self]) -> InputValues.Elements
}

/// A whole batch of inputs: all elements in one array, without a copy per input.
public struct InputBatch<Element: InputElement>: Hashable, Sendable, RandomAccessCollection {
    /// The elements of all inputs, one input after the other.
    public let elements: [Element]
    /// Where each input begins in `elements`, and behind the last one its end: `count + 1` offsets.
    public let rowBounds: [Int]

    /// A batch of these inputs.
    public init(_ rows: [[Element]]) {
        elements = Array(rows.joined())
        var bounds = [0]
        for row in rows { bounds.append(bounds[bounds.count - 1] + row.count) }
        rowBounds = bounds
    }

    @inlinable
    init(_ values: InputValues) throws {
        guard let elements = Element.elements(of: values) else {
            throw ContainerError.wrongInputType(expected: Element.inputType, found: values.type)
        }
        self.elements = elements
        rowBounds = [0] + values.rowEnds
    }

    @inlinable
    public var startIndex: Int { 0 }
    @inlinable
    public var endIndex: Int { rowBounds.count - 1 }

    /// One input; it shares the batch's memory.
    @inlinable
    public subscript(row: Int) -> ArraySlice<Element> {
        elements[rowBounds[row]..<rowBounds[row + 1]]
    }

    /// The batch as a matrix with one input a row; `nil` unless all inputs have one length.
    public var matrix: InputMatrix<Element>? {
        guard let first else { return InputMatrix(rowCount: 0, columnCount: 0, elements: []) }
        for row in 1..<rowBounds.count where rowBounds[row] - rowBounds[row - 1] != first.count { return nil }
        return InputMatrix(rowCount: count, columnCount: first.count, elements: elements)
    }
}

/// A batch whose inputs all have one length: row-major, one input a row.
public struct InputMatrix<Element: InputElement>: Hashable, Sendable {
    /// The number of inputs.
    public let rowCount: Int
    /// The length of each input.
    public let columnCount: Int
    /// `rowCount * columnCount` elements, row by row.
    public let elements: [Element]

    /// One element of one input.
    @inlinable
    public subscript(row: Int, column: Int) -> Element {
        elements[row * columnCount + column]
    }

    /// One input.
    @inlinable
    public subscript(row row: Int) -> ArraySlice<Element> {
        elements[(row * columnCount)..<((row + 1) * columnCount)]
    }
}

extension UInt8: InputElement {
    @inlinable
    public static var inputType: InputType { .bytes }

    @inlinable
    public static func elements(of values: InputValues) -> [UInt8]? {
        if case .bytes(let elements) = values.elements { elements } else { nil }
    }

    public static func values(of elements: [UInt8]) -> InputValues.Elements { .bytes(elements) }
}

extension Int32: InputElement {
    @inlinable
    public static var inputType: InputType { .int32 }

    @inlinable
    public static func elements(of values: InputValues) -> [Int32]? {
        if case .int32(let elements) = values.elements { elements } else { nil }
    }

    public static func values(of elements: [Int32]) -> InputValues.Elements { .int32(elements) }
}

extension Float: InputElement {
    @inlinable
    public static var inputType: InputType { .float32 }

    @inlinable
    public static func elements(of values: InputValues) -> [Float]? {
        if case .float32(let elements) = values.elements { elements } else { nil }
    }

    public static func values(of elements: [Float]) -> InputValues.Elements { .float32(elements) }
}

extension Double: InputElement {
    @inlinable
    public static var inputType: InputType { .float64 }

    @inlinable
    public static func elements(of values: InputValues) -> [Double]? {
        if case .float64(let elements) = values.elements { elements } else { nil }
    }

    public static func values(of elements: [Double]) -> InputValues.Elements { .float64(elements) }
}
