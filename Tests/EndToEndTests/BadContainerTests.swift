import ContainerRPC
import TestSupport
import Testing

/// Something on the RPC port that no container should send.
struct BadContainer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let play: @Sendable (Frontend) async throws -> Void

    init(_ description: String, _ play: @escaping @Sendable (Frontend) async throws -> Void) {
        testDescription = description
        self.play = play
    }

    /// One whose messages are these.
    init(_ description: String, messages: [[[UInt8]]]) {
        self.init(description) { frontend in
            let container = try await PlayedContainer(to: frontend)
            for message in messages { try await container.send(message) }
        }
    }

    /// One whose plain bytes are these.
    init(_ description: String, bytes: @escaping @Sendable () -> [UInt8]) {
        self.init(description) { frontend in
            try await TCPConnection(to: Address(frontend.rpc)).write(bytes())
        }
    }

    private static func announcement(
        name: String = "sum", version: String = "1", dataType: String = "3", rpcVersion: Int = 3
    ) -> [[UInt8]] {
        [[], 0.u32, Array(name.utf8), Array(version.utf8), Array(dataType.utf8), rpcVersion.u32]
    }

    /// An answer to a batch, with its header's words.
    private static func response(_ id: Int, length: Int? = nil, words: [Int], outputs: [[UInt8]]) -> [[UInt8]] {
        [[], 1.u32, id.u32, (length ?? words.count * 8).u64, words.flatMap(\.u64)] + outputs
    }

    static let all: [BadContainer] = [
        BadContainer("random bytes") { frontend in
            for _ in 0..<30 {
                let bytes = (0..<Int.random(in: 1...2_000)).map { _ in UInt8.random(in: 0...255) }
                try? await TCPConnection(to: Address(frontend.rpc)).write(bytes)
            }
        },
        BadContainer("random frames") { frontend in
            for _ in 0..<30 {
                let container = try await PlayedContainer(to: frontend)
                let frames = (0..<Int.random(in: 1...9)).map { _ in
                    (0..<Int.random(in: 0...9)).map { _ in UInt8.random(in: 0...4) }
                }
                try await container.send(frames)
            }
        },
        BadContainer("an HTTP request", bytes: { Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8) }),
        BadContainer("half a greeting", bytes: { [0xFF, 0, 0, 0] }),
        BadContainer("half a frame", bytes: { [1, 0, 200, 0, 1, 2, 3] }),
        BadContainer("half a message", bytes: { [1, 0] + PlayedContainer.frame([], more: true) }),
        BadContainer("half a message, held open") { frontend in
            let container = try await PlayedContainer(to: frontend)
            try await container.stream.write(PlayedContainer.frame([], more: true))
            try await frontend.expectSum()
            withExtendedLifetime(container) {}
        },
        BadContainer(
            "a frame that claims to be huge", bytes: { [1, 0, 255, 0x3F] + [UInt8](repeating: 255, count: 7) + [0] }),
        BadContainer("no frames but the empty one", messages: [[[]]]),
        BadContainer("a first frame that is not empty", messages: [[[1], 2.u32]]),
        BadContainer(
            "unknown message types", messages: [[[], 3.u32], [[], 0xFFFF_FFFF.u32], [[], [2]], [[], 2.u64]]),
        BadContainer("heartbeats with a frame too many", messages: [[[], 2.u32, []], [[], 2.u32, 0.u32]]),
        BadContainer("other versions", messages: [2, 4, 0, -1].map { announcement(rpcVersion: $0) }),
        BadContainer("no version", messages: [Array(announcement().dropLast())]),
        BadContainer(
            "data types that are none",
            messages: ["x", "", "-1", "5", "9", " 3", "3.0", "33", "99999999999999999999", "\u{0}", "3x"].map {
                announcement(dataType: $0)
            }),
        BadContainer(
            "names that are none",
            messages: ["", "a,b", "a:b", "a\u{0}b", "a\nb", String(repeating: "a", count: 100_000)].flatMap {
                [announcement(name: $0), announcement(version: $0)]
            } + [[[], 0.u32, [0xFF, 0xFE], [0x31], [0x33], 3.u32]]),
        BadContainer(
            "answers without registration", messages: [response(1, words: [1, 1], outputs: [[0x31]])]),
        BadContainer("a flood of heartbeats", messages: Array(repeating: [[], 2.u32], count: 3_000)),
        BadContainer("many registrations") { frontend in
            for number in 0..<50 {
                try await PlayedContainer(to: frontend).send(announcement(name: "m\(number)"))
            }
        },
        BadContainer("registrations that contradict each other") { frontend in
            let container = try await PlayedContainer(to: frontend)
            for number in 0..<20 { try await container.send(announcement(version: "v\(number % 3)")) }
        },
    ]

    /// What a container can say, once registered, instead of a batch's answer. Each costs it the session.
    static let answers: [(String, @Sendable (Int) -> [[UInt8]])] = [
        ("no output", { response($0, words: [0], outputs: []) }),
        ("an output too many", { response($0, words: [2, 1, 1], outputs: [[0x31], [0x32]]) }),
        ("a count that lies", { response($0, words: [7, 1], outputs: [[0x31]]) }),
        ("a huge count", { response($0, words: [-1, 1], outputs: [[0x31]]) }),
        ("a count near the largest", { response($0, words: [1 << 61, 1], outputs: [[0x31]]) }),
        ("a size that lies", { response($0, words: [1, 5], outputs: [[0x31]]) }),
        ("a huge size", { response($0, words: [1, -1], outputs: [[0x31]]) }),
        ("a frame too many", { response($0, words: [1, 1], outputs: [[0x31], [0x32]]) }),
        ("a frame too few", { response($0, words: [1, 1], outputs: []) }),
        ("a header length that lies", { response($0, length: 8, words: [1, 1], outputs: [[0x31]]) }),
        ("a huge header length", { response($0, length: -1, words: [1, 1], outputs: [[0x31]]) }),
        ("an empty header", { [[], 1.u32, $0.u32, 0.u64, []] }),
        ("half a header", { [[], 1.u32, $0.u32, 12.u64, 1.u64 + 1.u32, [0x31]] }),
        ("no header", { [[], 1.u32, $0.u32] }),
        ("an output that is not UTF-8", { response($0, words: [1, 2], outputs: [[0xC3, 0x28]]) }),
        ("an id of eight bytes", { [[], 1.u32, $0.u64, 16.u64, 1.u64 + 1.u64, [0x31]] }),
    ]
}

@Suite("Bad containers")
struct BadContainerTests {
    @Test("Harms nobody else: queries are answered, and containers can come", arguments: BadContainer.all)
    func harmsNobody(container: BadContainer) async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes)
            try await container.play(frontend)
            try await frontend.expectSum()
            try await frontend.startContainer()
            for _ in 0..<4 { try await frontend.expectSum() }
            #expect(try await frontend.containers(of: "sum") == ["sum:1:0", "sum:1:1"])
            #expect(try await frontend.terminate() == 0)
        }
    }

    @Test("Connections beyond what the frontend takes are closed; containers are not, and new ones can come")
    func tooManyConnections() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend.servingSum(in: processes, arguments: ["--max-containers", "4"])
            let connections = try (0..<12).map { _ in try TCPConnection(to: Address(frontend.rpc)) }
            // The container has one of four, and nine of twelve are too many.
            try await eventually("nine are closed") {
                connections.count { $0.isEnded() } == 9
            }
            try await frontend.expectSum()
            try await frontend.startContainer()
            #expect(connections.count { $0.isEnded() } == 10)
            #expect(try await frontend.containers(of: "sum") == ["sum:1:0", "sum:1:1"])
            let metrics = try await frontend.query.get("/metrics", headers: ["Accept: text/plain"]).text
            #expect(metrics.contains("clipper_rpc_connections 4"))
            #expect(metrics.contains("clipper_rpc_connections_cut_total 10"))
            #expect(try await frontend.terminate() == 0)
        }
    }

    @Test(
        "A wrong answer costs its container the session, and its query goes to another",
        arguments: BadContainer.answers.map(\.0))
    func wrongAnswer(name: String) async throws {
        let answer = try #require(BadContainer.answers.first { $0.0 == name }?.1)
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["sum"])
            let bad = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1, 2]}"#.utf8))
            let request = try await bad.receiveRequest()
            try await frontend.startContainer()
            try await bad.send(answer(Int(request.id)))
            #expect(try await connection.response().json == ["query_id": 0, "output": 3, "default": false])
            #expect(try await frontend.containers() == ["sum:1:1"])
            // It may register anew.
            try await bad.send(.heartbeat)
            #expect(try await bad.receive() == .heartbeat(.requestMetadata))
            #expect(try await frontend.terminate() == 0)
        }
    }

    @Test("Answers that nobody waits for are passed over: unknown ids, ids of another's batch, a batch twice")
    func unknownIDs() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            try await frontend.addModel("sum")
            try await frontend.addApplication("app", links: ["sum"])
            let honest = try await PlayedContainer.registered(at: frontend)
            let connection = try HTTPConnection(to: frontend.query)
            try await connection.send("POST", "/app/predict", body: Array(#"{"input": [1, 2]}"#.utf8))
            let request = try await honest.receiveRequest()

            let impostor = try await PlayedContainer.registered(at: frontend)
            try await impostor.answer(request, ["666"])
            try await impostor.send(.heartbeat)
            #expect(try await impostor.receive() == .heartbeat(.keepAlive))

            var other = request
            other.id &+= 1
            try await honest.answer(other, ["555"])
            try await honest.answer(request, ["3"])
            try await honest.answer(request, ["444"])
            #expect(try await connection.response().json["output"] == 3)
            try await honest.send(.heartbeat)
            #expect(try await honest.receive() == .heartbeat(.keepAlive))
            #expect(try await frontend.containers() == ["sum:1:0", "sum:1:1"])
        }
    }

    @Test("A container that registers twice is one replica, and its metadata need no heartbeat before them")
    func registersTwice() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let container = try await PlayedContainer.registered(at: frontend)
            try await container.send(
                .newContainer(Registration(modelName: "sum", modelVersion: "1", inputType: .float64)))
            try await container.send(.heartbeat)
            #expect(try await container.receive() == .heartbeat(.keepAlive))
            #expect(try await frontend.containers() == ["sum:1:0"])
        }
    }

    @Test("Batches are sent as RPC 3 says, every input type in its own layout")
    func requests() async throws {
        try await withProcesses { processes in
            let frontend = try await Frontend(in: processes)
            let cases: [(InputType, String, InputValues.Elements, [Int])] = [
                (.bytes, #"["AQI=", ""]"#, .bytes([1, 2]), [2, 2]),
                (.int32, "[[1, -2], [3]]", .int32([1, -2, 3]), [2, 3]),
                (.float32, "[[0.5], [], [1e30]]", .float32([0.5, 1e30]), [1, 1, 2]),
                (.float64, "[[0.1, 1], [-2]]", .float64([0.1, 1, -2]), [2, 3]),
                (.string, #"["ä\"", "", "z"]"#, .string(Array("ä\"z".utf8)), [3, 3, 4]),
            ]
            for (type, inputs, elements, rowEnds) in cases {
                try await frontend.addModel(type.name, inputType: type.name, batchSize: 64)
                try await frontend.addApplication(type.name, inputType: type.name, links: [type.name])
                let container = try await PlayedContainer.registered(at: frontend, model: type.name, inputType: type)
                let connection = try HTTPConnection(to: frontend.query)
                let body = Array("{\"input_batch\": \(inputs)}".utf8)
                try await connection.send("POST", "/\(type.name)/predict", body: body)
                let request = try await container.receiveRequest()
                #expect(request.kind == .predict)
                #expect(request.inputs == InputValues(elements: elements, rowEnds: rowEnds))
                try await container.answer(request, rowEnds.indices.map { "\"\($0)\"" })
                let predictions = try #require(await connection.response().json["batch_predictions"]?.elements)
                #expect(predictions.map { $0["output"] } == rowEnds.indices.map { .string("\($0)") })
            }
        }
    }
}
