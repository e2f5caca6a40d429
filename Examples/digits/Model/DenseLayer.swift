/// One fully connected layer: `output = input × weights + biases`.
struct DenseLayer: Sendable {
    let inputCount: Int
    let outputCount: Int

    /// `inputCount` rows of `outputCount` weights, row after row.
    private let weights: [Double]
    private let biases: [Double]

    /// - Throws: ``DigitsModelError`` if the rows differ in length from the biases, or if there are none.
    init(weights rows: [[Double]], biases: [Double]) throws {
        guard !rows.isEmpty, !biases.isEmpty else {
            throw DigitsModelError("a layer has no weights or no biases")
        }
        for (index, row) in rows.enumerated() where row.count != biases.count {
            throw DigitsModelError(
                "row \(index) of a layer's weights has \(row.count) numbers, but there are \(biases.count) biases")
        }
        inputCount = rows.count
        outputCount = biases.count
        weights = Array(rows.joined())
        self.biases = biases
    }

    /// Applies the layer to `rowCount` rows of `inputCount` numbers; answers as many rows of `outputCount`.
    ///
    /// - Parameter rectified: Whether negative outputs become 0 (ReLU).
    func apply(to input: [Double], rowCount: Int, rectified: Bool) -> [Double] {
        precondition(input.count == rowCount * inputCount)
        var output: [Double] = []
        output.reserveCapacity(rowCount * outputCount)
        for _ in 0..<rowCount {
            output.append(contentsOf: biases)
        }
        let inputs = input.span
        let weights = self.weights.span
        var outputs = output.mutableSpan
        for row in 0..<rowCount {
            let firstOutput = row * outputCount
            for index in 0..<inputCount {
                let value = inputs[row * inputCount + index]
                // About half of all pixels, and of a rectified layer's outputs, are 0.
                if value == 0 { continue }
                // The weights of one input lie side by side, as do the outputs: the loop runs over contiguous memory.
                let firstWeight = index * outputCount
                for column in 0..<outputCount {
                    outputs[firstOutput + column] += value * weights[firstWeight + column]
                }
            }
            if rectified {
                for column in firstOutput..<firstOutput + outputCount {
                    outputs[column] = max(0, outputs[column])
                }
            }
        }
        return output
    }
}
