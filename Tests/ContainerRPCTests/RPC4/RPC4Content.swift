import ContainerRPC

/// What a message of RPC 4 says, with everything as text as the vectors' keys have it: bytes in hexadecimal, numbers in
/// decimal. Tests compare this, since a NaN is not equal to itself and texts may look alike.
struct RPC4Content: Hashable {
    var texts: [String: String] = [:]

    private mutating func set(_ key: String, _ text: String?) {
        if let text { texts[key] = hexadecimal(text.utf8) }
    }

    private mutating func set(_ key: String, _ number: (some BinaryInteger)?) {
        if let number { texts[key] = "\(number)" }
    }

    private mutating func set(_ key: String, _ isSet: Bool) {
        if isSet { texts[key] = "true" }
    }

    private mutating func milliseconds(_ key: String, _ duration: Duration?) {
        set(key, duration.map { $0.wholeNanoseconds / 1_000_000 })
    }

    /// The largest counts are beyond nanoseconds.
    private mutating func microseconds(_ key: String, _ duration: Duration?) {
        set(
            key,
            duration.map {
                UInt64($0.components.seconds) * 1_000_000 + UInt64($0.components.attoseconds / 1_000_000_000_000)
            })
    }

    init(_ message: ContainerMessage) {
        switch message {
        case .heartbeat:
            set("type", "rpc-3 heartbeat")
        case .newContainer(let registration):
            set("type", "register")
            set("software", registration.details.software)
            set("model_name", registration.modelName)
            set("model_version", registration.modelVersion)
            set("input_type", registration.inputType.wireName)
            set("largest_batch", registration.details.largestBatch)
            set("batches_in_flight", registration.details.batchesInFlight)
            if !registration.details.metadata.isEmpty {
                texts["metadata"] = registration.details.metadata.map {
                    "\(hexadecimal($0.key.utf8))=\(hexadecimal($0.value.utf8))"
                }.joined(separator: ";")
            }
            set("beats_while_busy", registration.details.beatsWhileBusy)
            set("wants_feedback", registration.details.wantsFeedback)
        case .response(let response):
            set("type", "results")
            set("id", response.id)
            set("item_type", "\(response.outputs.type)")
            set("vectors", response.outputs.isVectors)
            microseconds("compute_time", response.computeTime)
            texts["items"] = response.outputs.map { hexadecimal($0) }.joined(separator: ",")
            if !response.outputs.errors.isEmpty {
                texts["errors"] = response.outputs.errors.map {
                    "\($0.index)/\($0.code.rawValue)/\(hexadecimal($0.text.utf8))"
                }.joined(separator: ";")
            }
        case .failure(let failure):
            set("type", "failure")
            set("id", failure.id)
            set("code", failure.code.rawValue)
            set("reason", failure.reason)
        case .goodbye(let goodbye):
            set(goodbye)
        case .notice(let type):
            set("type", "notice")
            set("number", type)
        }
    }

    init(_ message: FrontendMessage) {
        switch message {
        case .heartbeat:
            set("type", "heartbeat")
        case .welcome(let welcome):
            set("type", "welcome")
            milliseconds("heartbeat_interval", welcome.heartbeatInterval)
            milliseconds("silence_limit", welcome.silenceLimit)
            set("software", welcome.software)
        case .accepted(let replica):
            set("type", "accepted")
            set("replica", replica)
        case .refused(let refusal):
            set("type", "refused")
            set("code", refusal.code.rawValue)
            set("reason", refusal.reason)
            milliseconds("retry_after", refusal.retryAfter)
        case .request(let request):
            set("type", "predict")
            set("id", request.id)
            microseconds("budget", request.budget)
            set("traceparent", request.trace?.parent)
            set("tracestate", request.trace?.state)
            set(request.inputs)
        case .feedback(let feedback):
            set("type", "feedback")
            set("id", feedback.id)
            set(feedback.inputs)
            set("label_type", "\(feedback.labels.type)")
            set("vectors", feedback.labels.isVectors)
            texts["labels"] = feedback.labels.map { hexadecimal($0) }.joined(separator: ",")
        case .goodbye(let goodbye):
            set(goodbye)
        case .notice(let type):
            set("type", "notice")
            set("number", type)
        }
    }

    private mutating func set(_ goodbye: Goodbye) {
        set("type", "goodbye")
        set("code", goodbye.code.rawValue)
        set("reason", goodbye.reason)
    }

    private mutating func set(_ inputs: InputValues) {
        set("item_type", inputs.type.wireName)
        texts["items"] = inputs.payloads.map { hexadecimal($0.bytes) }.joined(separator: ",")
    }
}

extension InputType {
    /// The name in the specification and in the vectors.
    fileprivate var wireName: String {
        switch self {
        case .bytes: "bytes"
        case .int32: "int32"
        case .float32: "float32"
        case .float64: "float64"
        case .string: "string"
        }
    }
}

/// A message of RPC 4 as a receiver of one direction reads it.
enum RPC4Message {
    case fromContainer(ContainerMessage)
    case fromFrontend(FrontendMessage)

    init(_ frames: FrameList, _ direction: MessageContent.Direction) throws(WireError) {
        switch direction {
        case .containerToFrontend: self = .fromContainer(try RPC4.decodeContainerMessage(frames))
        case .frontendToContainer: self = .fromFrontend(try RPC4.decodeFrontendMessage(frames))
        }
    }

    var content: RPC4Content {
        switch self {
        case .fromContainer(let message): RPC4Content(message)
        case .fromFrontend(let message): RPC4Content(message)
        }
    }

    var encoded: FrameList {
        var frames = FrameList()
        switch self {
        case .fromContainer(let message): RPC4.encode(message, into: &frames)
        case .fromFrontend(let message): RPC4.encode(message, into: &frames)
        }
        return frames
    }
}
