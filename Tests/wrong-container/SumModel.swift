import ContainerRPC

/// The model: numbers are added up, strings handed back. At a sum of 666 it fails.
enum SumModel {
    static func outputs(of inputs: InputValues) -> Outputs {
        var outputs = Outputs()
        var start = 0
        for (index, end) in inputs.rowEnds.enumerated() {
            switch inputs.elements {
            case .bytes(let values): outputs.append("\(values[start..<end].reduce(0) { $0 + Int($1) })")
            case .string(let values): outputs.append(String(decoding: values[start..<end], as: UTF8.self))
            case .int32(let values): outputs.append("\(values[start..<end].reduce(0) { $0 + Int($1) })")
            case .float32(let values): outputs.append("\(values[start..<end].reduce(0, +))")
            case .float64(let values):
                let sum = values[start..<end].reduce(0, +)
                if sum == 666 {
                    outputs.end()
                    outputs.errors.append(ItemError(index: index, code: .modelError, text: "the model dislikes 666"))
                } else {
                    outputs.append("\(sum)")
                }
            }
            start = end
        }
        return outputs
    }
}
