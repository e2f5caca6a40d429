import ContainerRPC

extension FrontendScenario {
    /// How containers are met and taken in.
    static let registering: [FrontendScenario] = [
        FrontendScenario(
            "first-heartbeat", "The heartbeat of a stranger is answered by asking for its metadata", rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            let container = try PlayedContainer("a", play.version, in: play)
            // Every one of them is answered.
            for _ in 0..<3 { try container.introduce() }
            // What is shorter or longer is in seconds, or in microseconds.
            let sane = Duration.milliseconds(20)...Duration.seconds(3_600)
            guard let interval = container.welcome?.heartbeatInterval, !sane.contains(interval) else { return nil }
            throw Fault(
                expected: "a heartbeat interval in milliseconds, between \(sane.lowerBound.text) and an hour",
                but: "it is \(interval.inMilliseconds), which is \(interval.text)")
        },
        FrontendScenario(
            "registration", "A container that registers is listed, and its heartbeats are answered", rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            for _ in 0..<3 { try container.expectKnown() }
            try play.serves(container)
            if let numbers = try play.replicaNumbers() { try container.expectListed(numbers) }
            return nil
        },
        FrontendScenario(
            "registration-without-heartbeat", "Metadata may come without a heartbeat before them", rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let container = try PlayedContainer("a", play.version, in: play)
            try container.send(play.registration())
            try container.confirm()
            try play.expectReplicas(1, "a has registered")
            return nil
        },
        FrontendScenario(
            "same-metadata-twice", "The same metadata twice in one session are one replica", rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            let (first, numbers) = (container.replica, try play.replicaNumbers())
            try container.send(play.registration())
            try container.confirm()
            try play.expectReplicas(1, "a has registered twice in one session")
            guard container.replica == first, try play.replicaNumbers() == numbers else {
                throw Fault(
                    expected: "the same replica as before, as the metadata are the same",
                    but: "it is another one: \(replicaText(first)) before, and \(replicaText(container.replica)) now")
            }
            try play.serves(container)
            return nil
        },
        FrontendScenario(
            "two-replicas", "The same metadata in two sessions are two replicas", rpc3: "8.3", rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let first = try play.container("a")
            let second = try play.container("b")
            try play.expectReplicas(2, "a and b have registered")
            try first.expectKnown()
            try second.expectKnown()
            guard let numbers = try play.replicaNumbers() else { return nil }
            guard Set(numbers).count == 2 else {
                throw Fault(expected: "different numbers of two replicas in the listing", but: "both are \(numbers[0])")
            }
            for container in [first, second] { try container.expectListed(numbers) }
            guard first.replica != second.replica || first.replica == nil else {
                throw Fault(
                    expected: "different numbers of two replicas",
                    but: "both are accepted as \(replicaText(first.replica))")
            }
            return nil
        },
        FrontendScenario(
            "other-metadata", "Other metadata in a session end the replica and make another", rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            var other = play.registration()
            other.modelName += "-other"
            try container.send(other)
            try container.confirm()
            try play.expectReplicas(1, of: other.modelName, "a has registered it")
            try play.expectReplicas(0, "a serves another model now")
            return nil
        },
        FrontendScenario(
            "other-capacity", "What another register in a session states holds from then on", rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let container = try play.container("a")
            try container.send(play.registration { $0.largestBatch = 1 })
            try container.confirm()
            try play.expectReplicas(1, "a has registered again, with other fields")
            let query = try play.ask(batch: (0..<8).map { .array([.number(Double($0))]) })
            // Each batch is compared with what was registered last.
            try container.echo(count: 8)
            try query.expect(numbers: (0..<8).map { Double($0) })
            return nil
        },
        FrontendScenario(
            "accepted-first", "A container gets no batch before accepted, however many queries wait", rpc4: "8.1"
        ) { play in
            try play.registerAll()
            let first = try play.container("a", play.registration { ($0.largestBatch, $0.batchesInFlight) = (1, 1) })
            let query = try play.ask(batch: (0..<4).map { .array([.number(Double($0))]) })
            var next = (container: first, batch: try first.batch())
            let second = try PlayedContainer("b", .four, in: play)
            try second.register(play.registration())
            var left = 4
            while true {
                try next.container.answer(next.batch, next.batch.items.map { "\(Self.number($0))" })
                left -= next.batch.inputs.count
                guard left > 0 else { break }
                next = try play.batch(from: [second, first])
            }
            try query.expect(numbers: (0..<4).map { Double($0) })
            return nil
        },
        FrontendScenario(
            "unknown-model", "A container of a model that nobody has registered waits, and serves once it is",
            rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            let container = try PlayedContainer("a", play.version, in: play)
            try container.register(play.registration())
            try play.registerAll()
            try container.expectKnown()
            try play.serves(container)
            return nil
        },
        FrontendScenario(
            "deviant-registration", "The two forms of new container that deployed containers send are taken",
            rpc3: "6.5"
        ) { play in
            try play.registerAll()
            let container = try PlayedContainer("a", .three, in: play)
            try container.introduce()
            var list = FrameList()
            RPC3.encode(.newContainer(play.registration()), into: &list)
            list.frames[4] += [0, 0x61, 0xff]
            list.frames[5] += [0, 0, 0, 0]
            try container.send(frames: list.frames, remark: "bytes after the digit, the version in 8 bytes")
            try container.confirm()
            try play.expectReplicas(1, "a has registered")
            return nil
        },
        FrontendScenario(
            "input-type-mismatch", "A container of another input type than its model's gets no batch, in RPC 4 refused",
            rpc3: "9.4", rpc4: "7.2"
        ) { play in
            try play.registerAll()
            let container = try PlayedContainer("a", play.version, in: play)
            try container.introduce()
            try container.send(play.registration(.int32))
            if play.version == .four {
                let reason = try container.expectRefusal(.inputTypeMismatch)
                // Nothing is kept of it.
                try play.expectReplicas(0, "a was refused")
                try container.expectUnknown(after: "refused")
                return reason == nil ? "it gives no reason for a person" : nil
            }
            let query = try play.ask(.array([.number(1)]))
            if try container.batchIfAny(within: .milliseconds(500)) != nil {
                throw Fault(expected: "no batch for a container of another input type", but: "one came")
            }
            try query.expectDefault()
            return nil
        },
        FrontendScenario(
            "other-version", "A container that registers another RPC version is not taken, and nothing else suffers",
            rpc3: "9.2"
        ) { play in
            try play.registerAll()
            let good = try play.container("good")
            let container = try PlayedContainer("a", .three, in: play)
            try container.introduce()
            var list = FrameList()
            RPC3.encode(.newContainer(play.registration()), into: &list)
            list.frames[5] = [9, 0, 0, 0]
            try container.send(frames: list.frames, remark: "version 9")
            try container.introduce()
            try play.expectReplicas(1, "a speaks another version")
            try play.serves(good)
            return nil
        },
        FrontendScenario(
            "malformed-register", "A malformed register is refused with the code invalid and a reason", rpc4: "10"
        ) { play in
            let container = try PlayedContainer("a", .four, in: play)
            try container.introduce()
            let head = MalformedMessage.head(8) + MalformedMessage.field(0x8004, Array("a,b".utf8))
            try container.send(frames: [head], remark: "a name with a comma, and no input type")
            return try container.expectRefusal(.invalid) == nil ? "it gives no reason for a person" : nil
        },
        FrontendScenario(
            "unknown-mandatory-field", "Register with a mandatory field that nobody knows is refused: unknown-field",
            rpc4: "7.2"
        ) { play in
            let container = try PlayedContainer("a", .four, in: play)
            try container.introduce()
            try container.sendRegistration(play.registration(), with: MalformedMessage.field(0xf530, [1, 2, 3]))
            return try container.expectRefusal(.unknownField) == nil ? "it gives no reason for a person" : nil
        },
        FrontendScenario(
            "no-offer", "A peer that does not offer RPC 4 is never sent any of it", rpc4: "2"
        ) { play in
            try play.registerAll()
            let offering = try play.container("offering")
            // Every message to it is read as one of RPC 3.
            let other = try play.container("other", version: .three)
            offering.disconnect()
            try play.expectReplicas(1, "only the container that does not offer RPC 4 is there")
            try play.serves(other)
            try other.expectKnown()
            return nil
        },
        FrontendScenario(
            "registers-in-rpc-3", "A peer that offers RPC 4 and registers in RPC 3 is served in RPC 3", rpc4: "2"
        ) { play in
            try play.registerAll()
            // One that speaks RPC 4 alone has nothing to do with it.
            try PlayedContainer("plain", .three, in: play).introduce()
            let container = try PlayedContainer("a", .three, in: play, prefixed: true)
            try container.send(.heartbeat)
            guard case .welcome = try container.message("welcome").message else { throw NotOffered() }
            try container.send(play.registration())
            try container.expectKnown()
            try play.expectReplicas(1, "a has registered")
            try play.serves(container)
            return nil
        },
    ]
}

/// A replica's number, for a person.
private func replicaText(_ replica: UInt32?) -> String {
    replica.map { "replica \($0)" } ?? "a replica without a number"
}

extension PlayedContainer {
    /// Sends the metadata with a field that is none of RPC 4's.
    func sendRegistration(_ registration: Registration, with field: [UInt8]) throws {
        var registration = registration
        registration.rpcVersion = .four
        var list = FrameList()
        RPC4.encode(.newContainer(registration), into: &list)
        try send(frames: [list.frames[0] + field], remark: "a field that nobody knows")
    }

    /// Waits for *refused* with this code, and returns its reason.
    func expectRefusal(_ code: RefusalCode) throws -> String? {
        let received = try message("refused")
        guard case .refused(let refusal) = received.message, refusal.code == code else {
            throw Fault(
                expected: "refused with the code \(code.rawValue)",
                but: "the frontend sent: \(MessageNames.name(of: received.message))")
        }
        return refusal.reason
    }
}
