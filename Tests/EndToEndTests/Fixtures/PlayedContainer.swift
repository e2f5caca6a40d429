import ContainerRPC
import TestSupport
import Testing

/// A container played by the test: it sends any frames, right or wrong, and reads what the frontend sends.
///
/// It speaks ZMTP 1.0, which libzmq takes from anyone: an empty identity, then for each frame its length, a byte that
/// tells whether more follow, and its bytes. There is no handshake to wait for.
final class PlayedContainer {
    let stream: TCPConnection
    private var received: [UInt8] = []
    /// The frontend's first frame is its identity, which is no message.
    private var hasIdentity = false
    private var frames: [[UInt8]] = []

    init(to frontend: Frontend) async throws {
        stream = try TCPConnection(to: Address(frontend.rpc))
        try await stream.write([1, 0])
    }

    /// A container that the frontend lists.
    static func registered(
        at frontend: Frontend, model: String = "sum", version: String = "1", inputType: InputType = .float64
    ) async throws -> PlayedContainer {
        let listed = try await frontend.containers(of: model, version)
        let container = try await PlayedContainer(to: frontend)
        try await container.send(
            .newContainer(Registration(modelName: model, modelVersion: version, inputType: inputType)))
        try await eventually("the played container is listed") {
            try await frontend.containers(of: model, version).contains { !listed.contains($0) }
        }
        return container
    }

    // MARK: Sending

    func send(_ message: ContainerMessage) async throws {
        var list = FrameList()
        RPC3.encode(message, into: &list)
        try await send(list.frames)
    }

    /// Answers a batch.
    func answer(_ request: PredictRequest, _ outputs: [String]) async throws {
        try await send(.response(PredictResponse(id: request.id, outputs: Outputs(outputs))))
    }

    /// Sends a message of these frames.
    func send(_ frames: [[UInt8]]) async throws {
        try await stream.write(frames.enumerated().flatMap { Self.frame($1, more: $0 + 1 < frames.count) })
    }

    /// A frame as ZMTP 1.0 has it.
    static func frame(_ bytes: [UInt8], more: Bool) -> [UInt8] {
        let length = bytes.count + 1
        let prefix =
            length < 255 ? [UInt8(length)] : [255] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
        return prefix + [more ? 1 : 0] + bytes
    }

    // MARK: Receiving

    /// Waits for the frontend's next message.
    func receive() async throws -> FrontendMessage {
        try await eventually("the frontend sends a message to the played container") {
            if let message = try takeMessage() { return message }
            while let bytes = try stream.readSome() {
                if bytes.isEmpty { throw ConnectionClosed() }
                received += bytes
            }
            return try takeMessage()
        }
    }

    /// Waits for the next batch; heartbeats before it do not matter.
    func receiveRequest() async throws -> PredictRequest {
        while true {
            if case .request(let request) = try await receive() { return request }
        }
    }

    private func takeMessage() throws -> FrontendMessage? {
        while let (frame, more) = takeFrame() {
            guard hasIdentity else {
                hasIdentity = true
                continue
            }
            frames.append(frame)
            guard !more else { continue }
            defer { frames = [] }
            return try RPC3.decodeFrontendMessage(FrameList(frames))
        }
        return nil
    }

    private func takeFrame() -> (bytes: [UInt8], more: Bool)? {
        guard let first = received.first else { return nil }
        let prefix = first == 255 ? 9 : 1
        guard received.count > prefix else { return nil }
        let length = first == 255 ? received[1..<9].reduce(0) { $0 << 8 | Int($1) } : Int(first)
        guard received.count >= prefix + length else { return nil }
        let more = received[prefix] & 1 == 1
        let bytes = Array(received[(prefix + 1)..<(prefix + length)])
        received.removeFirst(prefix + length)
        return (bytes, more)
    }
}

extension Int {
    /// The number as four bytes, little-endian.
    var u32: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
    /// The number as eight bytes, little-endian.
    var u64: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
