import ContainerRPC
import Testing

@Suite("The golden vectors of RPC 3")
struct GoldenVectorTests {
    @Test("Frames decode to their message, or are refused for their error", arguments: try GoldenVector.all())
    func decodes(_ vector: GoldenVector) throws {
        switch vector.outcome {
        case .message(let content, _):
            #expect(try MessageContent(vector.frames, vector.direction) == content)
        case .error(let kind, let frame):
            let error = #expect(throws: WireError.self) { try MessageContent(vector.frames, vector.direction) }
            #expect(error?.kind == kind)
            #expect(error?.frame == frame)
        }
    }

    @Test("A message is encoded as its canonical frames", arguments: try GoldenVector.messages())
    func encodes(_ vector: GoldenVector) throws {
        guard case .message(let content, let isCanonical) = vector.outcome else { return }
        #expect((content.frames == vector.frames) == isCanonical)
        #expect(try MessageContent(content.frames, vector.direction) == content)
    }

    @Test("The vectors show messages in both directions and every kind of error")
    func vectorsAreComplete() throws {
        let vectors = try GoldenVector.all()
        let kinds = vectors.compactMap { vector in
            if case .error(let kind, _) = vector.outcome { kind } else { nil }
        }
        #expect(Set(kinds) == Set(WireError.Kind.allCases).subtracting(WireError.Kind.ofRPC4Alone))
        #expect(Set(try GoldenVector.messages().map(\.direction)) == Set(MessageContent.Direction.allCases))
        #expect(vectors.count >= 498)
    }
}

extension WireError.Kind {
    static let ofRPC4Alone: Set<WireError.Kind> = [
        .headLength, .fieldLength, .fieldOrder, .unknownField, .fieldValue, .missingField, .offsets, .itemErrors,
    ]
}
