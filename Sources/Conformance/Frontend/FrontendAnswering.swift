import ContainerRPC
import Foundation

extension FrontendScenario {
    /// What becomes of outputs, errors and failures.
    static let answering: [FrontendScenario] = [
        FrontendScenario(
            "text-outputs", "Text that is JSON comes to the caller as that value, any other as a string", rpc3: "6.7",
            rpc4: "6.4"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            let cases: [(String, JSONValue)] = [
                ("0.1", .number(0.1)), ("[1, 2]", .array([.number(1), .number(2)])), ("\"quoted\"", .string("quoted")),
                ("plain text", .string("plain text")), ("", .string("")), ("{\"a\": null}", .object(["a": .null])),
                ("日本 \" \\ \u{1}", .string("日本 \" \\ \u{1}")),
            ]
            for (index, (text, value)) in cases.enumerated() {
                let query = try play.ask(.array([.number(Double(index))]))
                let batch = try container.batch()
                try container.answer(batch, [text])
                try query.expect(value)
            }
            return nil
        },
        FrontendScenario(
            "typed-outputs", "Numbers, vectors and bytes come to the caller as JSON", rpc4: "6.4"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            for (index, (outputs, value)) in typedOutputs.enumerated() {
                let query = try play.ask(.array([.number(Double(index))]))
                let batch = try container.batch()
                try container.answer(batch, outputs)
                try query.expect(value)
            }
            return nil
        },
        FrontendScenario(
            "item-error", "An input's error comes to its caller, and no other caller's answer suffers", rpc4: "6.4"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            let query = try play.ask(batch: (0..<5).map { .array([.number(Double($0))]) })
            var left = 5
            while left > 0 {
                let batch = try container.batch()
                var outputs = Outputs()
                for (index, item) in batch.items.enumerated() {
                    let number = number(item)
                    outputs.append(number == 3 ? "" : "\(number)")
                    if number == 3 {
                        outputs.errors.append(
                            ItemError(index: index, code: .modelError, text: "the kit dislikes three"))
                    }
                }
                try container.answer(batch, outputs)
                left -= batch.inputs.count
            }
            for (index, answer) in try query.predictions(count: 5).enumerated() {
                if index == 3 {
                    try FrontendPlay.expectDefault(answer, explained: "the kit dislikes three")
                } else {
                    try FrontendPlay.expect(answer, .number(Double(index)))
                }
            }
            try container.expectKnown()
            return nil
        },
        FrontendScenario(
            "failure", "A failed batch gives its callers the default output with the reason, at once", rpc4: "7.1"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            for code: FailureCode in [.modelError, .invalidInput, FailureCode(rawValue: 4_711)] {
                let query = try play.ask(.array([.number(Double(code.rawValue))]))
                let batch = try container.batch()
                let begin = MonotonicTime.now()
                try container.fail(batch, code, "the kit fails with \(code.rawValue)")
                try query.expectDefault(explained: "the kit fails with \(code.rawValue)")
                let time = MonotonicTime.now() - begin
                guard time < play.options.latencyObjective / 2 else {
                    throw Fault(expected: "the default output at once", but: "it took \(time.text)")
                }
            }
            try container.expectKnown()
            try play.serves(container)
            return nil
        },
        FrontendScenario(
            "too-late", "A batch that a container finds too late gives its callers the default output", rpc4: "8.4"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            let query = try play.ask(.array([.number(1)]))
            try container.fail(try container.batch(), .tooLate, "no time is left")
            try query.expectDefault()
            try container.expectKnown()
            try play.serves(container)
            return nil
        },
        FrontendScenario(
            "unavailable", "What a container cannot compute now goes to another replica", rpc4: "7.1"
        ) { play in
            try playUnavailable(play) { try $0.fail($1, .unavailable, "no memory") }
        },
        FrontendScenario(
            "unavailable-item", "An input that a container cannot compute now goes to another replica", rpc4: "7.1"
        ) { play in
            try playUnavailable(play) { container, batch in
                var outputs = Outputs(batch.items.map { _ in "" })
                outputs.errors = batch.items.indices.map { ItemError(index: $0, code: .unavailable, text: "no memory") }
                try container.answer(batch, outputs)
            }
        },
        FrontendScenario(
            "out-of-order", "Answers are matched by their ids, in whatever order they come", rpc4: "8.2"
        ) { play in
            try play.registerAll()
            let container = try play.container("a", play.registration { $0.largestBatch = 1 })
            let query = try play.ask(batch: (0..<12).map { .array([.number(Double($0))]) })
            var left = 12
            var most = 0
            while left > 0 {
                var batches = [try container.batch()]
                while batches.count < 12, let more = try container.batchIfAny(within: .milliseconds(50)) {
                    batches.append(more)
                }
                most = max(most, batches.count)
                for batch in batches.reversed() { try container.answer(batch, batch.items.map { "\(number($0))" }) }
                left -= batches.reduce(0) { $0 + $1.inputs.count }
            }
            try query.expect(numbers: (0..<12).map { Double($0) })
            return most > 1 ? nil : "it never had two batches in flight"
        },
    ]

    /// One of two containers says that it cannot compute a query now, and the other one gets it.
    private static func playUnavailable(
        _ play: FrontendPlay, refusing: (PlayedContainer, ReceivedBatch) throws -> Void
    ) throws -> String? {
        try play.registerAll()
        let first = try play.container("a")
        let query = try play.ask(.array([.number(1)]))
        let batch = try first.batch()
        let second = try play.container("b")
        try refusing(first, batch)
        let again = try play.batch(from: [second, first])
        try again.container.answer(again.batch, again.batch.items.map { _ in "17" })
        try query.expect(.number(17))
        return again.container.name == "b" ? nil : "the query went to the same replica again"
    }

    private static let typedOutputs: [(Outputs, JSONValue)] = {
        var double = Outputs(type: .float64)
        double.appendElement((0.1).bitPattern)
        double.end()
        var float = Outputs(type: .float32, isVectors: true)
        for value: Float in [1.5, -2] { float.appendElement(value.bitPattern) }
        float.end()
        var integer = Outputs(type: .int32)
        integer.appendElement(Int32(-7))
        integer.end()
        var long = Outputs(type: .int64, isVectors: true)
        for value: Int64 in [-1, (1 << 53) + 1, .min] { long.appendElement(value) }
        long.end()
        var noLong = Outputs(type: .int64, isVectors: true)
        noLong.end()
        var nan = Outputs(type: .float64)
        nan.appendElement(Double.nan.bitPattern)
        nan.end()
        var infinity = Outputs(type: .float64, isVectors: true)
        for value in [-Double.infinity, .infinity] { infinity.appendElement(value.bitPattern) }
        infinity.end()
        var bytes = Outputs(type: .bytes)
        bytes.append(bytes: ([0, 1, 255] as [UInt8]).span)
        return [
            (double, .number(0.1)), (float, .array([.number(1.5), .number(-2)])), (integer, .number(-7)),
            (long, .array([.integer(-1), .integer((1 << 53) + 1), .integer(.min)])), (noLong, .array([])),
            (nan, .string("nan")), (infinity, .array([.string("-inf"), .string("inf")])),
            (bytes, .string(Data([0, 1, 255]).base64EncodedString())),
        ]
    }()
}

extension FrontendPlay {
    /// Waits for the next batch of any of these containers.
    func batch(from containers: [PlayedContainer]) throws -> (container: PlayedContainer, batch: ReceivedBatch) {
        let deadline = MonotonicTime.now() + bounds.answer
        while MonotonicTime.now() < deadline {
            for container in containers {
                if let batch = try container.batchIfAny(within: .milliseconds(10)) { return (container, batch) }
            }
        }
        throw Fault(
            expected: "a batch for \(containers.map(\.name).joined(separator: " or "))",
            but: "none came within \(bounds.answer.text)")
    }
}
