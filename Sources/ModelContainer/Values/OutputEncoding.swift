public import ContainerRPC
import Foundation

/// Turns a model's outputs into the protocol's: numbers and vectors of numbers as they are, `Data` as bytes, a `String`
/// as text, any other value as JSON text. (To a frontend of RPC 3, which has only text, numbers go as text.)
///
/// What each output passes is inlined, so that it is compiled for the type of a program's closure: a look at each value's
/// type costs more than the output itself.
@usableFromInline
struct OutputEncoding {
    private let encoder: JSONEncoder

    @usableFromInline
    init() {
        encoder = JSONEncoder()
        // One value has one text: an ensemble's models vote by it, and whoever compares answers does so by it.
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    }

    /// The outputs and errors of a batch.
    /// - Throws: `ContainerError.wrongOutputCount` unless there is one for each input.
    @inlinable
    func outputs<Output: Encodable>(_ results: [Result<Output, any Error>], inputCount: Int) throws -> Outputs {
        guard results.count == inputCount else {
            throw ContainerError.wrongOutputCount(expected: inputCount, found: results.count)
        }
        return outputs(results)
    }

    /// The outputs of inputs that were answered one by one. What one of them threw is its error, and so is what the encoder
    /// throws at a value that JSON cannot say: the others have their outputs.
    @inlinable
    func outputs<Output: Encodable>(_ results: [Result<Output, any Error>]) -> Outputs {
        switch Output.self {
        case is Double.Type: numbers(known(results), .float64) { (value: Double) in value.bitPattern }
        case is Float.Type: numbers(known(results), .float32) { (value: Float) in value.bitPattern }
        case is Int.Type: numbers(known(results), .int64) { (value: Int) in Int64(value) }
        case is Int64.Type: numbers(known(results), .int64) { (value: Int64) in value }
        case is Int32.Type: numbers(known(results), .int32) { (value: Int32) in value }
        case is [Double].Type: vectors(known(results), .float64) { (value: Double) in value.bitPattern }
        case is [Float].Type: vectors(known(results), .float32) { (value: Float) in value.bitPattern }
        case is [Int].Type: vectors(known(results), .int64) { (value: Int) in Int64(value) }
        case is [Int64].Type: vectors(known(results), .int64) { (value: Int64) in value }
        case is [Int32].Type: vectors(known(results), .int32) { (value: Int32) in value }
        default: bytesOrTexts(results)
        }
    }

    /// The same results, with their type known when this is compiled: what handles them is then made for that type, which is
    /// several times as fast as a look at each value's.
    @inlinable
    func known<Output, Known>(_ results: [Result<Output, any Error>]) -> [Result<Known, any Error>] {
        guard let known = results as? [Result<Known, any Error>] else {
            preconditionFailure("\(Output.self) was found to be \(Known.self)")
        }
        return known
    }

    @inlinable
    func numbers<Output>(
        _ results: [Result<Output, any Error>], _ type: OutputType, _ bits: (Output) -> some FixedWidthInteger
    ) -> Outputs {
        var outputs = Outputs(type: type)
        outputs.reserveCapacity(outputs: results.count, bytes: results.count * type.elementByteCount)
        for result in results {
            switch result {
            case .success(let value):
                outputs.appendElement(bits(value))
                outputs.end()
            case .failure(let error): outputs.appendFailure(error)
            }
        }
        return outputs
    }

    @inlinable
    func vectors<Element>(
        _ results: [Result<[Element], any Error>], _ type: OutputType, _ bits: (Element) -> some FixedWidthInteger
    ) -> Outputs {
        var outputs = Outputs(type: type, isVectors: true)
        outputs.reserveCapacity(outputs: results.count, bytes: results.count * type.elementByteCount)
        for result in results {
            switch result {
            case .success(let values):
                for value in values { outputs.appendElement(bits(value)) }
                outputs.end()
            case .failure(let error): outputs.appendFailure(error)
            }
        }
        return outputs
    }

    @usableFromInline
    func bytesOrTexts<Output: Encodable>(_ results: [Result<Output, any Error>]) -> Outputs {
        Output.self is Data.Type ? bytes(known(results)) : texts(results)
    }

    private func bytes(_ results: [Result<Data, any Error>]) -> Outputs {
        var outputs = Outputs(type: .bytes)
        for result in results {
            switch result {
            case .success(let data): outputs.append(bytes: [UInt8](data).span)
            case .failure(let error): outputs.appendFailure(error)
            }
        }
        return outputs
    }

    private func texts(_ results: [Result<some Encodable, any Error>]) -> Outputs {
        var outputs = Outputs()
        for result in results {
            do { outputs.append(try text(of: result.get())) } catch { outputs.appendFailure(error) }
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
