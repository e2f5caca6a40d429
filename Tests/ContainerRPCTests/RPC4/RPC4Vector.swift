import ContainerRPC
import Foundation
import Testing

/// One vector of `protocol/vectors/rpc-4`: frames, and what they mean or break.
struct RPC4Vector: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// What the message says, by the names of `protocol/vectors/README.md`; items and texts down to their bytes.
        case message([String: String], isCanonical: Bool)
        case error(WireError.Kind, frame: Int)
    }

    var file: String
    var name: String
    var direction: MessageContent.Direction
    var frames: FrameList
    var outcome: Outcome

    var testDescription: String { "\(file): \(name)" }

    static func all() throws -> [RPC4Vector] {
        let folder = GoldenVector.folder.deletingLastPathComponent().appending(path: "rpc-4")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .flatMap { url in
                let file = try JSONDecoder().decode(VectorFile.self, from: Data(contentsOf: url))
                #expect(file.protocol == "rpc-4")
                return try file.vectors.map { try RPC4Vector($0, of: file, named: url.lastPathComponent) }
            }
    }

    private init(_ vector: VectorFile.Vector, of file: VectorFile, named fileName: String) throws {
        self.file = fileName
        name = vector.name
        direction = try #require(MessageContent.Direction(rawValue: file.direction))
        frames = FrameList(try vector.frames.map { try bytes(ofHexadecimal: $0) })
        if let error = vector.error {
            try #require(vector.message == nil && vector.canonical == nil)
            outcome = .error(try #require(WireError.Kind(rawValue: error.kind)), frame: error.frame)
        } else {
            outcome = .message(
                try VectorContent(try #require(vector.message)).texts, isCanonical: vector.canonical ?? true)
        }
    }
}

private struct VectorFile: Decodable {
    struct Vector: Decodable {
        var name: String
        var frames: [String]
        var canonical: Bool?
        var message: [String: JSONValue]?
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

/// The `message` of a vector with everything as text: bytes in hexadecimal, numbers in decimal.
private struct VectorContent {
    var texts: [String: String] = [:]

    init(_ message: [String: JSONValue]) throws {
        for (key, value) in message {
            switch key {
            case "items", "items_hex": texts["items"] = try Self.items(value, key, message["item_type"])
            case "labels", "labels_hex": texts["labels"] = try Self.items(value, key, message["label_type"])
            case "metadata", "errors": texts[key] = try Self.list(value)
            case "budget", "compute_time":
                // Numbers that not every reader of JSON keeps exact are written as strings.
                if case .string(let digits) = value { texts[key] = digits } else { texts[key] = try Self.scalar(value) }
            default: texts[key] = try Self.scalar(value)
            }
        }
    }

    private static func scalar(_ value: JSONValue) throws -> String {
        switch value {
        case .boolean(let bool): return "\(bool)"
        case .integer(let integer): return "\(integer)"
        case .string(let text): return hexadecimal(Array(text.utf8))
        case .null, .double, .array, .object:
            throw WrongVector(what: "\(value)")
        }
    }

    private static func list(_ value: JSONValue) throws -> String {
        guard case .array(let entries) = value else { throw WrongVector(what: "\(value)") }
        return try entries.map { entry in
            switch entry {
            case .array(let pair): try pair.map(scalar).joined(separator: "=")
            case .object(let error):
                try ["index", "code", "text"].map { try scalar(error[$0] ?? .null) }.joined(separator: "/")
            default: throw WrongVector(what: "\(entry)")
            }
        }.joined(separator: ";")
    }

    private static func items(_ value: JSONValue, _ key: String, _ type: JSONValue?) throws -> String {
        guard case .array(let items) = value, case .string(let type)? = type else { throw WrongVector(what: key) }
        return try items.map { item in
            if key.hasSuffix("_hex"), case .string(let text) = item { return text }
            return hexadecimal(try bytes(of: item, type))
        }.joined(separator: ",")
    }

    private static func bytes(of item: JSONValue, _ type: String) throws -> [UInt8] {
        switch (item, type) {
        case (.null, _): []
        case (.string(let text), "bytes"): try ContainerRPCTests.bytes(ofHexadecimal: text)
        case (.string(let text), "string"): Array(text.utf8)
        case (.array(let elements), _): try elements.flatMap { try bytes(of: $0, type) }
        case (.integer(let value), "int32"): littleEndianBytes(Int32(truncatingIfNeeded: value))
        case (.integer(let value), "int64"): littleEndianBytes(Int64(value))
        case (.integer(let value), "float32"): littleEndianBytes(Float(value).bitPattern)
        case (.integer(let value), "float64"): littleEndianBytes(Double(value).bitPattern)
        case (.double(let value), "float32"): littleEndianBytes(Float(value).bitPattern)
        case (.double(let value), "float64"): littleEndianBytes(value.bitPattern)
        default: throw WrongVector(what: "\(item) as \(type)")
        }
    }
}

/// A vector does not follow `protocol/vectors/README.md`.
struct WrongVector: Error {
    var what: String
}

func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(ofHexadecimal text: String) throws -> [UInt8] {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { throw WrongVector(what: text) }
    return try stride(from: 0, to: digits.count, by: 2).map { index in
        guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
            throw WrongVector(what: text)
        }
        return byte
    }
}
