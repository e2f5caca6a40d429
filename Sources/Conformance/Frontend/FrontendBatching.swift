import ContainerRPC
import Foundation

extension FrontendScenario {
    /// What batches are like.
    static let batching: [FrontendScenario] =
        InputType.allCases.map { type in
            FrontendScenario(
                "batch-of-\(type)", "Inputs of the type \(type) arrive as they were asked", rpc3: "6.6", rpc4: "6.3"
            ) { play in
                try playTyped(type, play)
                return nil
            }
        } + [
            FrontendScenario(
                "many-queries", "Of a hundred queries each caller gets its own answer", rpc3: "8.5", rpc4: "8.2"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let numbers = (0..<100).map { Double($0) + 0.5 }
                let query = try play.ask(batch: numbers.map { .array([.number($0)]) })
                try container.echo(count: 100)
                try query.expect(numbers: numbers)
                return nil
            },
            FrontendScenario(
                "ragged-rows", "Inputs of different lengths come as they were asked, also in one batch", rpc3: "6.6",
                rpc4: "6.3"
            ) { play in
                try playRagged(play)
            },
            FrontendScenario(
                "unique-ids", "Batches in flight have different ids, those of different containers too", rpc3: "8.5",
                rpc4: "8.2"
            ) { play in
                try play.registerAll()
                // With one batch of one query each they have to share two queries.
                let registration = play.registration { details in
                    // RPC 3 cannot say it.
                    if play.version == .four { (details.largestBatch, details.batchesInFlight) = (1, 1) }
                }
                let containers = [try play.container("a", registration), try play.container("b", registration)]
                var ids: Set<UInt32> = []
                for round in 0..<5 {
                    let queries = try (0..<2).map { try play.ask(.array([.number(Double(round * 2 + $0))])) }
                    let batches = try containers.map { try $0.batchIfAny(within: .milliseconds(500)) }
                    let inFlight = batches.compactMap { $0?.id }
                    guard Set(inFlight).count == inFlight.count else {
                        throw Fault(expected: "different ids of two batches in flight", but: "both are \(inFlight[0])")
                    }
                    ids.formUnion(inFlight)
                    for (container, batch) in zip(containers, batches) {
                        if let batch { try container.answer(batch, batch.items.map { _ in "1" }) }
                    }
                    for container in containers { try container.answerLeft("1") }
                    for query in queries { try query.expect(.number(1)) }
                }
                return ids.count > 5 ? nil : "both containers never had a batch at the same time"
            },
            FrontendScenario(
                "trace", "The trace that a request names comes with its batch", rpc4: "5"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                let fields = [("traceparent", parent), ("tracestate", "conformance=4711")]
                let traced = try play.ask(.array([.number(1)]), fields: fields)
                let batch = try container.batch()
                guard batch.trace == TraceContext(parent: parent, state: "conformance=4711") else {
                    throw Fault(
                        expected: "traceparent and tracestate as the request has them",
                        but: "they are \(batch.trace?.parent ?? "not there") and \(batch.trace?.state ?? "not there")")
                }
                try container.answer(batch, ["1"])
                try traced.expect(.number(1))
                let untraced = try play.ask(.array([.number(2)]))
                let next = try container.batch()
                guard next.trace?.parent == nil else {
                    throw Fault(expected: "no trace of a query without one", but: "it is \(next.trace?.parent ?? "")")
                }
                try container.answer(next, ["2"])
                try untraced.expect(.number(2))
                return nil
            },
            FrontendScenario(
                "capacity", "Never more inputs or batches than the container has said", rpc4: "5"
            ) { play in
                try play.registerAll()
                let registration = play.registration { details in
                    details.largestBatch = 3
                    details.batchesInFlight = 2
                }
                let container = try play.container("a", registration)
                let query = try play.ask(batch: (0..<50).map { .array([.number(Double($0))]) })
                // Whatever may come at a time is here when the first is answered after a while.
                var left = 50
                while left > 0 {
                    var batches = [try container.batch()]
                    while batches.count < 50, let more = try container.batchIfAny(within: .milliseconds(30)) {
                        batches.append(more)
                    }
                    for batch in batches.reversed() {
                        try container.answer(batch, batch.items.map { "\(Self.number($0))" })
                        left -= batch.inputs.count
                    }
                }
                try query.expect(numbers: (0..<50).map { Double($0) })
                return nil
            },
            FrontendScenario(
                "too-large", "Inputs of a batch that was too large are sent again in smaller ones", rpc4: "7.1"
            ) { play in
                try play.registerAll()
                // With one batch at a time, each that comes was made when the one before it had been refused.
                let container = try play.container("a", play.registration { $0.batchesInFlight = 1 })
                let query = try play.ask(batch: (0..<50).map { .array([.number(Double($0))]) })
                var (left, refused) = (50, 0)
                var most = Int.max
                while left > 0 {
                    let batch = try container.batch()
                    guard batch.inputs.count <= most else {
                        throw Fault(
                            expected: "at most \(counted(most, "input")), half of the batch that was too large",
                            but: "the next batch has \(batch.inputs.count)")
                    }
                    if batch.inputs.count > 1, refused < 2 {
                        try container.fail(batch, .tooLarge, "more than fits")
                        refused += 1
                        most = batch.inputs.count / 2
                    } else {
                        most = .max
                        try container.answer(batch, batch.items.map { "\(Self.number($0))" })
                        left -= batch.inputs.count
                    }
                }
                try query.expect(numbers: (0..<50).map { Double($0) })
                return refused > 0 ? nil : "no batch had several inputs"
            },
            FrontendScenario(
                "too-large-input", "An input that is too large alone is not sent again and again", rpc4: "7.1"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let query = try play.ask(.array([.number(1)]))
                try container.fail(try container.batch(), .tooLarge, "it does not fit alone")
                for _ in 0..<2 {
                    guard let again = try container.batchIfAny(within: .milliseconds(100)) else { break }
                    try container.fail(again, .tooLarge, "it does not fit alone")
                }
                if try container.batchIfAny(within: .milliseconds(100)) != nil {
                    throw Fault(
                        expected: "the default output for an input that is too large alone",
                        but: "it was sent again and again")
                }
                try query.expectDefault(explained: "it does not fit alone")
                return nil
            },
            FrontendScenario(
                "budget", "A batch says how much time is left, at most the latency objective", rpc4: "8.4"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let query = try play.ask(.array([.number(7)]))
                let batch = try container.batch()
                try container.answer(batch, ["7"])
                try query.expect(.number(7))
                guard let budget = batch.budget else { return "batches come without a budget" }
                guard budget > .zero, budget <= play.options.latencyObjective else {
                    throw Fault(
                        expected: "a budget above 0 and of at most \(play.options.latencyObjective.text)",
                        but: "it is \(budget.text)")
                }
                guard budget >= play.options.latencyObjective / 2 else {
                    throw Fault(
                        expected: "a budget of most of the \(play.options.latencyObjective.text), in microseconds, "
                            + "for a batch that is sent at once",
                        but: "it is \(budget.text)")
                }
                return nil
            },
            FrontendScenario(
                "mixed-fleet", "Containers of RPC 3 and 4 serve one model side by side", rpc4: "2"
            ) { play in
                try play.registerAll()
                let three = try play.container("three", version: .three)
                let four = try play.container("four", version: .four)
                var served: Set<String> = []
                for round in 0..<40 where served.count < 2 {
                    let queries = try (0..<2).map { try play.ask(.array([.number(Double(round * 2 + $0))])) }
                    var left = 2
                    let deadline = MonotonicTime.now() + play.bounds.answer
                    while left > 0, MonotonicTime.now() < deadline {
                        for container in [three, four] {
                            guard let batch = try container.batchIfAny(within: .milliseconds(20)) else { continue }
                            served.insert(container.name)
                            left -= batch.inputs.count
                            try container.answer(batch, batch.items.map { _ in "1" })
                        }
                    }
                    for query in queries { try query.expect(.number(1)) }
                }
                guard served.count == 2 else {
                    throw Fault(
                        expected: "batches for the containers of both versions",
                        but: "of 80 queries all went to \(served.joined())")
                }
                return nil
            },
        ]

    /// Each row begins with its number, which its answer tells beside its length.
    private static func playRagged(_ play: FrontendPlay) throws -> String? {
        try play.registerAll()
        let container = try play.container("a")
        let rows = (0..<40).map { index in (0..<[7, 1, 30, 2, 13][index % 5]).map { Double(index * 100 + $0) } }
        let query = try play.ask(batch: rows.map { .array($0.map { .number($0) }) })
        var (left, isMixed) = (rows.count, false)
        while left > 0 {
            let batch = try container.batch()
            isMixed = isMixed || Set(batch.items.map(\.count)).count > 1
            try container.answer(batch, batch.items.map { "[\(number($0)), \($0.count / 8)]" })
            left -= batch.inputs.count
        }
        for (row, answer) in zip(rows, try query.predictions(count: rows.count)) {
            try FrontendPlay.expect(answer, .array([.number(row[0]), .number(Double(row.count))]))
        }
        return isMixed ? nil : "no batch had inputs of different lengths"
    }

    private static func playTyped(_ type: InputType, _ play: FrontendPlay) throws {
        try play.registerAll(type)
        let container = try play.container("a", play.registration(type))
        let (inputs, bytes): ([JSONValue], [[UInt8]]) =
            switch type {
            case .bytes:
                ([.string(Data([0, 1, 255]).base64EncodedString()), .string("")], [[0, 1, 255], []])
            case .string:
                (["naïve 日本 😀", ""].map { .string($0) }, [Array("naïve 日本 😀".utf8), []])
            case .int32:
                (
                    [.array([.number(1), .number(-2)]), .array([.number(2_147_483_647)])],
                    [MalformedMessage.u32(1) + MalformedMessage.u32(-2), MalformedMessage.u32(2_147_483_647)]
                )
            case .float32:
                (
                    [.array([.number(1.5)]), .array([])],
                    [MalformedMessage.u32(Int(Float(1.5).bitPattern)), []]
                )
            case .float64:
                (
                    [.array([.number(1.5)]), .array([.number(0.1), .number(-0.25)])],
                    [
                        MalformedMessage.u64(Int(Double(1.5).bitPattern)),
                        [0.1, -0.25].flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
                        },
                    ]
                )
            }
        for (input, expected) in zip(inputs, bytes) {
            let query = try play.ask(input)
            let batch = try container.batch()
            guard batch.items == [expected] else {
                throw Fault(
                    expected: "the input \(input.json) as \(hexadecimal(expected))",
                    but: "the batch has \(batch.items.map { hexadecimal($0) }.joined(separator: ", "))")
            }
            try container.answer(batch, ["\"taken\""])
            try query.expect(.string("taken"))
        }
    }

    /// The first number of an input of doubles.
    static func number(_ bytes: [UInt8]) -> Double {
        Double(bitPattern: bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
}

extension PlayedContainer {
    /// Answers batches with the first number of each input, until so many inputs were answered.
    func echo(count: Int) throws {
        var left = count
        while left > 0 {
            let batch = try batch()
            try answer(batch, batch.items.map { "\(FrontendScenario.number($0))" })
            left -= batch.inputs.count
        }
    }

    /// Answers what has come, or comes in a moment.
    func answerLeft(_ text: String) throws {
        for _ in 0..<100 {
            guard let batch = try batchIfAny(within: .milliseconds(50)) else { return }
            try answer(batch, batch.items.map { _ in text })
        }
    }
}
