import ArgumentParser
import DigitsModel
import Foundation
import ModelContainer

@main
struct DigitsContainer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digits-container",
        abstract: "Serves a classifier of handwritten digits: 64 pixels from 0 to 16 in, one digit out.")

    @Option(
        help: ArgumentHelp("Weights to use instead of those that come with the example.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var weights: String?

    @OptionGroup var options: ContainerOptions

    func validate() throws {
        if let weights, !FileManager.default.isReadableFile(atPath: weights) {
            throw ValidationError("the file of weights, '\(weights)', is not there or cannot be read")
        }
    }

    func run() async throws {
        let classifier =
            if let weights {
                try DigitsClassifier(contentsOf: URL(fileURLWithPath: weights))
            } else {
                try DigitsClassifier.trained()
            }
        let container = ModelContainer(name: "digits", version: "1") { (batch: InputBatch<Double>) in
            if let wrong = batch.first(where: { $0.count != DigitsClassifier.pixelCount }) {
                // Only who sent it is told: the others' answers come from parts of the batch, which are tried next.
                throw InvalidInput("an image has \(DigitsClassifier.pixelCount) pixels, not \(wrong.count)")
            }
            return try classifier.classify(batch.matrix?.elements ?? [])
        }
        try await container.run(with: options)
    }
}
