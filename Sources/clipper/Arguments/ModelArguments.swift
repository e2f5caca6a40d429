import ContainerRPC
import QueryFrontend

/// Input types as they are written on the command line.
enum InputTypeText {
    /// The names to offer; others are understood as well.
    static let names = InputType.allCases.map(\.name)

    /// Reads any name of an input type.
    static func parse(_ text: String) throws(ArgumentTextError) -> InputType {
        guard let type = InputType(name: text) else {
            throw ArgumentTextError("the input types are \(names.joined(separator: ", "))")
        }
        return type
    }
}

/// Batch sizes as they are written on the command line.
enum BatchSizeText {
    /// Reads `adaptive`, or -1 as Clipper has it, or a positive number.
    static func parse(_ text: String) throws(ArgumentTextError) -> BatchSize {
        if text.lowercased() == "adaptive" || text == "-1" { return .adaptive }
        guard let size = Int(text), size > 0 else {
            throw ArgumentTextError("a positive number or 'adaptive' is expected")
        }
        return .fixed(size)
    }

    /// Writes a batch size given as the administration API's number.
    static func format(wireValue: Int) -> String {
        switch BatchSize(wireValue: wireValue) {
        case .adaptive: "adaptive"
        case .fixed(let size): String(size)
        case nil: "\(wireValue)?"
        }
    }
}
