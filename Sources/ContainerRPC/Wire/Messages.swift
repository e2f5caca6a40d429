/// What a container says of itself: which version of which model it serves, and what it takes.
public struct Registration: Hashable, Sendable {
    public var modelName: String
    public var modelVersion: String
    public var inputType: InputType

    public init(modelName: String, modelVersion: String, inputType: InputType) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.inputType = inputType
    }
}

extension Registration {
    // Two texts are equal in RPC 3 when their bytes are. Swift's `==` takes canonically equivalent ones for one.

    public static func == (left: Registration, right: Registration) -> Bool {
        left.inputType == right.inputType && left.modelName.utf8.elementsEqual(right.modelName.utf8)
            && left.modelVersion.utf8.elementsEqual(right.modelVersion.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(inputType)
        for byte in modelName.utf8 { hasher.combine(byte) }
        hasher.combine(UInt8(ascii: ":"))
        for byte in modelVersion.utf8 { hasher.combine(byte) }
    }
}

extension Registration: CustomStringConvertible {
    public var description: String { "\(modelName):\(modelVersion) (\(inputType))" }
}

/// A message from a container to its frontend.
public enum ContainerMessage: Hashable, Sendable {
    case heartbeat
    case newContainer(Registration)
    case response(PredictResponse)
}

/// A message from a frontend to a container.
public enum FrontendMessage: Hashable, Sendable {
    case heartbeat(HeartbeatKind)
    case request(PredictRequest)
}

/// What a frontend's heartbeat asks for; the raw value is the one on the wire.
public enum HeartbeatKind: UInt32, Hashable, Sendable {
    case keepAlive = 0
    case requestMetadata = 1
}

/// What a container is to do with inputs; the raw value is the one on the wire.
public enum RequestKind: UInt32, Hashable, Sendable {
    case predict = 0
    case feedback = 1
}

/// The answer to one batch: one output for each of its inputs, in order.
public struct PredictResponse: Hashable, Sendable {
    /// The id of the request that it answers.
    public var id: UInt32
    public var outputs: Outputs

    public init(id: UInt32, outputs: Outputs) {
        self.id = id
        self.outputs = outputs
    }
}

/// The outputs of a batch, UTF-8, in one piece of memory.
public struct Outputs: Hashable, Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    public init() {}

    public init(arrayLiteral elements: String...) {
        self.init(elements)
    }

    public init(_ outputs: some Collection<String>) {
        ends.reserveCapacity(outputs.count)
        for output in outputs { append(output) }
    }

    /// Makes room for so many outputs of so many bytes in all.
    public mutating func reserveCapacity(outputs: Int, bytes byteCount: Int) {
        ends.reserveCapacity(outputs)
        bytes.reserveCapacity(byteCount)
    }

    public mutating func append(_ output: String) {
        bytes.append(contentsOf: output.utf8)
        ends.append(bytes.count)
    }

    mutating func append(utf8 output: Span<UInt8>) {
        output.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        ends.append(bytes.count)
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { ends.count }

    /// The UTF-8 of one output; it shares the memory of all.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// The outputs as strings.
    public var strings: [String] { map { String(decoding: $0, as: UTF8.self) } }
}

/// One batch for a container: typed inputs, all rows in one array.
public struct PredictRequest: Hashable, Sendable {
    public var id: UInt32
    public var kind: RequestKind
    public var inputs: InputValues

    public init(id: UInt32, kind: RequestKind = .predict, inputs: InputValues) {
        self.id = id
        self.kind = kind
        self.inputs = inputs
    }
}

/// The inputs of a batch in one array of their type, and where each ends.
public struct InputValues: Hashable, Sendable {
    /// The elements of all inputs, one after the other.
    public enum Elements: Hashable, Sendable {
        case bytes([UInt8])
        case int32([Int32])
        case float32([Float])
        case float64([Double])
        /// The UTF-8 of all strings; decoding has checked it.
        case string([UInt8])
    }

    public var elements: Elements
    /// For each input, the end of its elements, counted in elements.
    public var rowEnds: [Int]

    public init(elements: Elements, rowEnds: [Int]) {
        self.elements = elements
        self.rowEnds = rowEnds
    }

    /// How many inputs there are.
    public var count: Int { rowEnds.count }

    public var type: InputType {
        switch elements {
        case .bytes: .bytes
        case .int32: .int32
        case .float32: .float32
        case .float64: .float64
        case .string: .string
        }
    }
}

extension InputValues {
    /// The inputs as bytes of the wire, each a payload.
    public var payloads: [Payload] {
        switch elements {
        case .bytes(let values), .string(let values): payloads(of: values)
        case .int32(let values): payloads(of: values.map(\.littleEndian))
        case .float32(let values): payloads(of: values.map(\.bitPattern.littleEndian))
        case .float64(let values): payloads(of: values.map(\.bitPattern.littleEndian))
        }
    }

    private func payloads(of values: [some FixedWidthInteger & Sendable]) -> [Payload] {
        values.withUnsafeBytes { source in
            let storage = PayloadStorage(byteCount: source.count) { $0.copyMemory(from: source) }
            let width = values.isEmpty ? 1 : source.count / values.count
            var start = 0
            return rowEnds.map { end in
                defer { start = end }
                return Payload(storage, range: (start * width)..<(end * width))
            }
        }
    }
}
