import ArgumentParser
import ModelContainer

@main
struct NetworkContainer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network-container",
        abstract: "Serves a dense network of 784, 2,048, 2,048 and 10 units: which of the ten is the largest.",
        discussion: """
            A model that costs processor time, and whose batches pay: its 23 MB of weights are read once for each. \
            The weights are made from a seed, so what it says means nothing; what it takes is what a trained one \
            takes. An input has 784 doubles.
            """)

    @Option(help: "Units of the two hidden layers.")
    var hidden = 2048

    @Flag(help: "Serves nothing; prints how long batches of 1, 2, 4 … 64 take.")
    var measure = false

    @OptionGroup var options: ContainerOptions

    static let inputs = 784

    func validate() throws {
        guard hidden > 0 else { throw ValidationError("a layer has units") }
    }

    func run() async throws {
        let network = Network(units: [Self.inputs, hidden, hidden, 10], seed: 1)
        if measure {
            printTimes(of: network)
            return
        }
        try await ModelContainer(name: "network", version: "1") { (batch: InputBatch<Double>) in
            guard let matrix = batch.matrix, matrix.columnCount == Self.inputs else {
                throw WrongShape(expected: Self.inputs)
            }
            return network.largest(of: matrix.elements.map(Float.init), rows: matrix.rowCount)
        }.run(with: options)
    }

    /// The median of 15 batches of each size, in microseconds.
    private func printTimes(of network: Network) {
        var rows = 1
        while rows <= 64 {
            let batch = (0..<rows * Self.inputs).map { Float($0 % 255) / 255 }
            let clock = ContinuousClock()
            var times: [Double] = []
            for _ in 0..<15 {
                let time = clock.measure { _ = network.largest(of: batch, rows: rows) }
                times.append(time / .microseconds(1))
            }
            times.sort()
            print("batch inputs=\(rows) micros=\(Int(times[7]))")
            rows *= 2
        }
    }
}

struct WrongShape: Error, CustomStringConvertible {
    var expected: Int
    var description: String { "each input has \(expected) numbers" }
}
