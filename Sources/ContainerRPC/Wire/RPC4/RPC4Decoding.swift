extension RPC4 {
    /// Reads a message from a container: one of RPC 4, or the heartbeat, which is that of RPC 3.
    public static func decodeContainerMessage(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> ContainerMessage {
        let head = try frames.head()
        switch head.type {
        case MessageType.register:
            return .newContainer(try decodeRegistration(frames))
        case MessageType.results:
            return .response(try decodeResults(frames, id: head.id))
        case MessageType.failure:
            let fields = try decodeFarewell(frames)
            return .failure(BatchFailure(id: head.id, code: FailureCode(rawValue: fields.code), reason: fields.reason))
        case MessageType.goodbye:
            return .goodbye(try decodeGoodbye(frames))
        case MessageType.firstNotice...:
            return .notice(type: head.type)
        default:
            throw WireError(
                .unknownType, frame: 0,
                expected: "7 (goodbye), 8 (register), 9 (results) or 10 (failure); a heartbeat is that of RPC 3",
                found: "\(head.type)")
        }
    }

    /// Reads a message from a frontend.
    public static func decodeFrontendMessage(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> FrontendMessage {
        let head = try frames.head()
        switch head.type {
        case MessageType.welcome:
            return .welcome(try decodeWelcome(frames))
        case MessageType.accepted:
            var replica: UInt32?
            try frames.readFields { (field, value) throws(WireError) in
                guard field == .replica else { return false }
                replica = try value().uint32()
                return true
            }
            try frames.expectFrames(1...1)
            return .accepted(replica: replica)
        case MessageType.refused:
            let fields = try decodeFarewell(frames, mayRetry: true)
            return .refused(
                Refusal(RefusalCode(rawValue: fields.code), reason: fields.reason, retryAfter: fields.retryAfter))
        case MessageType.heartbeat:
            try frames.readFields { (_, _) throws(WireError) in false }
            try frames.expectFrames(1...1)
            return .heartbeat(.keepAlive)
        case MessageType.predict:
            return .request(try decodePredict(frames, id: head.id))
        case MessageType.feedback:
            return .feedback(try decodeFeedback(frames, id: head.id))
        case MessageType.goodbye:
            return .goodbye(try decodeGoodbye(frames))
        case MessageType.firstNotice...:
            return .notice(type: head.type)
        default:
            throw WireError(
                .unknownType, frame: 0, expected: "1 (welcome) to 7 (goodbye)", found: "\(head.type)")
        }
    }

    /// Whether a message, malformed or not, says of itself that it is a registration: only such a one is answered.
    package static func isRegistration(_ frames: borrowing some FrameSource & ~Copyable) -> Bool {
        (try? frames.head())?.type == MessageType.register
    }

    private static func decodeWelcome(_ frames: borrowing some FrameSource & ~Copyable) throws(WireError) -> Welcome {
        var interval: Duration?
        var limit: Duration?
        var software: String?
        try frames.readFields { (field, value) throws(WireError) in
            switch field {
            case .heartbeatInterval: interval = try value().interval()
            case .silenceLimit: limit = try value().interval()
            case .software: software = try value().text()
            default: return false
            }
            return true
        }
        let welcome = Welcome(
            heartbeatInterval: try required(interval, .heartbeatInterval),
            silenceLimit: try required(limit, .silenceLimit),
            software: software)
        try frames.expectFrames(1...1)
        return welcome
    }

    private static func decodeRegistration(
        _ frames: borrowing some FrameSource & ~Copyable
    ) throws(WireError) -> Registration {
        var name: String?
        var version: String?
        var inputType: InputType?
        var details = RegistrationDetails()
        try frames.readFields { (field, value) throws(WireError) in
            switch field {
            case .software: details.software = try value().text()
            case .modelName: name = try value().name()
            case .modelVersion: version = try value().name()
            case .inputType: inputType = try value().inputType()
            case .largestBatch: details.largestBatch = Int(try value().uint32(atLeast: 1))
            case .batchesInFlight: details.batchesInFlight = Int(try value().uint32(atLeast: 1))
            case .metadata: details.metadata = try value().pairs()
            case .beatsWhileBusy: details.beatsWhileBusy = try value().flag()
            case .wantsFeedback: details.wantsFeedback = try value().flag()
            default: return false
            }
            return true
        }
        let registration = Registration(
            modelName: try required(name, .modelName), modelVersion: try required(version, .modelVersion),
            inputType: try required(inputType, .inputType), rpcVersion: .four, details: details)
        try frames.expectFrames(1...1)
        return registration
    }

    private static func decodeGoodbye(_ frames: borrowing some FrameSource & ~Copyable) throws(WireError) -> Goodbye {
        let fields = try decodeFarewell(frames)
        return Goodbye(GoodbyeCode(rawValue: fields.code), reason: fields.reason)
    }

    /// The fields that refused, failure and goodbye have in common.
    private static func decodeFarewell(
        _ frames: borrowing some FrameSource & ~Copyable, mayRetry: Bool = false
    ) throws(WireError) -> (code: UInt32, reason: String?, retryAfter: Duration?) {
        var code: UInt32?
        var reason: String?
        var retryAfter: Duration?
        try frames.readFields { (field, value) throws(WireError) in
            switch field {
            case .code: code = try value().uint32()
            case .reason: reason = try value().text()
            case .retryAfter where mayRetry: retryAfter = try value().milliseconds()
            default: return false
            }
            return true
        }
        let known = try required(code, .code)
        try frames.expectFrames(1...1)
        return (known, reason, retryAfter)
    }

    private static func decodePredict(
        _ frames: borrowing some FrameSource & ~Copyable, id: UInt32
    ) throws(WireError) -> PredictRequest {
        var type: InputType?
        var budget: Duration?
        var parent: String?
        var state: String?
        try frames.readFields { (field, value) throws(WireError) in
            switch field {
            case .itemType: type = try value().inputType()
            case .budget: budget = try value().microseconds()
            case .traceParent: parent = try value().text()
            case .traceState: state = try value().text()
            default: return false
            }
            return true
        }
        let known = try required(type, .itemType)
        try frames.expectFrames(3...3)
        let trace = parent == nil && state == nil ? nil : TraceContext(parent: parent, state: state)
        return PredictRequest(id: id, inputs: try frames.inputs(known, offsetsAt: 1), budget: budget, trace: trace)
    }

    private static func decodeFeedback(
        _ frames: borrowing some FrameSource & ~Copyable, id: UInt32
    ) throws(WireError) -> FeedbackMessage {
        var type: InputType?
        var labelType: OutputType?
        var isVectors = false
        try frames.readFields { (field, value) throws(WireError) in
            switch field {
            case .itemType: type = try value().inputType()
            case .vectors: isVectors = try value().flag()
            case .labelType: labelType = try value().outputType()
            default: return false
            }
            return true
        }
        let known = try required(type, .itemType)
        let knownLabels = try required(labelType, .labelType)
        try checkVectors(isVectors, knownLabels)
        try frames.expectFrames(5...5)
        let inputs = try frames.inputs(known, offsetsAt: 1)
        let labels = try frames.outputs(
            knownLabels, isVectors: isVectors, offsetsAt: 3, count: inputs.count, errors: [])
        return FeedbackMessage(id: id, inputs: inputs, labels: labels)
    }

    private static func decodeResults(
        _ frames: borrowing some FrameSource & ~Copyable, id: UInt32
    ) throws(WireError) -> PredictResponse {
        var type: OutputType?
        var isVectors = false
        var computeTime: Duration?
        try frames.readFields { (field, value) throws(WireError) in
            switch field {
            case .itemType: type = try value().outputType()
            case .vectors: isVectors = try value().flag()
            case .computeTime: computeTime = try value().microseconds()
            default: return false
            }
            return true
        }
        let known = try required(type, .itemType)
        try checkVectors(isVectors, known)
        try frames.expectFrames(3...4)
        let ends = try frames.itemEnds(offsetsAt: 1)
        let errors = frames.frameCount == 4 ? try frames.itemErrors(at: 3, ends: ends) : []
        let outputs = try frames.outputs(known, isVectors: isVectors, offsetsAt: 1, count: nil, errors: errors)
        return PredictResponse(id: id, outputs: outputs, computeTime: computeTime)
    }

    private static func required<Value>(_ value: Value?, _ field: FieldNumber) throws(WireError) -> Value {
        guard let value else {
            throw WireError(
                .missingField, frame: 0, expected: "field \(field.rawValue) (\(field.name))", found: "no such field")
        }
        return value
    }

    private static func checkVectors(_ isVectors: Bool, _ type: OutputType) throws(WireError) {
        guard !isVectors || type.isNumeric else {
            throw WireError(
                .fieldValue, frame: 0, expected: "vectors of numbers in field \(FieldNumber.vectors.rawValue)",
                found: "vectors of \(type)")
        }
    }
}

extension FrameSource where Self: ~Copyable {
    /// The fixed part of frame 0.
    fileprivate func head() throws(WireError) -> (type: UInt32, id: UInt32) {
        guard frameCount > 0 else {
            throw WireError(.missingFrame, frame: 0, expected: "the head", found: "the end of the message")
        }
        return try withFrame(0) { (head) throws(WireError) in
            guard head.count >= 12 else {
                throw WireError(
                    .headLength, frame: 0,
                    expected: "at least 12 bytes (only RPC 3's messages begin with an empty frame)",
                    found: "\(head.count)")
            }
            let version = head.uint32(at: 0)
            guard version == RPC4.version else {
                throw WireError(.unsupportedVersion, frame: 0, expected: "\(RPC4.version)", found: "\(version)")
            }
            return (head.uint32(at: 4), head.uint32(at: 8))
        }
    }

    /// Walks through the fields of the head, which has been found long enough. `take` is asked of every one, and says
    /// whether the message has such a field; one that is not known to any message is `nil`.
    fileprivate func readFields(
        _ take: (_ field: FieldNumber?, _ value: () -> FieldValue) throws(WireError) -> Bool
    ) throws(WireError) {
        try withFrame(0) { (head) throws(WireError) in
            var offset = 12
            var last: UInt16 = 0
            while offset < head.count {
                guard head.count - offset >= 4 else {
                    throw WireError(
                        .fieldLength, frame: 0, expected: "a tag and a length, 4 bytes", found: "\(head.count - offset)"
                    )
                }
                let tag = head.uint16(at: offset)
                let length = Int(head.uint16(at: offset + 2))
                let number = tag & ~mandatoryBit
                guard head.count - offset - 4 >= length else {
                    throw WireError(
                        .fieldLength, frame: 0, expected: "\(length) bytes in field \(number)",
                        found: "\(head.count - offset - 4)")
                }
                guard number > last else {
                    throw WireError(
                        .fieldOrder, frame: 0, expected: "a field number above \(last)", found: "\(number)")
                }
                let start = offset + 4
                let value = FieldValue(number, copying: head.extracting(start..<start + length))
                if try !take(FieldNumber(rawValue: number), { value }), tag & mandatoryBit != 0 {
                    throw WireError(
                        .unknownField, frame: 0, expected: "fields that this message has",
                        found: "field \(number), which must be understood")
                }
                last = number
                offset = start + length
            }
        }
    }

    fileprivate func expectFrames(_ range: ClosedRange<Int>) throws(WireError) {
        guard frameCount >= range.lowerBound else {
            throw WireError(
                .missingFrame, frame: frameCount, expected: "\(range.lowerBound) frames", found: "\(frameCount)")
        }
        try expectEnd(at: min(frameCount, range.upperBound))
    }
}
