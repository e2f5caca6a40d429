/// RPC version 4: messages to frames and back (`protocol/rpc-4.md`).
///
/// A message is a head and, if it carries a batch, two to four frames of packed items. Decoding is total, as that of
/// RPC 3: any frames give a message or a `WireError`, and nothing larger than what arrived is allocated.
public enum RPC4 {
    /// The version number on the wire.
    static let version = RPCVersion.four.rawValue

    enum MessageType {
        static let welcome: UInt32 = 1
        static let accepted: UInt32 = 2
        static let refused: UInt32 = 3
        static let heartbeat: UInt32 = 4
        static let predict: UInt32 = 5
        static let feedback: UInt32 = 6
        static let goodbye: UInt32 = 7
        static let register: UInt32 = 8
        static let results: UInt32 = 9
        static let failure: UInt32 = 10
        /// From here on, a type that is not known may be ignored.
        static let firstNotice: UInt32 = 256
    }
}

// MARK: - Encoding

extension RPC4 {
    /// Appends the frames of a message to a frontend. A heartbeat is that of RPC 3 in both versions.
    public static func encode(_ message: ContainerMessage, into sink: inout some FrameSink & ~Copyable) {
        switch message {
        case .heartbeat:
            RPC3.encode(.heartbeat, into: &sink)
        case .newContainer(let registration):
            sink.append(head(of: registration).bytes.span)
        case .response(let response):
            let outputs = response.outputs
            var head = HeadWriter(type: MessageType.results, id: response.id)
            head.field(.itemType, outputs.type.rawValue)
            head.flag(.vectors, outputs.isVectors)
            head.microseconds(.computeTime, response.computeTime)
            sink.append(head.bytes.span)
            append(outputs, into: &sink)
            appendErrors(of: outputs, into: &sink)
        case .failure(let failure):
            var head = HeadWriter(type: MessageType.failure, id: failure.id)
            head.field(.code, failure.code.rawValue)
            head.field(.reason, failure.reason)
            sink.append(head.bytes.span)
        case .goodbye(let goodbye):
            sink.append(head(of: goodbye).bytes.span)
        case .notice(let type):
            sink.append(HeadWriter(type: type).bytes.span)
        }
    }

    /// Appends the frames of a message to a container. Batches of the frontend's own payloads go by `encodeRequest`.
    public static func encode(_ message: FrontendMessage, into sink: inout some FrameSink & ~Copyable) {
        switch message {
        case .heartbeat(.keepAlive):
            sink.append(HeadWriter(type: MessageType.heartbeat).bytes.span)
        case .heartbeat(.requestMetadata):
            encode(.welcome(SessionTiming.standard.welcome), into: &sink)
        case .welcome(let welcome):
            var head = HeadWriter(type: MessageType.welcome)
            head.milliseconds(.heartbeatInterval, welcome.heartbeatInterval)
            head.milliseconds(.silenceLimit, welcome.silenceLimit)
            head.field(.software, welcome.software)
            sink.append(head.bytes.span)
        case .accepted(let replica):
            var head = HeadWriter(type: MessageType.accepted)
            head.field(.replica, replica)
            sink.append(head.bytes.span)
        case .refused(let refusal):
            var head = HeadWriter(type: MessageType.refused)
            head.field(.code, refusal.code.rawValue)
            head.field(.reason, refusal.reason)
            head.milliseconds(.retryAfter, refusal.retryAfter)
            sink.append(head.bytes.span)
        case .request(let request):
            encodeRequest(
                id: request.id, inputType: request.inputs.type, inputs: request.inputs.payloads,
                budget: request.budget, trace: request.trace, into: &sink)
        case .feedback(let feedback):
            var head = HeadWriter(type: MessageType.feedback, id: feedback.id)
            head.field(.itemType, feedback.inputs.type.rawValue)
            head.flag(.vectors, feedback.labels.isVectors)
            head.field(.labelType, feedback.labels.type.rawValue)
            sink.append(head.bytes.span)
            append(feedback.inputs.payloads, into: &sink)
            append(feedback.labels, into: &sink)
        case .goodbye(let goodbye):
            sink.append(head(of: goodbye).bytes.span)
        case .notice(let type):
            sink.append(HeadWriter(type: type).bytes.span)
        }
    }

    /// Appends the frames of a batch for a container.
    ///
    /// - Parameters:
    ///   - inputs: each input's bytes as the wire has them; together less than 4 GiB.
    ///   - budget: the time until no answer of the batch is of use any more.
    public static func encodeRequest(
        id: UInt32, inputType: InputType, inputs: [Payload], budget: Duration? = nil, trace: TraceContext? = nil,
        into sink: inout some FrameSink & ~Copyable
    ) {
        var head = HeadWriter(type: MessageType.predict, id: id)
        head.field(.itemType, inputType.rawValue)
        head.microseconds(.budget, budget)
        head.field(.traceParent, trace?.parent)
        head.field(.traceState, trace?.state)
        sink.append(head.bytes.span)
        append(inputs, into: &sink)
    }

    private static func head(of registration: Registration) -> HeadWriter {
        let details = registration.details
        var head = HeadWriter(type: MessageType.register)
        head.field(.software, details.software)
        head.field(.modelName, registration.modelName)
        head.field(.modelVersion, registration.modelVersion)
        head.field(.inputType, registration.inputType.rawValue)
        head.field(.largestBatch, details.largestBatch.map { UInt32(clamping: $0) })
        head.field(.batchesInFlight, details.batchesInFlight.map { UInt32(clamping: $0) })
        head.field(.metadata, details.metadata)
        head.flag(.beatsWhileBusy, details.beatsWhileBusy)
        head.flag(.wantsFeedback, details.wantsFeedback)
        return head
    }

    private static func head(of goodbye: Goodbye) -> HeadWriter {
        var head = HeadWriter(type: MessageType.goodbye)
        head.field(.code, goodbye.code.rawValue)
        head.field(.reason, goodbye.reason)
        return head
    }

    /// Two frames: offsets and items.
    private static func append(_ inputs: [Payload], into sink: inout some FrameSink & ~Copyable) {
        var total = 0
        sink.append(byteCount: 4 * (inputs.count + 1)) { frame in
            frame.storeBytes(of: 0, as: UInt32.self)
            for (index, input) in inputs.enumerated() {
                total += input.byteCount
                frame.storeBytes(of: UInt32(total).littleEndian, toByteOffset: 4 * (index + 1), as: UInt32.self)
            }
        }
        // A single input need not be copied into a frame of many.
        if inputs.count == 1 { return sink.append(inputs[0]) }
        sink.append(byteCount: total) { frame in
            var offset = 0
            for input in inputs where input.byteCount > 0 {
                // The frame is as long as all inputs together.
                UnsafeMutableRawBufferPointer(rebasing: frame[offset..<offset + input.byteCount])
                    .copyMemory(from: input.unsafeBytes)
                offset += input.byteCount
            }
        }
    }

    private static func append(_ outputs: Outputs, into sink: inout some FrameSink & ~Copyable) {
        sink.append(byteCount: 4 * (outputs.count + 1)) { frame in
            frame.storeBytes(of: 0, as: UInt32.self)
            for (index, end) in outputs.ends.enumerated() {
                frame.storeBytes(of: UInt32(end).littleEndian, toByteOffset: 4 * (index + 1), as: UInt32.self)
            }
        }
        sink.append(outputs.bytes.span)
    }

    private static func appendErrors(of outputs: Outputs, into sink: inout some FrameSink & ~Copyable) {
        guard !outputs.errors.isEmpty else { return }
        var frame: [UInt8] = []
        for error in outputs.errors {
            let text = [UInt8](error.text.utf8)
            for word in [UInt32(error.index), error.code.rawValue, UInt32(text.count)] {
                withUnsafeBytes(of: word.littleEndian) { frame.append(contentsOf: $0) }
            }
            frame += text
        }
        sink.append(frame.span)
    }
}
