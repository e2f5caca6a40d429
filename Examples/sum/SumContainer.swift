import ArgumentParser
import ContainerRPC
import Foundation
import ModelContainer

@main
struct SumContainer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-container",
        abstract: "Serves the sum of an input's numbers.",
        discussion: "The input type is doubles unless --input-type or CLIPPER_INPUT_TYPE names another.")

    @OptionGroup var options: ContainerOptions

    func run() async throws {
        try await container().run(with: options)
    }

    /// A closure for each numeric type; all take the whole batch, so that no input is copied.
    private func container() throws -> ModelContainer {
        switch try inputType() {
        case .bytes:
            ModelContainer(name: "sum", version: "1") { (batch: InputBatch<UInt8>) in
                batch.map { input in input.reduce(0) { $0 + Int($1) } }
            }
        case .int32:
            ModelContainer(name: "sum", version: "1") { (batch: InputBatch<Int32>) in
                batch.map { input in input.reduce(0) { $0 + Int($1) } }
            }
        case .float32:
            // Added up as doubles, so that a long input loses nothing to rounding.
            ModelContainer(name: "sum", version: "1") { (batch: InputBatch<Float>) in
                batch.map { input in input.reduce(0) { $0 + Double($1) } }
            }
        case .float64:
            ModelContainer(name: "sum", version: "1") { (batch: InputBatch<Double>) in
                batch.map { input in input.reduce(0, +) }
            }
        case .string:
            throw ValidationError(
                "the input type is strings, but only numbers have a sum: choose bytes, integers, floats or doubles")
        }
    }

    private func inputType() throws -> InputType {
        let variable = ProcessInfo.processInfo.environment["CLIPPER_INPUT_TYPE"]
        let name = options.inputType ?? (variable == "" ? nil : variable) ?? "doubles"
        guard let type = InputType(name: name) else {
            throw ValidationError("the input type is '\(name)': choose bytes, integers, floats or doubles")
        }
        return type
    }
}
