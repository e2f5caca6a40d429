import ContainerRPC

/// What a message says, down to the bytes.
///
/// Tests compare this instead of the messages: a NaN must keep its payload although it is not equal to itself, and texts
/// that look alike are two texts when their bytes differ.
enum MessageContent: Hashable, Sendable {
    case containerHeartbeat
    case newContainer(name: [UInt8], version: [UInt8], InputType)
    case response(id: UInt32, outputs: [[UInt8]])
    case frontendHeartbeat(HeartbeatKind)
    case request(id: UInt32, RequestKind, InputType, inputs: [[UInt8]])

    enum Direction: String, Sendable, CaseIterable {
        case containerToFrontend = "container-to-frontend"
        case frontendToContainer = "frontend-to-container"
    }
}

extension MessageContent {
    init(_ message: ContainerMessage) {
        switch message {
        case .heartbeat:
            self = .containerHeartbeat
        case .newContainer(let registration):
            self = .newContainer(
                name: Array(registration.modelName.utf8), version: Array(registration.modelVersion.utf8),
                registration.inputType)
        case .response(let response):
            self = .response(id: response.id, outputs: response.outputs.map { Array($0) })
        case .failure, .goodbye, .notice:
            preconditionFailure("RPC 3 has no such message")
        }
    }

    init(_ message: FrontendMessage) {
        switch message {
        case .heartbeat(let kind):
            self = .frontendHeartbeat(kind)
        case .request(let request):
            self = .request(
                id: request.id, request.kind, request.inputs.type, inputs: request.inputs.payloads.map(\.bytes))
        case .welcome, .accepted, .refused, .feedback, .goodbye, .notice:
            preconditionFailure("RPC 3 has no such message")
        }
    }

    /// Decodes frames as a receiver of this direction does.
    init(_ frames: borrowing some FrameSource & ~Copyable, _ direction: Direction) throws(WireError) {
        switch direction {
        case .containerToFrontend: self.init(try RPC3.decodeContainerMessage(frames))
        case .frontendToContainer: self.init(try RPC3.decodeFrontendMessage(frames))
        }
    }

    /// The message as a container would send it; `nil` for a frontend's.
    var containerMessage: ContainerMessage? {
        switch self {
        case .containerHeartbeat:
            .heartbeat
        case .newContainer(let name, let version, let type):
            .newContainer(
                Registration(
                    modelName: String(decoding: name, as: UTF8.self),
                    modelVersion: String(decoding: version, as: UTF8.self), inputType: type))
        case .response(let id, let outputs):
            .response(
                PredictResponse(id: id, outputs: Outputs(outputs.map { String(decoding: $0, as: UTF8.self) })))
        case .frontendHeartbeat, .request:
            nil
        }
    }

    /// The frames that a sender of the message sends.
    var frames: FrameList {
        var frames = FrameList()
        if let message = containerMessage {
            RPC3.encode(message, into: &frames)
        } else if case .frontendHeartbeat(let kind) = self {
            RPC3.encode(kind, into: &frames)
        } else if case .request(let id, let kind, let type, let inputs) = self {
            RPC3.encodeRequest(
                id: id, kind: kind, inputType: type, inputs: inputs.map { Payload(copying: $0) }, into: &frames)
        }
        return frames
    }
}
