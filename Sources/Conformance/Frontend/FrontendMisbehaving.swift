import ContainerRPC

extension FrontendScenario {
    /// Containers that send what they must not: it costs them their session, and nobody else anything.
    static let misbehaving: [FrontendScenario] =
        [
            FrontendScenario(
                "wrong-id", "A response with an id that is not in flight is discarded", rpc3: "9.4", rpc4: "8.2"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let query = try play.ask(.array([.number(1)]))
                let batch = try container.batch()
                try container.send(
                    .response(PredictResponse(id: batch.id ^ 0x5555_5555, outputs: Outputs(["666"]))))
                try container.answer(batch, ["1"])
                try query.expect(.number(1))
                try play.serves(container)
                return nil
            },
            FrontendScenario(
                "answered-twice", "A second answer to a batch is discarded", rpc3: "8.5", rpc4: "8.2"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let query = try play.ask(.array([.number(1)]))
                let batch = try container.batch()
                try container.answer(batch, ["1"])
                try container.answer(batch, ["666"])
                try query.expect(.number(1))
                try play.serves(container)
                return nil
            },
            FrontendScenario(
                "foreign-answer", "A container cannot answer the batch of another", rpc3: "8.5", rpc4: "8.2"
            ) { play in
                try play.registerAll()
                let first = try play.container("a")
                let query = try play.ask(.array([.number(1)]))
                let batch = try first.batch()
                let second = try play.container("b")
                try second.send(.response(PredictResponse(id: batch.id, outputs: Outputs(["666"]))))
                // Its heartbeat is answered after the response was read.
                try second.send(.heartbeat)
                _ = try second.message("an answer to a heartbeat")
                try first.answer(batch, ["1"])
                try query.expect(.number(1))
                return nil
            },
            FrontendScenario(
                "response-of-a-stranger", "A response without a session is discarded", rpc3: "8.3", rpc4: "10"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let query = try play.ask(.array([.number(1)]))
                let batch = try container.batch()
                let stranger = try PlayedContainer("stranger", play.version, in: play)
                try stranger.send(.response(PredictResponse(id: batch.id, outputs: Outputs(["666"]))))
                try stranger.introduce()
                try container.answer(batch, ["1"])
                try query.expect(.number(1))
                return nil
            },
            FrontendScenario(
                "too-few-outputs", "Of a response with too few outputs none is used; the session ends", rpc3: "9.4",
                rpc4: "10"
            ) { play in
                try playWrongCount([], play)
            },
            FrontendScenario(
                "too-many-outputs", "Of a response with too many outputs none is used; the session ends", rpc3: "9.4",
                rpc4: "10"
            ) { play in
                try playWrongCount(["666", "667"], play)
            },
            FrontendScenario(
                "disconnect", "The batch of a container whose connection ends goes to another", rpc3: "8.4", rpc4: "10"
            ) { play in
                try play.registerAll()
                let first = try play.container("a")
                let query = try play.ask(.array([.number(1)]))
                _ = try first.batch()
                let second = try play.container("b")
                first.disconnect()
                let batch = try second.batch()
                try second.answer(batch, batch.items.map { _ in "1" })
                try query.expect(.number(1))
                try play.expectReplicas(1, "a is gone")
                return nil
            },
            FrontendScenario(
                "lost-twice", "A query that two replicas were lost with is not sent to a third", rpc3: "8.4",
                rpc4: "8.2"
            ) { play in
                try play.registerAll()
                var left = try ["a", "b", "c"].map { try play.container($0) }
                let query = try play.ask(.array([.number(1)]))
                for _ in 0..<2 {
                    let (loser, _) = try play.batch(from: left)
                    left.removeAll { $0 === loser }
                    loser.disconnect()
                }
                if try left[0].batchIfAny(within: .milliseconds(500)) != nil {
                    throw Fault(
                        expected: "the query to be sent to another replica once, lest it end all",
                        but: "it came to a third one")
                }
                try query.expectDefault()
                return nil
            },
            FrontendScenario(
                "malformed-stranger", "Malformed messages of strangers are not answered, and harm nobody", rpc3: "9.2",
                rpc4: "10"
            ) { play in
                try play.registerAll()
                let container = try play.container("a")
                let stranger = try PlayedContainer("stranger", play.version, in: play)
                for frames: [[UInt8]] in [[[]], [[1]], [[], []], [[], [9, 0, 0, 0]], [[0xff], [1, 2, 3], []]] {
                    try stranger.send(frames: frames)
                }
                // An answer to one of them would come before the answer to the heartbeat.
                try stranger.introduce()
                try play.serves(container)
                return nil
            },
        ] + malformedThree.map { malformed($0, "9.2", .three) } + malformedFour.map { malformed($0, "10", .four) }

    private typealias Malformed = (name: String, summary: String, frames: @Sendable (UInt32) -> [[UInt8]])

    private static let malformedThree: [Malformed] = [
        ("surplus-frame", "a heartbeat with a frame too many", { _ in [[], MalformedMessage.u32(2), [1]] }),
        ("unknown-type", "a message of type 9", { _ in [[], MalformedMessage.u32(9)] }),
        (
            "header-length", "a response whose header is not as long as it is said to be",
            { id in
                [[], MalformedMessage.u32(1), MalformedMessage.u32(Int(id)), MalformedMessage.u64(24)]
                    + [MalformedMessage.u64(1) + MalformedMessage.u64(3), Array("666".utf8)]
            }
        ),
        (
            "count-mismatch", "a response with a frame too many",
            { id in
                [[], MalformedMessage.u32(1), MalformedMessage.u32(Int(id)), MalformedMessage.u64(16)]
                    + [MalformedMessage.u64(1) + MalformedMessage.u64(3), Array("666".utf8), []]
            }
        ),
        (
            "size-mismatch", "a response whose output is shorter than its size",
            { id in
                [[], MalformedMessage.u32(1), MalformedMessage.u32(Int(id)), MalformedMessage.u64(16)]
                    + [MalformedMessage.u64(1) + MalformedMessage.u64(4), Array("666".utf8)]
            }
        ),
        (
            "invalid-utf8", "a response that is not UTF-8",
            { id in
                [[], MalformedMessage.u32(1), MalformedMessage.u32(Int(id)), MalformedMessage.u64(16)]
                    + [MalformedMessage.u64(1) + MalformedMessage.u64(1), [0xff]]
            }
        ),
    ]

    private static let malformedFour: [Malformed] = {
        let text = MalformedMessage.field(0x8010, MalformedMessage.u32(4))
        let three = MalformedMessage.u32(0) + MalformedMessage.u32(3)
        let good = Array("666".utf8)
        return [
            ("head-length", "a head of 5 bytes", { _ in [[4, 0, 0, 0, 9]] }),
            ("version-5", "a message of version 5", { id in [MalformedMessage.head(10, id: id, version: 5)] }),
            ("wrong-direction", "a message that only frontends send: welcome", { _ in [MalformedMessage.head(1)] }),
            ("missing-field", "results without their type", { id in [MalformedMessage.head(9, id: id), three, good] }),
            (
                "unknown-field", "results with a mandatory field that nobody knows",
                { id in
                    [MalformedMessage.head(9, id: id) + text + MalformedMessage.field(0xf530, [1]), three, good]
                }
            ),
            (
                "offsets", "results whose offsets end beyond the items",
                { id in
                    [MalformedMessage.head(9, id: id) + text, MalformedMessage.u32(0) + MalformedMessage.u32(4), good]
                }
            ),
            (
                "item-errors", "results with an error for an item that is not empty",
                { id in
                    [
                        MalformedMessage.head(9, id: id) + text, three, good,
                        MalformedMessage.u32(0) + MalformedMessage.u32(1) + MalformedMessage.u32(0),
                    ]
                }
            ),
            (
                "surplus-results", "results with a frame too many",
                { id in [MalformedMessage.head(9, id: id) + text, three, good, [], []] }
            ),
            (
                "results-not-utf8", "results that are not UTF-8",
                { id in
                    [
                        MalformedMessage.head(9, id: id) + text, MalformedMessage.u32(0) + MalformedMessage.u32(1),
                        [0xff],
                    ]
                }
            ),
        ]
    }()

    private static func malformed(_ malformed: Malformed, _ section: String, _ version: RPCVersion) -> FrontendScenario
    {
        FrontendScenario(
            "malformed-\(malformed.name)", "The session ends, its batch goes elsewhere, after \(malformed.summary)",
            rpc3: version == .three ? section : nil, rpc4: version == .four ? section : nil
        ) { play in
            try playLost(play, after: malformed.summary) { container, batch in
                try container.send(frames: malformed.frames(batch.id), remark: malformed.summary)
            }
            return nil
        }
    }

    private static func playWrongCount(_ outputs: [String], _ play: FrontendPlay) throws -> String? {
        try playLost(play, after: "a response with \(counted(outputs.count, "output")) to one input") {
            container, batch in
            try container.send(.response(PredictResponse(id: batch.id, outputs: Outputs(outputs))))
        }
        return nil
    }

    /// A container that has a batch does something for which it loses its session; another one computes the batch.
    private static func playLost(
        _ play: FrontendPlay, after what: String, _ misbehave: (PlayedContainer, ReceivedBatch) throws -> Void
    ) throws {
        try play.registerAll()
        let first = try play.container("a")
        let query = try play.ask(.array([.number(1)]))
        let batch = try first.batch()
        let second = try play.container("b")
        try misbehave(first, batch)
        let again = try second.batch()
        try second.answer(again, again.items.map { _ in "1" })
        try query.expect(.number(1))
        try first.expectUnknown(after: what)
        try second.expectKnown()
    }
}
