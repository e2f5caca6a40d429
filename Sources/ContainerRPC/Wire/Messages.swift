/// A message from a container to its frontend.
public enum ContainerMessage: Hashable, Sendable {
    /// The container is there; what is known of it stays.
    case heartbeat
    /// The container says what it is: its registration.
    case newContainer(Registration)
    /// The outputs of a batch.
    case response(PredictResponse)
    /// RPC 4 only: a batch failed, or was not computed.
    case failure(BatchFailure)
    /// RPC 4 only: the container is about to go, and is to get no more batches.
    case goodbye(Goodbye)
    /// RPC 4 only: a message of a type that is not known here and may be ignored.
    case notice(type: UInt32)
}

/// A message from a frontend to a container.
public enum FrontendMessage: Hashable, Sendable {
    /// The frontend is there, or asks the container to register.
    case heartbeat(HeartbeatKind)
    /// A batch to compute.
    case request(PredictRequest)
    /// RPC 4 only: the frontend knows nothing of this session; register.
    case welcome(Welcome)
    /// RPC 4 only: the registration holds; the number is that of the replica.
    case accepted(replica: UInt32?)
    /// RPC 4 only: the registration is not taken.
    case refused(Refusal)
    /// RPC 4 only: what the right answers were.
    case feedback(FeedbackMessage)
    /// RPC 4 only: no more batches will come in this session.
    case goodbye(Goodbye)
    /// RPC 4 only: a message of a type that is not known here and may be ignored.
    case notice(type: UInt32)
}

/// What a frontend's heartbeat asks for; the raw value is the one on the wire.
public enum HeartbeatKind: UInt32, Hashable, Sendable {
    /// Nothing: the session stands.
    case keepAlive = 0
    /// The registration: the frontend does not know this container.
    case requestMetadata = 1
}

/// What a container is to do with inputs; the raw value is the one on the wire.
public enum RequestKind: UInt32, Hashable, Sendable {
    /// To compute their outputs.
    case predict = 0
    /// To learn from them, in RPC 3. No frontend may send it (`protocol/rpc-3.md`, 6.6).
    case feedback = 1
}

/// The answer to one batch: one output for each of its inputs, in order.
public struct PredictResponse: Hashable, Sendable {
    /// The id of the request that it answers.
    public var id: UInt32
    /// As many outputs as the request had inputs.
    public var outputs: Outputs
    /// RPC 4 only: what the model took for the batch.
    public var computeTime: Duration?

    /// The answer to the request with this id.
    public init(id: UInt32, outputs: Outputs, computeTime: Duration? = nil) {
        self.id = id
        self.outputs = outputs
        self.computeTime = computeTime
    }
}

/// One batch for a container: typed inputs, all rows in one array.
public struct PredictRequest: Hashable, Sendable {
    /// What the answer names it by; the frontend counts them.
    public var id: UInt32
    /// What is to be done.
    public var kind: RequestKind
    /// The inputs.
    public var inputs: InputValues
    /// RPC 4 only: the time until no answer of the batch is of use any more.
    public var budget: Duration?
    /// RPC 4 only: the trace that the batch belongs to.
    public var trace: TraceContext?

    /// A request for these inputs.
    public init(
        id: UInt32, kind: RequestKind = .predict, inputs: InputValues, budget: Duration? = nil,
        trace: TraceContext? = nil
    ) {
        self.id = id
        self.kind = kind
        self.inputs = inputs
        self.budget = budget
        self.trace = trace
    }
}

/// A trace that a query belongs to, as an application's request brings it (W3C Trace Context).
public struct TraceContext: Hashable, Sendable {
    /// The header `traceparent`, as it came.
    public var parent: String?
    /// The header `tracestate`, as it came.
    public var state: String?

    /// The trace of these headers.
    public init(parent: String?, state: String? = nil) {
        self.parent = parent
        self.state = state
    }
}

/// The inputs of a batch in one array of their type, and where each ends.
public struct InputValues: Hashable, Sendable {
    /// The elements of all inputs, one after the other.
    public enum Elements: Hashable, Sendable {
        /// Opaque bytes.
        case bytes([UInt8])
        /// Signed integers.
        case int32([Int32])
        /// Numbers in single precision.
        case float32([Float])
        /// Numbers in double precision.
        case float64([Double])
        /// The UTF-8 of all strings; decoding has checked it.
        case string([UInt8])
    }

    /// The elements of all inputs, in order.
    public var elements: Elements
    /// For each input, the end of its elements, counted in elements.
    public var rowEnds: [Int]

    /// Inputs of these elements. Nothing is checked here: a frontend that is asked them says what is wrong.
    ///
    /// - Parameter rowEnds: rise, and the last one is the number of elements; of strings each row is valid UTF-8.
    public init(elements: Elements, rowEnds: [Int]) {
        self.elements = elements
        self.rowEnds = rowEnds
    }

    /// Why these cannot be asked; `nil` where they can.
    package var problem: String? {
        let (elementCount, utf8): (Int, [UInt8]?) =
            switch elements {
            case .bytes(let values): (values.count, nil)
            case .int32(let values): (values.count, nil)
            case .float32(let values): (values.count, nil)
            case .float64(let values): (values.count, nil)
            case .string(let values): (values.count, values)
            }
        var start = 0
        for (row, end) in rowEnds.enumerated() {
            guard end >= start, end <= elementCount else {
                return "input \(row) ends at element \(end); expected \(start) to \(elementCount)"
            }
            if let utf8, String(validating: utf8[start..<end], as: UTF8.self) == nil {
                return "input \(row) is a string that is no UTF-8"
            }
            start = end
        }
        return start == elementCount ? nil : "\(elementCount - start) elements are in no input"
    }

    /// How many inputs there are.
    public var count: Int { rowEnds.count }

    /// The type of the elements.
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
    /// Inputs of doubles.
    public static func doubles(_ rows: [[Double]]) -> InputValues {
        InputValues(elements: .float64(Array(rows.joined())), rowEnds: ends(of: rows))
    }

    /// Inputs of floats.
    public static func floats(_ rows: [[Float]]) -> InputValues {
        InputValues(elements: .float32(Array(rows.joined())), rowEnds: ends(of: rows))
    }

    /// Inputs of integers.
    public static func integers(_ rows: [[Int32]]) -> InputValues {
        InputValues(elements: .int32(Array(rows.joined())), rowEnds: ends(of: rows))
    }

    /// Inputs of bytes.
    public static func bytes(_ rows: [[UInt8]]) -> InputValues {
        InputValues(elements: .bytes(Array(rows.joined())), rowEnds: ends(of: rows))
    }

    /// Inputs that are strings.
    public static func strings(_ rows: [String]) -> InputValues {
        let rows = rows.map { Array($0.utf8) }
        return InputValues(elements: .string(Array(rows.joined())), rowEnds: ends(of: rows))
    }

    private static func ends(of rows: [[some Any]]) -> [Int] {
        var end = 0
        return rows.map { row in
            end += row.count
            return end
        }
    }

    /// Some of the inputs, which must be there.
    package func slice(_ rows: Range<Int>) -> InputValues {
        guard rows != 0..<count else { return self }
        let start = rows.lowerBound == 0 ? 0 : rowEnds[rows.lowerBound - 1]
        let range = start..<(rows.isEmpty ? start : rowEnds[rows.upperBound - 1])
        let elements: Elements =
            switch elements {
            case .bytes(let values): .bytes(Array(values[range]))
            case .int32(let values): .int32(Array(values[range]))
            case .float32(let values): .float32(Array(values[range]))
            case .float64(let values): .float64(Array(values[range]))
            case .string(let values): .string(Array(values[range]))
            }
        return InputValues(elements: elements, rowEnds: rowEnds[rows].map { $0 - start })
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
