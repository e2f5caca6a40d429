import ArgumentParser
import Foundation
import ModelContainer

/// A container for tests: sums up its inputs, or does what a model should not.
@main
struct FaultyContainer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faulty-container",
        abstract: "Serves the sum of an input's numbers, as badly as the flags say.",
        discussion: "It prints a line when it begins a batch: 'batch', and the number of its inputs.")

    /// What can become of a batch.
    enum Fault: String, CaseIterable, ExpressibleByArgument {
        /// The closure throws.
        case `throw`
        /// The closure returns an output too few.
        case tooFewOutputs = "too-few-outputs"
        /// The process kills itself with the batch in hand.
        case die
    }

    @Option(help: "What becomes of a batch that holds a negative number.")
    var onNegative: Fault?

    @Option(help: "How long the model takes for a batch.")
    var milliseconds = 0

    @Option(help: "An input of this number alone takes the model a second.")
    var slowAt: Double?

    @Option(help: "A text to answer with, instead of the sum.")
    var output: String?

    @OptionGroup var options: ContainerOptions

    func run() async throws {
        let (onNegative, milliseconds, slowAt, output) = (onNegative, milliseconds, slowAt, output)
        let container = ModelContainer(name: "sum", version: "1") { (batch: InputBatch<Double>) throws -> [String] in
            print("batch \(batch.count)")
            fflush(nil)
            if milliseconds > 0 { Thread.sleep(forTimeInterval: Double(milliseconds) / 1_000) }
            // A model at work, which holds its thread: what is asked meanwhile is seen to wait.
            if let slowAt, batch.contains(where: { $0.elementsEqual([slowAt]) }) { Thread.sleep(forTimeInterval: 1) }
            var outputs = batch.map { output ?? $0.reduce(0, +).description }
            if let onNegative, batch.elements.contains(where: { $0 < 0 }) {
                switch onNegative {
                case .throw: throw NegativeNumber()
                case .tooFewOutputs: outputs.removeLast()
                case .die: kill(getpid(), SIGKILL)
                }
            }
            return outputs
        }
        try await container.run(with: options)
    }
}

/// What the closure throws.
struct NegativeNumber: Error {}
