/// RPC version 3, the protocol of Clipper's containers: messages to frames and back (`protocol/rpc-3.md`).
///
/// Decoding is total: any frames give a message or a `WireError`. Nothing larger than what arrived is allocated.
public enum RPC3 {
    /// The version number on the wire.
    static let version: UInt32 = 3

    /// The longest model name or version, in bytes of UTF-8.
    package static let longestName = 256

    /// Whether a byte may not stand in a model's name or version: `,`, `:` and the ASCII control characters.
    package static func isForbiddenInNames(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":")
    }

    enum MessageType {
        static let newContainer: UInt32 = 0
        static let content: UInt32 = 1
        static let heartbeat: UInt32 = 2
    }
}

// MARK: - Encoding

extension RPC3 {
    /// Appends the frames of a message to a frontend, the empty one first. Outputs become text.
    public static func encode(_ message: ContainerMessage, into sink: inout some FrameSink & ~Copyable) {
        sink.appendEmpty()
        switch message {
        case .heartbeat:
            sink.append(uint32: MessageType.heartbeat)
        case .newContainer(let registration):
            sink.append(uint32: MessageType.newContainer)
            sink.append(utf8: registration.modelName)
            sink.append(utf8: registration.modelVersion)
            sink.append(utf8: String(registration.inputType.rawValue))
            sink.append(uint32: version)
        case .response(let response):
            sink.append(uint32: MessageType.content)
            sink.append(uint32: response.id)
            let outputs = response.outputs.rendered
            sink.appendHeader(1 + outputs.count) { word in
                word == 0 ? UInt64(outputs.count) : UInt64(outputs[word - 1].count)
            }
            for output in outputs { sink.append(output.span) }
        case .failure, .goodbye, .notice:
            // A session says them in RPC 4 alone; a frontend of RPC 3 gets a message here that ends the session.
            assertionFailure("RPC 3 cannot say this")
        }
    }

    /// Appends the frames of a message to a container, the empty one first.
    public static func encode(_ message: FrontendMessage, into sink: inout some FrameSink & ~Copyable) {
        switch message {
        case .heartbeat(let kind):
            encode(kind, into: &sink)
        case .welcome:
            encode(.requestMetadata, into: &sink)
        case .request(let request):
            encodeRequest(
                id: request.id, kind: request.kind, inputType: request.inputs.type, inputs: request.inputs.payloads,
                into: &sink)
        case .accepted, .refused, .feedback, .goodbye, .notice:
            assertionFailure("RPC 3 cannot say this")
        }
    }

    /// Appends the frames of a heartbeat to a container, the empty one first.
    public static func encode(_ heartbeat: HeartbeatKind, into sink: inout some FrameSink & ~Copyable) {
        sink.appendEmpty()
        sink.append(uint32: version)
        sink.append(uint32: MessageType.heartbeat)
        sink.append(uint32: heartbeat.rawValue)
    }

    /// Appends the frames of a request to a container, the empty one first.
    ///
    /// - Parameter inputs: each input's bytes as the wire has them; their lengths must be multiples of the
    ///   type's element width.
    public static func encodeRequest(
        id: UInt32, kind: RequestKind = .predict, inputType: InputType, inputs: [Payload],
        into sink: inout some FrameSink & ~Copyable
    ) {
        sink.appendEmpty()
        sink.append(uint32: version)
        sink.append(uint32: MessageType.content)
        sink.append(uint32: id)
        sink.append(uint32: kind.rawValue)
        sink.appendHeader(2 + inputs.count) { word in
            switch word {
            case 0: UInt64(inputType.rawValue)
            case 1: UInt64(inputs.count)
            default: UInt64(inputs[word - 2].byteCount)
            }
        }
        for input in inputs { sink.append(input) }
    }
}

// MARK: - Decoding

extension RPC3 {
    /// Reads a message from a container.
    public static func decodeContainerMessage(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> ContainerMessage {
        try frames.expectEmpty(at: 0)
        let type = try frames.uint32(at: 1, "the message type")
        switch type {
        case MessageType.heartbeat:
            try frames.expectEnd(at: 2)
            return .heartbeat
        case MessageType.newContainer:
            return .newContainer(try decodeRegistration(frames))
        case MessageType.content:
            let id = try frames.uint32(at: 2, "the message id")
            return .response(PredictResponse(id: id, outputs: try decodeOutputs(frames)))
        default:
            throw WireError(
                .unknownType, frame: 1, expected: "0 (new container), 1 (content) or 2 (heartbeat)", found: "\(type)")
        }
    }

    /// Reads a message from a frontend.
    public static func decodeFrontendMessage(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> FrontendMessage {
        try frames.expectEmpty(at: 0)
        let version = try frames.uint32(at: 1, "the RPC version")
        guard version == self.version else {
            throw WireError(.unsupportedVersion, frame: 1, expected: "\(self.version)", found: "\(version)")
        }
        let type = try frames.uint32(at: 2, "the message type")
        switch type {
        case MessageType.heartbeat:
            let kind = try frames.uint32(at: 3, "the heartbeat type")
            guard let kind = HeartbeatKind(rawValue: kind) else {
                throw WireError(
                    .unknownHeartbeatType, frame: 3, expected: "0 (keep-alive) or 1 (send metadata)", found: "\(kind)")
            }
            try frames.expectEnd(at: 4)
            return .heartbeat(kind)
        case MessageType.content:
            let id = try frames.uint32(at: 3, "the message id")
            let kind = try frames.uint32(at: 4, "the request type")
            guard let kind = RequestKind(rawValue: kind) else {
                throw WireError(
                    .unknownRequestType, frame: 4, expected: "0 (predict) or 1 (feedback)", found: "\(kind)")
            }
            return .request(PredictRequest(id: id, kind: kind, inputs: try decodeInputs(frames)))
        default:
            throw WireError(.unknownType, frame: 2, expected: "1 (content) or 2 (heartbeat)", found: "\(type)")
        }
    }

    private static func decodeRegistration(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> Registration {
        let name = try frames.name(at: 2, "the model's name")
        let version = try frames.name(at: 3, "the model's version")
        let digits = try frames.bytes(at: 4, "the data type", atMost: 8)
        // Clipper's C++ and R containers send the digit in a frame as long as their version string: a NUL and whatever
        // lay behind it follow.
        guard let digit = digits.first, digit >= 0x30, digits.count == 1 || digits[1] == 0,
            let inputType = InputType(rawValue: UInt32(digit - 0x30))
        else {
            throw WireError(
                .unknownDataType, frame: 4, expected: "one ASCII digit from 0 to 4", found: digits.quoted)
        }
        // Clipper's Java container sends the number in 64 bits.
        let rpcVersion = try frames.uint32Or64(at: 5, "the RPC version")
        guard rpcVersion == UInt64(self.version) else {
            throw WireError(.unsupportedVersion, frame: 5, expected: "\(self.version)", found: "\(rpcVersion)")
        }
        try frames.expectEnd(at: 6)
        return Registration(modelName: name, modelVersion: version, inputType: inputType)
    }

    /// Frames 3 (length), 4 (count, sizes) and one frame for each output.
    private static func decodeOutputs(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> Outputs {
        let first = 5
        let total = try frames.checkItems(lengthAt: 3, leadingWords: 0) { (bytes, frame) throws(WireError) in
            try checkUTF8(bytes, frame: frame, "an output")
        }
        var outputs = Outputs()
        outputs.reserveCapacity(outputs: frames.frameCount - first, bytes: total)
        for frame in first..<frames.frameCount {
            try frames.withFrame(frame) { (bytes) throws(WireError) in outputs.append(bytes: bytes) }
        }
        return outputs
    }

    /// Frames 5 (length), 6 (data type, count, sizes) and one frame for each input.
    private static func decodeInputs(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> InputValues {
        let first = 7
        // The data type is read once the header is known to hold it, and checked before the sizes are.
        let count = try frames.checkHeader(lengthAt: 5, leadingWords: 1)
        let code = try frames.withFrame(6) { (header) throws(WireError) in header.word(0) }
        guard let narrow = UInt32(exactly: code), let type = InputType(rawValue: narrow) else {
            throw WireError(.unknownDataType, frame: 6, expected: "0 to 4", found: "\(code)")
        }
        let width = type.elementByteCount
        var rowEnds: [Int] = []
        rowEnds.reserveCapacity(count)
        var end = 0
        let total = try frames.checkItems(lengthAt: 5, leadingWords: 1) { (bytes, frame) throws(WireError) in
            guard bytes.count % width == 0 else {
                throw WireError(
                    .elementSize, frame: frame, expected: "a multiple of \(width) bytes (\(type))",
                    found: "\(bytes.count) bytes")
            }
            if type == .string { try checkUTF8(bytes, frame: frame, "a string input") }
            end += bytes.count / width
            rowEnds.append(end)
        }
        let elements: InputValues.Elements =
            switch type {
            case .bytes: .bytes(try frames.joined(from: first, byteCount: total))
            case .string: .string(try frames.joined(from: first, byteCount: total))
            case .int32: .int32(try frames.joined(from: first, byteCount: total))
            case .float32: .float32(try frames.joined(from: first, byteCount: total))
            case .float64: .float64(try frames.joined(from: first, byteCount: total))
            }
        return InputValues(elements: elements, rowEnds: rowEnds)
    }
}
