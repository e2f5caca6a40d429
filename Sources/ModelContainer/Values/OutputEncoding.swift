import ContainerRPC
import Foundation

/// Turns a model's outputs into the protocol's strings: a `String` as it is, a number as its shortest exact text, any
/// other value as JSON.
struct OutputEncoding {
    private let encoder: JSONEncoder

    init() {
        encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
    }

    /// - Throws: `EncodingError` for a value that JSON cannot say.
    func text(of output: some Encodable) throws -> String {
        switch output {
        case let text as String: text
        case let number as Double: number.description
        case let number as Float: number.description
        case let number as any BinaryInteger: String(describing: number)
        default: String(decoding: try encoder.encode(output), as: UTF8.self)
        }
    }

    /// The outputs of a batch.
    /// - Throws: `ContainerError.wrongOutputCount` unless there is one for each input.
    func outputs(_ values: [some Encodable], inputCount: Int) throws -> Outputs {
        guard values.count == inputCount else {
            throw ContainerError.wrongOutputCount(expected: inputCount, found: values.count)
        }
        var outputs = Outputs()
        outputs.reserveCapacity(outputs: values.count, bytes: values.count * 8)
        for value in values { outputs.append(try text(of: value)) }
        return outputs
    }
}
