import ContainerRPC
import Foundation
import Testing

/// One vector of `protocol/vectors/rpc-3`: frames, and what they mean or break.
struct GoldenVector: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// The message; unless the frames are canonical, no sender sends them.
        case message(MessageContent, isCanonical: Bool)
        case error(WireError.Kind, frame: Int)
    }

    var file: String
    var name: String
    var direction: MessageContent.Direction
    var frames: FrameList
    var outcome: Outcome

    var testDescription: String { "\(file): \(name)" }

    /// The folder of the vectors, beside the folder of the tests.
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "protocol/vectors/rpc-3")

    /// Every vector of every file.
    static func all() throws -> [GoldenVector] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .flatMap { url in
                let file = try JSONDecoder().decode(VectorFile.self, from: Data(contentsOf: url))
                return try file.vectors.map { try GoldenVector($0, of: file, named: url.lastPathComponent) }
            }
    }

    /// The vectors that are messages.
    static func messages() throws -> [GoldenVector] {
        try all().filter { $0.message != nil }
    }

    /// What the frames say; `nil` where they are malformed.
    var message: MessageContent? {
        if case .message(let content, _) = outcome { content } else { nil }
    }
}

// MARK: - Reading

/// A vector file does not follow `protocol/vectors/README.md`.
private struct FormatError: Error {
    var what: String
}

private struct VectorFile: Decodable {
    struct Vector: Decodable {
        var name: String
        var frames: [String]
        var canonical: Bool?
        var message: Message?
        var error: Failure?
    }

    struct Failure: Decodable {
        var kind: String
        var frame: Int
    }

    var `protocol`: String
    var direction: String
    var vectors: [Vector]
}

extension GoldenVector {
    fileprivate init(_ vector: VectorFile.Vector, of file: VectorFile, named fileName: String) throws {
        guard file.protocol == "rpc-3", let direction = MessageContent.Direction(rawValue: file.direction) else {
            throw FormatError(what: "\(fileName): protocol or direction")
        }
        switch (vector.message, vector.error) {
        case (let message?, nil):
            outcome = .message(message.content, isCanonical: vector.canonical ?? true)
        case (nil, let error?):
            guard let kind = WireError.Kind(rawValue: error.kind), vector.canonical == nil else {
                throw FormatError(what: "\(fileName): \(vector.name): error")
            }
            outcome = .error(kind, frame: error.frame)
        default:
            throw FormatError(what: "\(fileName): \(vector.name): neither or both of message and error")
        }
        self.file = fileName
        self.name = vector.name
        self.direction = direction
        frames = FrameList(try vector.frames.map(bytes(ofHexadecimal:)))
    }
}

/// The `message` of a vector, read into its content.
private struct Message: Decodable {
    var content: MessageContent

    private enum Key: String, CodingKey {
        case type, kind, id, outputs, inputs
        case modelName = "model_name"
        case modelVersion = "model_version"
        case dataType = "data_type"
        case inputsHex = "inputs_hex"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        switch try values.decode(String.self, forKey: .type) {
        case "heartbeat":
            switch try values.decodeIfPresent(String.self, forKey: .kind) {
            case nil: content = .containerHeartbeat
            case "keep-alive": content = .frontendHeartbeat(.keepAlive)
            case "request-metadata": content = .frontendHeartbeat(.requestMetadata)
            case let kind?: throw FormatError(what: "heartbeat kind \(kind)")
            }
        case "new-container":
            content = .newContainer(
                name: Array(try values.decode(String.self, forKey: .modelName).utf8),
                version: Array(try values.decode(String.self, forKey: .modelVersion).utf8),
                try Self.dataType(in: values))
        case "predict-request":
            content = try Self.request(.predict, in: values)
        case "feedback-request":
            content = try Self.request(.feedback, in: values)
        case "predict-response":
            content = .response(
                id: try values.decode(UInt32.self, forKey: .id),
                outputs: try values.decode([String].self, forKey: .outputs).map { Array($0.utf8) })
        case let type:
            throw FormatError(what: "message type \(type)")
        }
    }

    private static func request(
        _ kind: RequestKind, in values: KeyedDecodingContainer<Key>
    ) throws -> MessageContent {
        let type = try dataType(in: values)
        let inputs: [[UInt8]]
        if let hex = try values.decodeIfPresent([String].self, forKey: .inputsHex) {
            inputs = try hex.map(bytes(ofHexadecimal:))
        } else {
            inputs =
                switch type {
                case .bytes: try values.decode([String].self, forKey: .inputs).map(bytes(ofHexadecimal:))
                case .string: try values.decode([String].self, forKey: .inputs).map { Array($0.utf8) }
                case .int32: try values.decode([[Int32]].self, forKey: .inputs).map { $0.flatMap(littleEndianBytes) }
                case .float32:
                    try values.decode([[Double]].self, forKey: .inputs).map { row in
                        row.flatMap { littleEndianBytes(Float($0).bitPattern) }
                    }
                case .float64:
                    try values.decode([[Double]].self, forKey: .inputs).map { row in
                        row.flatMap { littleEndianBytes($0.bitPattern) }
                    }
                }
        }
        return .request(id: try values.decode(UInt32.self, forKey: .id), kind, type, inputs: inputs)
    }

    private static func dataType(in values: KeyedDecodingContainer<Key>) throws -> InputType {
        switch try values.decode(String.self, forKey: .dataType) {
        case "bytes": .bytes
        case "int32": .int32
        case "float32": .float32
        case "float64": .float64
        case "string": .string
        case let name: throw FormatError(what: "data type \(name)")
        }
    }
}
