/// Dense layers with rectified units in between.
struct Network: Sendable {
    private let layers: [DenseLayer]

    /// - Parameter units: those of the input, of each hidden layer, and of the output.
    init(units: [Int], seed: UInt64) {
        var random = SplitMix64(state: seed)
        layers = zip(units, units.dropFirst()).map { inputs, outputs in
            DenseLayer(inputs: inputs, outputs: outputs, random: &random)
        }
    }

    /// The number of the largest output for each row of a row-major batch.
    func largest(of batch: [Float], rows: Int) -> [Int] {
        var values = batch
        for (index, layer) in layers.enumerated() {
            values = layer.apply(to: values, rows: rows, rectified: index < layers.count - 1)
        }
        let width = values.count / max(1, rows)
        return (0..<rows).map { row in
            let outputs = values[row * width..<(row + 1) * width]
            return (outputs.indices.max { outputs[$0] < outputs[$1] } ?? outputs.startIndex) - outputs.startIndex
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: equal seeds give equal weights.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
