import ContainerRPC

extension FrontendScenario {
    /// Room to grow.
    static let growing: [FrontendScenario] = [
        FrontendScenario(
            "unknown-optional-field", "Register with an optional field that nobody knows is accepted", rpc4: "4.4"
        ) { play in
            try play.registerAll()
            let container = try PlayedContainer("a", .four, in: play)
            try container.introduce()
            try container.sendRegistration(play.registration(), with: MalformedMessage.field(0x7530, [1, 2, 3]))
            try container.confirm()
            try play.serves(container)
            return nil
        },
        FrontendScenario(
            "unknown-notice", "Messages of unknown types from 256 on are ignored, whatever they hold", rpc4: "4.4"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            try container.send(frames: [MalformedMessage.head(256)])
            try container.send(frames: [MalformedMessage.head(70_000), [], [1, 2, 3]])
            try container.expectKnown()
            try play.serves(container)
            return nil
        },
        FrontendScenario(
            "metadata", "Free metadata, a software name and wants-feedback are taken", rpc4: "5"
        ) { play in
            try play.registerAll()
            let registration = play.registration { details in
                details.metadata = [MetadataPair("framework", "conformance"), MetadataPair("pid", "4711")]
                details.wantsFeedback = true
                details.beatsWhileBusy = true
            }
            try play.serves(try play.container("a", registration))
            return nil
        },
    ]

    /// Goodbyes.
    static let parting: [FrontendScenario] = [
        FrontendScenario(
            "goodbye", "A container's goodbye is answered with the same code, and no batch follows", rpc4: "8.5"
        ) { play in
            try play.registerAll()
            let first = try play.container("a")
            let second = try play.container("b")
            try first.send(.goodbye(Goodbye(.restarting, reason: "the kit stops it")))
            try first.expectGoodbye(.restarting)
            for number in 0..<10 {
                let query = try play.ask(.array([.number(Double(number))]))
                let batch = try second.batch()
                try second.answer(batch, batch.items.map { _ in "1" })
                try query.expect(.number(1))
            }
            if try first.batchIfAny(within: .milliseconds(100)) != nil {
                throw Fault(expected: "no batch after the frontend's goodbye", but: "one came")
            }
            // A second goodbye would come before the answer.
            _ = try first.beat()
            return nil
        },
        FrontendScenario(
            "goodbye-with-a-batch", "A batch that a container has when it says goodbye may be answered afterwards",
            rpc4: "8.5"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            let query = try play.ask(.array([.number(1)]))
            let batch = try container.batch()
            try container.send(.goodbye(Goodbye(.stopping)))
            try container.expectGoodbye(.stopping)
            try container.answer(batch, ["1"])
            try query.expect(.number(1))
            _ = try container.beat()
            return nil
        },
        FrontendScenario(
            "goodbye-unregistered", "A goodbye before there was a register is answered, too", rpc4: "8.5"
        ) { play in
            let container = try PlayedContainer("a", .four, in: play)
            try container.introduce()
            try container.send(.goodbye(Goodbye(.stopping)))
            guard let received = try container.messageIfAny(within: .seconds(1)) else {
                return "it does not answer it, and should: the container waits for 5 s"
            }
            guard case .goodbye(let goodbye) = received.message, goodbye.code == .stopping else {
                throw Fault(
                    expected: "goodbye with the code 1",
                    but: "the frontend sent: \(MessageNames.name(of: received.message))")
            }
            return nil
        },
        FrontendScenario(
            "drained", "A replica that an operator drains gets goodbye after its last answer", rpc4: "8.5"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            let query = try play.ask(.array([.number(1)]))
            let batch = try container.batch()
            let reply = try play.reply(
                of: "drain",
                [
                    "model_name": .string(play.model), "model_version": .string(RegisteredNames.modelVersion),
                    "stop": .boolean(true),
                ])
            guard reply.status == 200 else { throw Inapplicable("its administration has no /admin/drain") }
            if let early = try container.receive(until: .now() + .milliseconds(200)) {
                throw Fault(
                    expected: "nothing before the last answer",
                    but: "the frontend sent: \(MessageNames.name(of: early.message))")
            }
            try container.answer(batch, ["1"])
            try query.expect(.number(1))
            try container.expectGoodbye(.drained)
            return nil
        },
    ]
}

extension PlayedContainer {
    /// Waits for the frontend's goodbye.
    func expectGoodbye(_ code: GoodbyeCode) throws {
        let received = try message("goodbye")
        guard case .goodbye(let goodbye) = received.message, goodbye.code == code else {
            throw Fault(
                expected: "goodbye with the code \(code.rawValue)",
                but: "the frontend sent: \(MessageNames.name(of: received.message))")
        }
    }
}
