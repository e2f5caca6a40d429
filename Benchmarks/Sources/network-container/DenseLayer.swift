/// One dense layer: outputs = inputs × weights + bias.
///
/// The product is made in tiles of four rows by eight outputs, whose sums stay in registers. Each weight is read once
/// for four rows, which is what makes a batch cheaper than its inputs one by one.
struct DenseLayer: Sendable {
    private typealias Panel = SIMD8<Float>
    private static let rowsPerTile = 4

    private let inputs: Int
    private let outputs: Int
    /// The weights by panels of eight outputs, each panel one vector for each input; the last is filled with zeros.
    private let panels: [SIMD8<Float>]
    private let bias: [SIMD8<Float>]

    /// Weights evenly distributed, with the variance that keeps a rectified layer's outputs in bounds (He, 2015).
    init(inputs: Int, outputs: Int, random: inout some RandomNumberGenerator) {
        self.inputs = inputs
        self.outputs = outputs
        let bound = (6 / Float(inputs)).squareRoot()
        let panelCount = (outputs + 7) / 8
        var panels = [SIMD8<Float>](repeating: .zero, count: panelCount * inputs)
        for output in 0..<outputs {
            for input in 0..<inputs {
                panels[output / 8 * inputs + input][output % 8] = Float.random(in: -bound...bound, using: &random)
            }
        }
        self.panels = panels
        bias = [SIMD8<Float>](repeating: .zero, count: panelCount)
    }

    /// The layer's outputs for a row-major batch, row-major too.
    func apply(to batch: [Float], rows: Int, rectified: Bool) -> [Float] {
        precondition(batch.count == rows * inputs)
        return [Float](unsafeUninitializedCapacity: rows * outputs) { result, count in
            // Within these closures every index is below the count that is checked or given above.
            batch.withUnsafeBufferPointer { batch in
                panels.withUnsafeBufferPointer { panels in
                    // Panel by panel: it stays in a near cache while all rows pass.
                    for panel in bias.indices {
                        for row in stride(from: 0, to: rows, by: Self.rowsPerTile) {
                            if row == rows - 1 {
                                oneRow(row, panel, batch, panels, rectified, into: result)
                            } else {
                                fourRows(from: row, of: rows, panel, batch, panels, rectified, into: result)
                            }
                        }
                    }
                }
            }
            count = rows * outputs
        }
    }

    /// Where fewer than four rows are left, the last one is computed more than once, which is cheaper than one by one.
    @inline(__always)
    private func fourRows(
        from row: Int, of rows: Int, _ panel: Int, _ batch: UnsafeBufferPointer<Float>,
        _ panels: UnsafeBufferPointer<Panel>, _ rectified: Bool, into result: UnsafeMutableBufferPointer<Float>
    ) {
        let numbers = (row, min(row + 1, rows - 1), min(row + 2, rows - 1), min(row + 3, rows - 1))
        let begins = (numbers.0 * inputs, numbers.1 * inputs, numbers.2 * inputs, numbers.3 * inputs)
        var sums = (bias[panel], bias[panel], bias[panel], bias[panel])
        let weights = panel * inputs
        for input in 0..<inputs {
            let weight = panels[weights + input]
            sums.0 += weight * batch[begins.0 + input]
            sums.1 += weight * batch[begins.1 + input]
            sums.2 += weight * batch[begins.2 + input]
            sums.3 += weight * batch[begins.3 + input]
        }
        store(sums.0, numbers.0, panel, rectified, into: result)
        store(sums.1, numbers.1, panel, rectified, into: result)
        store(sums.2, numbers.2, panel, rectified, into: result)
        store(sums.3, numbers.3, panel, rectified, into: result)
    }

    @inline(__always)
    private func oneRow(
        _ row: Int, _ panel: Int, _ batch: UnsafeBufferPointer<Float>, _ panels: UnsafeBufferPointer<Panel>,
        _ rectified: Bool, into result: UnsafeMutableBufferPointer<Float>
    ) {
        // Four sums, because each addition waits for the one before it.
        var sums = (bias[panel], Panel.zero, Panel.zero, Panel.zero)
        let weights = panel * inputs
        let begin = row * inputs
        var input = 0
        while input + 4 <= inputs {
            sums.0 += panels[weights + input] * batch[begin + input]
            sums.1 += panels[weights + input + 1] * batch[begin + input + 1]
            sums.2 += panels[weights + input + 2] * batch[begin + input + 2]
            sums.3 += panels[weights + input + 3] * batch[begin + input + 3]
            input += 4
        }
        while input < inputs {
            sums.0 += panels[weights + input] * batch[begin + input]
            input += 1
        }
        store((sums.0 + sums.1) + (sums.2 + sums.3), row, panel, rectified, into: result)
    }

    @inline(__always)
    private func store(
        _ sum: Panel, _ row: Int, _ panel: Int, _ rectified: Bool, into result: UnsafeMutableBufferPointer<Float>
    ) {
        let value = rectified ? pointwiseMax(sum, .zero) : sum
        let first = panel * 8
        for lane in 0..<min(8, outputs - first) { result[row * outputs + first + lane] = value[lane] }
    }
}
