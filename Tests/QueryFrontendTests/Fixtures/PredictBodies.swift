import ContainerRPC
import NIOCore
import Testing

@testable import QueryFrontend

/// Reads a body, and gives back its inputs as they would go over the wire.
func parseBody(_ body: [UInt8], as type: InputType) throws -> PredictBodyParser.Body {
    try PredictBodyParser().parse(ByteBuffer(bytes: body), inputType: type, readsUser: true)
}

func parseBody(_ body: String, as type: InputType = .float64) throws -> PredictBodyParser.Body {
    try parseBody(Array(body.utf8), as: type)
}

/// Reads a body of feedback, and gives back its only piece.
func parseFeedback(
    _ body: String, as type: InputType = .float64, isStrict: Bool = false
) throws -> FeedbackBody.Piece {
    let feedback = try PredictBodyParser().parseFeedback(
        ByteBuffer(string: body), inputType: type, isStrict: isStrict)
    return try feedback.pieces[0].get()
}

/// What is said of a body that cannot be read; `nil` for one that can.
func problem(_ body: String, as type: InputType = .float64) -> String? {
    problem { _ = try parseBody(body, as: type) }
}

/// What is said of a body that cannot be read; `nil` for one that can.
func problem(_ read: () throws -> Void) -> String? {
    do {
        try read()
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
