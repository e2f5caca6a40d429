import ContainerRPC
import Testing

@Suite("The decoders are total: any frames are a message or an error")
struct DecoderTotalityTests {
    /// Decodes frames as both sides do. Whatever they are, that must not trap; an error points into the message or just
    /// behind it, and a message is encoded as frames that mean the same.
    private func check(_ frames: FrameList, sourceLocation: SourceLocation = #_sourceLocation) {
        for direction in MessageContent.Direction.allCases {
            do {
                let content = try MessageContent(frames, direction)
                let encoded = content.frames
                let isStable = (try? MessageContent(encoded, direction)) == content
                if !isStable { Issue.record("changed by encoding: \(frames)", sourceLocation: sourceLocation) }
                // Only the registration has deviations that are accepted.
                if encoded != frames {
                    guard case .newContainer = content else {
                        Issue.record("not canonical: \(frames)", sourceLocation: sourceLocation)
                        continue
                    }
                }
            } catch {
                // Comparing is far faster than #expect, and there are many thousands of messages.
                if error.frame < 0 || error.frame > frames.frameCount || error.expected.isEmpty || error.found.isEmpty {
                    Issue.record("\(error) for \(frames)", sourceLocation: sourceLocation)
                }
            }
        }
    }

    @Test("A message cut short after any frame", arguments: try GoldenVector.messages())
    func missingFrames(_ vector: GoldenVector) {
        for count in 0...vector.frames.frameCount {
            check(FrameList(Array(vector.frames.frames.prefix(count))))
        }
    }

    @Test("A frame cut short after any byte", arguments: try GoldenVector.messages())
    func shortFrames(_ vector: GoldenVector) {
        for (index, frame) in vector.frames.frames.enumerated() {
            for count in 0..<frame.count {
                var frames = vector.frames
                frames.frames[index] = Array(frame.prefix(count))
                check(frames)
            }
        }
    }

    @Test("A frame left out, doubled, emptied, lengthened or added", arguments: try GoldenVector.messages())
    func changedFrames(_ vector: GoldenVector) {
        let frames = vector.frames.frames
        for index in frames.indices {
            for replacement in [[], [frames[index], frames[index]], [[]], [frames[index] + [0]], [frames[index], []]] {
                check(FrameList(Array(frames[..<index]) + replacement + Array(frames[(index + 1)...])))
            }
        }
    }

    @Test("Any word of a frame replaced by a number that careless arithmetic trips over")
    func extremeNumbers() throws {
        let numbers: [UInt64] = [0, 1, 5, 8, 255, 1 << 31, 1 << 32, 1 << 60, 1 << 61, 1 << 62, 1 << 63]
        for vector in try GoldenVector.messages() {
            for (index, frame) in vector.frames.frames.enumerated() {
                for start in stride(from: 0, to: min(frame.count, 64), by: 4) {
                    for number in numbers.flatMap({ [$0, $0 &- 1, 0 &- $0] }) {
                        var frames = vector.frames
                        for byte in start..<min(start + 8, frame.count) {
                            frames.frames[index][byte] = UInt8(truncatingIfNeeded: number >> (8 * (byte - start)))
                        }
                        check(frames)
                    }
                }
            }
        }
    }

    @Test("Vectors with random changes", arguments: 1...4)
    func mutations(seed: Int) throws {
        var generator = SplitMix64(seed: UInt64(seed))
        let messages = try GoldenVector.all().map(\.frames)
        let pool = messages.flatMap(\.frames)
        for _ in 0..<20_000 {
            guard var frames = messages.randomElement(using: &generator)?.frames else { return }
            for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&frames, pool, &generator) }
            check(FrameList(frames))
        }
    }

    private func mutate(_ frames: inout [[UInt8]], _ pool: [[UInt8]], _ generator: inout SplitMix64) {
        let place = Int.random(in: 0...frames.count, using: &generator)
        guard place < frames.count, Int.random(in: 0..<8, using: &generator) > 0 else {
            if let frame = pool.randomElement(using: &generator) { frames.insert(frame, at: place) }
            return
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: frames.remove(at: place)
        case 1: frames.swapAt(place, Int.random(in: 0..<frames.count, using: &generator))
        case 2: frames[place] = pool.randomElement(using: &generator) ?? []
        case 3: frames[place].removeLast(Int.random(in: 0...frames[place].count, using: &generator))
        default:
            guard let byte = frames[place].indices.randomElement(using: &generator) else { return }
            frames[place][byte] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
    }

    @Test("Random frames", arguments: 1...4)
    func noise(seed: Int) {
        var generator = SplitMix64(seed: UInt64(seed))
        for _ in 0..<20_000 {
            let frames = (0..<Int.random(in: 0...10, using: &generator)).map { _ in
                (0..<Int.random(in: 0...24, using: &generator)).map { _ in UInt8(generator.next() & 7) }
            }
            check(FrameList(frames))
        }
    }
}

@Suite("Messages and frames")
struct WireTests {
    @Test("An error says where it is, what belongs there and what is there")
    func errorText() throws {
        let error = #expect(throws: WireError.self) {
            try RPC3.decodeContainerMessage(FrameList([[], [2, 0, 0]]))
        }
        #expect(error.map { "\($0)" } == "frame-length in frame 1: expected 4 bytes, found 3")
    }

    @Test("Text from the wire is shown as it is if plain, else in hex, and never at length")
    func errorTextIsSafe() {
        func found(_ dataType: [UInt8]) -> String? {
            let frames = FrameList([[], [0, 0, 0, 0], Array("m".utf8), Array("1".utf8), dataType, [3, 0, 0, 0]])
            return #expect(throws: WireError.self) { try RPC3.decodeContainerMessage(frames) }?.found
        }
        #expect(found(Array("float64".utf8)) == "\"float64\"")
        #expect(found([0x1b, 0x5b]) == "0x1b5b")
        #expect((found([UInt8](repeating: 0x61, count: 1_000_000)) ?? "").utf8.count < 50)
    }

    @Test("The names that Clipper has for data types are read in any case")
    func dataTypeNames() {
        let names: [(InputType, [String])] = [
            (.bytes, ["bytes", "byte", "b"]),
            (.int32, ["integers", "ints", "integer", "int", "i"]),
            (.float32, ["floats", "float", "f"]),
            (.float64, ["doubles", "double", "d"]),
            (.string, ["strings", "string", "strs", "str", "s"]),
        ]
        for (type, names) in names {
            #expect(names.map(InputType.init(name:)) == names.map { _ in type })
            #expect(names.map { InputType(name: $0.uppercased()) } == names.map { _ in type })
            #expect(type.name == names[0])
        }
        #expect(InputType(name: "float64") == nil)
        #expect(InputType(name: "") == nil)
    }

    @Test("Inputs arrive in one array of their type, with the end of each")
    func inputsAreContiguous() throws {
        var frames = FrameList()
        let rows = [[1.0, 2.0], [], [3.0]].map { (row: [Double]) in
            Payload(copying: row.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
        }
        RPC3.encodeRequest(id: 1, inputType: .float64, inputs: rows, into: &frames)
        let message = try RPC3.decodeFrontendMessage(frames)
        let expected = InputValues(elements: .float64([1, 2, 3]), rowEnds: [2, 2, 3])
        #expect(message == .request(PredictRequest(id: 1, inputs: expected)))
    }

    @Test("Registrations are equal when their bytes are")
    func registrationsCompareBytes() {
        let composed = Registration(modelName: "caf\u{e9}", modelVersion: "1", inputType: .string)
        let decomposed = Registration(modelName: "cafe\u{301}", modelVersion: "1", inputType: .string)
        #expect(composed != decomposed)
        #expect(composed == Registration(modelName: "caf\u{e9}", modelVersion: "1", inputType: .string))
        #expect(Set([composed, decomposed]).count == 2)
    }

    @Test("Payloads that share a storage are slices of it")
    func payloads() {
        let storage = PayloadStorage(byteCount: 4) { $0.copyBytes(from: [1, 2, 3, 4] as [UInt8]) }
        #expect(Payload(storage).bytes == [1, 2, 3, 4])
        #expect(Payload(storage, range: 1..<3).bytes == [2, 3])
        #expect(Payload(storage, range: 4..<4).bytes == [])
        #expect(Payload(storage, range: 1..<3) == Payload(copying: [2, 3]))
        #expect(Payload(copying: []).byteCount == 0)
    }

    @Test("What fills no byte of a storage stays zero")
    func storageIsZero() {
        #expect(Payload(PayloadStorage(byteCount: 3) { _ in }).bytes == [0, 0, 0])
    }

    @Test("Outputs are read as bytes and as strings")
    func outputs() {
        var outputs: Outputs = ["a", "", "数"]
        outputs.append("d")
        #expect(outputs.strings == ["a", "", "数", "d"])
        #expect(outputs.map(\.count) == [1, 0, 3, 1])
        #expect(outputs == Outputs(["a", "", "数", "d"]))
        #expect(Outputs().isEmpty)
    }
}
