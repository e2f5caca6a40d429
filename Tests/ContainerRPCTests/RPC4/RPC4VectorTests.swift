import ContainerRPC
import Testing

@Suite("RPC 4: the golden vectors")
struct RPC4VectorTests {
    @Test(
        "Frames mean what the vector says, and its message is encoded as these frames", arguments: try RPC4Vector.all())
    func vector(_ vector: RPC4Vector) throws {
        switch vector.outcome {
        case .message(let expected, let isCanonical):
            let message = try RPC4Message(vector.frames, vector.direction)
            #expect(message.content.texts == expected)
            // A notice is only read: what it holds is not known.
            guard expected["type"] != hexadecimal("notice".utf8) else { return }
            let encoded = message.encoded
            #expect((encoded == vector.frames) == isCanonical)
            #expect(try RPC4Message(encoded, vector.direction).content == message.content)
        case .error(let kind, let frame):
            let error = #expect(throws: WireError.self) { try RPC4Message(vector.frames, vector.direction) }
            #expect(error?.kind == kind)
            #expect(error?.frame == frame)
        }
    }

    @Test("A budget that is spent is none left, and one beyond all counting the longest")
    func budgets() throws {
        for (budget, told) in [
            (Duration.seconds(-1), Duration.zero), (.microseconds(-1), .zero), (.nanoseconds(1_999), .microseconds(1)),
            (.seconds(Int64.max), .seconds(18_446_744_073_709) + .microseconds(551_615)),
        ] {
            var frames = FrameList()
            RPC4.encodeRequest(id: 1, inputType: .bytes, inputs: [], budget: budget, into: &frames)
            guard case .request(let request) = try RPC4.decodeFrontendMessage(frames) else {
                Issue.record("no request")
                continue
            }
            #expect(request.budget == told)
        }
    }

    @Test("Of metadata those pairs are left out that have no room, and no others")
    func longMetadata() throws {
        var details = RegistrationDetails()
        let pairs = [
            MetadataPair("first", "1"), MetadataPair("long", String(repeating: "x", count: 70_000)),
            MetadataPair("last", "2"),
        ]
        details.metadata = pairs
        let registration = Registration(
            modelName: "m", modelVersion: "1", inputType: .bytes, rpcVersion: .four, details: details)
        var frames = FrameList()
        RPC4.encode(.newContainer(registration), into: &frames)
        guard case .newContainer(let read) = try RPC4.decodeContainerMessage(frames) else {
            Issue.record("no registration")
            return
        }
        #expect(read.details.metadata == [pairs[0], pairs[2]])
    }

    @Test("There are many of them, for both directions and every kind of error")
    func count() throws {
        let vectors = try RPC4Vector.all()
        let kinds = vectors.compactMap { vector in
            if case .error(let kind, _) = vector.outcome { kind } else { nil }
        }
        #expect(WireError.Kind.ofRPC4Alone.isSubset(of: kinds))
        for direction in MessageContent.Direction.allCases {
            #expect(vectors.count { $0.direction == direction } > 300)
        }
    }
}

@Suite("RPC 4: the decoders are total")
struct RPC4TotalityTests {
    /// Whatever the frames are, decoding must not trap; an error points into the message or just behind it, and a message is
    /// encoded as frames that mean the same.
    private func check(_ frames: FrameList) {
        for direction in MessageContent.Direction.allCases {
            do {
                let message = try RPC4Message(frames, direction)
                let again = try? RPC4Message(message.encoded, direction)
                if again?.content != message.content { Issue.record("changed by encoding: \(frames)") }
            } catch {
                if error.frame < 0 || error.frame > frames.frameCount || error.expected.isEmpty || error.found.isEmpty {
                    Issue.record("\(error) for \(frames)")
                }
            }
        }
    }

    private static func short() throws -> [RPC4Vector] {
        try RPC4Vector.all().filter { vector in
            guard case .message = vector.outcome else { return false }
            return vector.frames.frames.allSatisfy { $0.count < 400 }
        }
    }

    @Test("A frame cut short after any byte, left out, doubled or lengthened")
    func changedFrames() throws {
        for vector in try Self.short() {
            let frames = vector.frames.frames
            for (index, frame) in frames.enumerated() {
                for count in 0..<frame.count {
                    var cut = vector.frames
                    cut.frames[index] = Array(frame.prefix(count))
                    check(cut)
                }
                for replacement in [[], [frame, frame], [[]], [frame + [0]], [frame, []]] {
                    check(FrameList(Array(frames[..<index]) + replacement + Array(frames[(index + 1)...])))
                }
            }
        }
    }

    @Test("Any two or four bytes replaced by a number that careless arithmetic trips over")
    func extremeNumbers() throws {
        for vector in try Self.short() {
            for (index, frame) in vector.frames.frames.enumerated() {
                for start in 0..<min(frame.count, 64) {
                    for number: UInt32 in [0, 1, 0x7fff_ffff, 0x8000_0000, .max, .max - 3, 0xffff, 0x8000] {
                        for width in [2, 4] {
                            var changed = vector.frames
                            for byte in start..<min(start + width, frame.count) {
                                changed.frames[index][byte] = UInt8(
                                    truncatingIfNeeded: number >> (8 * UInt32(byte - start)))
                            }
                            check(changed)
                        }
                    }
                }
            }
        }
    }
}
