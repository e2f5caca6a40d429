import ContainerRPC
import Foundation

/// Turns a model's outputs into the protocol's: numbers and vectors of numbers as they are, `Data` as bytes, a `String`
/// as text, any other value as JSON text. (To a frontend of RPC 3, which has only text, numbers go as text.)
struct OutputEncoding {
    private let encoder: JSONEncoder

    init() {
        encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
    }

    /// The outputs of a batch.
    /// - Throws: `ContainerError.wrongOutputCount` unless there is one for each input; `EncodingError` for a value that
    ///   JSON cannot say.
    func outputs<Output: Encodable>(_ values: [Output], inputCount: Int) throws -> Outputs {
        guard values.count == inputCount else {
            throw ContainerError.wrongOutputCount(expected: inputCount, found: values.count)
        }
        return try outputs(values.map { .success($0) })
    }

    /// The outputs of inputs that were answered one by one; what one of them threw is its error.
    /// - Throws: `EncodingError`.
    func outputs<Output: Encodable>(_ results: [Result<Output, any Error>]) throws -> Outputs {
        var outputs: Outputs
        switch Output.self {
        case is Double.Type: outputs = numbers(results, .float64) { ($0 as? Double)?.bitPattern }
        case is Float.Type: outputs = numbers(results, .float32) { ($0 as? Float)?.bitPattern }
        case is Int.Type: outputs = numbers(results, .int64) { ($0 as? Int).map { Int64($0) } }
        case is Int64.Type: outputs = numbers(results, .int64) { $0 as? Int64 }
        case is Int32.Type: outputs = numbers(results, .int32) { $0 as? Int32 }
        case is [Double].Type: outputs = vectors(results, .float64) { ($0 as? [Double])?.map(\.bitPattern) }
        case is [Float].Type: outputs = vectors(results, .float32) { ($0 as? [Float])?.map(\.bitPattern) }
        case is [Int].Type: outputs = vectors(results, .int64) { ($0 as? [Int])?.map { Int64($0) } }
        case is [Int64].Type: outputs = vectors(results, .int64) { $0 as? [Int64] }
        case is [Int32].Type: outputs = vectors(results, .int32) { $0 as? [Int32] }
        case is Data.Type: outputs = vectors(results, .bytes) { ($0 as? Data).map { [UInt8]($0) } }
        default:
            outputs = Outputs()
            for result in results {
                if case .success(let value) = result { outputs.append(try text(of: value)) } else { outputs.end() }
            }
        }
        for (index, result) in results.enumerated() {
            guard case .failure(let error) = result else { continue }
            outputs.errors.append(ItemError(index: index, code: FailureCode(of: error), text: "\(error)"))
        }
        return outputs
    }

    private func numbers<Output>(
        _ results: [Result<Output, any Error>], _ type: OutputType, _ bits: (Output) -> (some FixedWidthInteger)?
    ) -> Outputs {
        vectors(results, type, isVectors: false) { value in bits(value).map { [$0] } }
    }

    private func vectors<Output>(
        _ results: [Result<Output, any Error>], _ type: OutputType, isVectors: Bool = true,
        _ bits: (Output) -> [some FixedWidthInteger]?
    ) -> Outputs {
        var outputs = Outputs(type: type, isVectors: isVectors && type.isNumeric)
        outputs.reserveCapacity(outputs: results.count, bytes: results.count * type.elementByteCount)
        for result in results {
            if case .success(let value) = result { for element in bits(value) ?? [] { outputs.appendElement(element) } }
            outputs.end()
        }
        return outputs
    }

    private func text(of output: some Encodable) throws -> String {
        switch output {
        case let text as String: text
        case let number as any BinaryInteger: String(describing: number)
        default: String(decoding: try encoder.encode(output), as: UTF8.self)
        }
    }
}
