// Writes each golden vector as an input of the fuzzer: a byte for the direction, then the frames, each preceded by its
// length in 16 bits, little-endian. Usage: fuzz-seeds VECTOR_DIR CORPUS_DIR

import Foundation

struct VectorFile: Decodable {
    struct Vector: Decodable {
        var name: String
        var frames: [String]
    }

    var direction: String
    var vectors: [Vector]
}

struct Failure: Error, CustomStringConvertible {
    var description: String
}

func bytes(ofHex text: String) throws -> [UInt8] {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { throw Failure(description: "half a byte: \(text)") }
    return try stride(from: 0, to: digits.count, by: 2).map { start in
        guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
            throw Failure(description: "no hexadecimal: \(text)")
        }
        return byte
    }
}

/// The fuzzer's input; `nil` for a message that is longer than its inputs get.
func input(_ vector: VectorFile.Vector, direction: String) throws -> [UInt8]? {
    var input: [UInt8]
    switch direction {
    case "container-to-frontend": input = [0]
    case "frontend-to-container": input = [1]
    default: throw Failure(description: "no direction: \(direction)")
    }
    for frame in try vector.frames.map(bytes(ofHex:)) {
        guard let count = UInt16(exactly: frame.count) else { return nil }
        input += [UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8)] + frame
    }
    return input
}

func writeSeeds(from vectors: URL, to corpus: URL) throws -> Int {
    try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
    var count = 0
    for file in try FileManager.default.contentsOfDirectory(at: vectors, includingPropertiesForKeys: nil)
    where file.pathExtension == "json" {
        let contents = try JSONDecoder().decode(VectorFile.self, from: Data(contentsOf: file))
        for (index, vector) in contents.vectors.enumerated() {
            let name = "\(file.deletingPathExtension().lastPathComponent)-\(index)"
            guard let input = try input(vector, direction: contents.direction) else { continue }
            try Data(input).write(to: corpus.appending(path: name))
            count += 1
        }
    }
    guard count > 0 else { throw Failure(description: "no vectors in \(vectors.path)") }
    return count
}

guard CommandLine.arguments.count == 3 else {
    FileHandle.standardError.write(Data("usage: fuzz-seeds VECTOR_DIR CORPUS_DIR\n".utf8))
    exit(64)
}
do {
    let count = try writeSeeds(
        from: URL(filePath: CommandLine.arguments[1]), to: URL(filePath: CommandLine.arguments[2]))
    print("\(count) seeds in \(CommandLine.arguments[2])")
} catch {
    FileHandle.standardError.write(Data("fuzz-seeds: \(error)\n".utf8))
    exit(1)
}
