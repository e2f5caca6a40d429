import ContainerRPC
import NIOCore
import Testing

@testable import QueryFrontend

/// Reads a body, and gives back its inputs as they would go over the wire.
func parseBody(_ body: [UInt8], as type: InputType, isFeedback: Bool = false) throws -> PredictBodyParser.Body {
    try PredictBodyParser().parse(ByteBuffer(bytes: body), inputType: type, isFeedback: isFeedback)
}

func parseBody(
    _ body: String, as type: InputType = .float64, isFeedback: Bool = false
) throws -> PredictBodyParser.Body {
    try parseBody(Array(body.utf8), as: type, isFeedback: isFeedback)
}

/// What is said of a body that cannot be read; `nil` for one that can.
func problem(_ body: String, as type: InputType = .float64, isFeedback: Bool = false) -> String? {
    do {
        _ = try parseBody(body, as: type, isFeedback: isFeedback)
        return nil
    } catch {
        return (error as? PredictBodyParser.Problem)?.cause
    }
}

extension PredictBodyParser.Body {
    /// The inputs' bytes.
    var bytes: [[UInt8]] {
        switch inputs {
        case .one(let payload): [payload.bytes]
        case .many(let payloads): payloads.map(\.bytes)
        }
    }
}

/// The bytes of these values on the wire.
func wire(_ elements: InputValues.Elements, rows: Int...) -> [[UInt8]] {
    InputValues(elements: elements, rowEnds: rows).payloads.map(\.bytes)
}
