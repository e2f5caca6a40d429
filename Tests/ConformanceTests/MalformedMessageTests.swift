import ContainerRPC
import Testing

@testable import ContainerConformance

@Suite struct MalformedMessageTests {
    /// Names that say more than the kind of their error.
    private static let kinds: [String: WireError.Kind] = [
        "missing-header": .missingFrame, "surplus-input": .countMismatch, "missing-input": .countMismatch,
        "count-overflow": .headerLength, "empty-message": .missingFrame, "wrong-direction": .unknownType,
        "welcome-without-times": .missingField, "surplus-items": .surplusFrame, "offsets-not-whole": .offsets,
        "offsets-empty": .offsets, "offsets-begin": .offsets, "offsets-descend": .offsets, "offsets-end": .offsets,
        "offsets-short": .offsets, "version-of-16-bits": .unsupportedVersion, "field-of-another-message": .unknownField,
        "field-twice": .fieldOrder, "interval-of-0": .fieldValue, "limit-of-0": .fieldValue,
        "surplus-welcome": .surplusFrame, "surplus-accepted": .surplusFrame, "surplus-refused": .surplusFrame,
        "surplus-goodbye": .surplusFrame, "element-cut": .elementSize, "character-cut": .invalidUTF8,
        "reason-not-utf8": .invalidUTF8,
    ]

    @Test(arguments: MalformedMessage.ofVersion3.map(\.name))
    func `a malformed message of RPC 3 is one, of the kind of its name`(_ name: String) throws {
        let message = try #require(MalformedMessage.ofVersion3.first { $0.name == name })
        try expectMalformed(message, in: .three)
    }

    @Test(arguments: MalformedMessage.ofVersion4.map(\.name))
    func `a malformed message of RPC 4 is one, of the kind of its name`(_ name: String) throws {
        let message = try #require(MalformedMessage.ofVersion4.first { $0.name == name })
        try expectMalformed(message, in: .four)
    }

    private func expectMalformed(_ message: MalformedMessage, in version: RPCVersion) throws {
        for type in InputType.allCases {
            if message.stringsOnly, type != .string { continue }
            if message.wideOnly, type.elementByteCount == 1 { continue }
            let inputs = try Inputs(type: type, choice: InputChoice()).distinct(2).map { Payload(copying: $0) }
            var list = FrameList()
            switch version {
            case .three: RPC3.encodeRequest(id: 7, inputType: type, inputs: inputs, into: &list)
            case .four: RPC4.encodeRequest(id: 7, inputType: type, inputs: inputs, into: &list)
            }
            let broken = FrameList(message.frames(list.frames, type))
            let error = #expect(throws: WireError.self) {
                switch version {
                case .three: _ = try RPC3.decodeFrontendMessage(broken)
                case .four: _ = try RPC4.decodeFrontendMessage(broken)
                }
            }
            let kind = Self.kinds[message.name] ?? WireError.Kind(rawValue: message.name)
            #expect(error?.kind == kind, "\(message.name) with \(type)")
        }
    }
}
