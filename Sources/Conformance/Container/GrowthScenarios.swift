import ContainerRPC

extension ContainerScenario {
    /// Room to grow, budgets, and which version is spoken: RPC 4 only.
    static let growing: [ContainerScenario] = [
        ContainerScenario(
            "unknown-optional-field", "Unknown fields that are not mandatory are skipped", rpc4: "4.4"
        ) { play in
            let extra = MalformedMessage.field(0x7530, [1, 2, 3])
            let id = play.nextID()
            let request = try play.request(try play.inputs().distinct(2), id: id)
            try play.send(
                frames: request.replacing(0, request[0] + extra), remark: "an optional field that nobody knows")
            play.book.sent(id, inputs: 2)
            try play.awaitAnswers()
            let beat = play.encoded(.heartbeat(.keepAlive))
            try play.send(frames: beat.replacing(0, beat[0] + extra), remark: "an optional field that nobody knows")
            let welcome = play.encoded(.welcome(play.timing))
            play.book.doom()
            try play.send(
                frames: welcome.replacing(0, welcome[0] + extra), remark: "an optional field that nobody knows")
            try play.awaitRegistration()
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "mandatory-bit-of-known-field", "Of a known field nobody looks at the bit that makes it mandatory",
            rpc4: "4.4"
        ) { play in
            let id = play.nextID()
            let request = try play.request(try play.inputs().distinct(2), id: id)
            let budget = MalformedMessage.field(0x8013, MalformedMessage.u64(60_000_000))
            try play.send(frames: request.replacing(0, request[0] + budget), remark: "budget, marked as mandatory")
            play.book.sent(id, inputs: 2)
            try play.awaitAnswers()
            return nil
        },
        ContainerScenario(
            "id-without-batch", "Nobody looks at the id of a message that belongs to no batch", rpc4: "4.1"
        ) { play in
            func withID(_ message: FrontendMessage) -> [[UInt8]] {
                let frames = play.encoded(message)
                return frames.replacing(0, frames[0].prefix(8) + MalformedMessage.u32(7) + frames[0].dropFirst(12))
            }
            try play.send(frames: withID(.heartbeat(.keepAlive)), remark: "with the id 7")
            try play.servesStill()
            play.book.doom()
            try play.send(frames: withID(.welcome(play.timing)), remark: "with the id 7")
            try play.awaitRegistration()
            try play.send(frames: withID(.accepted(replica: 0)), remark: "with the id 7")
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "unknown-notice", "Messages of unknown types from 256 on are ignored, whatever they hold", rpc4: "4.4"
        ) { play in
            try play.send(frames: [MalformedMessage.head(256)])
            try play.send(frames: [MalformedMessage.head(70_000), [], [1, 2, 3], [UInt8](repeating: 7, count: 1_000)])
            try play.send(frames: [MalformedMessage.head(-1) + [1, 2]])
            // The lower half of this type is that of predict.
            let id = play.nextID()
            play.book.sentUnanswerable(id)
            let request = try play.request(try play.inputs().distinct(2), id: id)
            let head = MalformedMessage.head(0x1_0005, id: id) + request[0].dropFirst(12)
            try play.send(frames: request.replacing(0, head), remark: "a notice with all of a batch")
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "trace-context", "A batch may come with a trace", rpc4: "5"
        ) { play in
            let id = play.nextID()
            let request = try play.request(try play.inputs().distinct(1), id: id, budget: .seconds(60))
            let trace =
                MalformedMessage.field(0x0015, Array("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".utf8))
                + MalformedMessage.field(0x0016, Array("vendor=value".utf8))
            try play.send(frames: request.replacing(0, request[0] + trace))
            play.book.sent(id, inputs: 1)
            try play.awaitAnswers()
            return nil
        },
        ContainerScenario(
            "budget", "A batch whose budget is not spent is computed", rpc4: "8.4"
        ) { play in
            if case .failure(let failure) = try play.answer(to: try play.inputs().distinct(2), budget: .seconds(60)) {
                throw play.failed(failure)
            }
            try playLongBudgets(play)
            return try budgetUnit(play)
        },
        ContainerScenario(
            "compute-time", "The compute-time of a batch is no longer than the batch was away", rpc4: "5"
        ) { play in
            try playComputeTime(play)
            return nil
        },
        ContainerScenario(
            "budget-spent", "A batch whose budget is spent fails with the code too-late", rpc4: "8.4"
        ) { play in
            switch try play.answer(to: try play.inputs().distinct(2), budget: .microseconds(1)) {
            case .results: return "it computed a batch that had 1 µs left, which it should not"
            case .failure(let failure) where failure.code == .tooLate: return nil
            case .failure(let failure):
                throw Fault(
                    expected: "results, or failure with the code 3 (too late)",
                    but: "its code is \(failure.code.rawValue) (\(failure.code))")
            }
        },
    ]

    /// Budgets that take more than 32 bits, or all 64.
    private static func playLongBudgets(_ play: ContainerPlay) throws {
        let inputs = try play.inputs().distinct(2)
        for budget: UInt64 in [1 << 32, 1 << 63, .max] {
            let id = play.nextID()
            let request = try play.request(inputs, id: id)
            let field = MalformedMessage.field(0x0013, MalformedMessage.u64(budget))
            try play.send(frames: request.replacing(0, request[0] + field), remark: "a budget of \(budget) µs")
            play.book.sent(id, inputs: 2)
            try play.awaitAnswers()
            guard case .failure(let failure) = play.book.answer(to: id) else { continue }
            throw Fault(
                expected: "results of a batch with a budget of \(budget) µs, a u64",
                but: "it failed (\(failure.code): \(failure.reason ?? "no reason"))")
        }
    }

    /// What the model takes lies between a batch's way to it and the answer's way back.
    private static func playComputeTime(_ play: ContainerPlay) throws {
        let size = try play.batchSize(upTo: 5_000)
        for batch in [try play.inputs().distinct(1), try play.inputs().distinct(size)] {
            let begin = MonotonicTime.now()
            guard case .results(let response) = try play.answer(to: batch) else { continue }
            guard let time = response.computeTime else { throw Inapplicable("it states no compute-time") }
            let trip = MonotonicTime.now() - begin
            // Clocks count in steps.
            guard time <= trip + .milliseconds(20) else {
                throw Fault(
                    expected: "a compute-time in microseconds, of at most the \(trip.text) that the batch was away",
                    but: "it is \(time.text)")
            }
        }
    }

    /// Budgets that would be spent only if they were read in another unit.
    private static func budgetUnit(_ play: ContainerPlay) throws -> String? {
        let inputs = try play.inputs().distinct(2)
        // A short one several times: a busy machine hides what becomes of it.
        for budget in [.milliseconds(900)] + [Duration](repeating: .milliseconds(10), count: 5) {
            var begin = MonotonicTime.now()
            try play.outputs(of: inputs)
            // A container may know that its model takes longer than what is left.
            guard MonotonicTime.now() - begin < budget * 0.2 else { continue }
            begin = .now()
            let answer = try play.answer(to: inputs, budget: budget)
            let time = MonotonicTime.now() - begin
            // What comes early cannot have come too late: it was received even later than it was sent.
            guard case .failure(let failure) = answer, time < budget * 0.5 else { continue }
            guard failure.code == .tooLate else { throw play.failed(failure) }
            let seen = "it failed as too late \(time.text) after it was sent"
            // Who reads nanoseconds sees less than a millisecond, which is as good as spent. Less may be an estimate.
            guard budget < .milliseconds(100) else {
                throw Fault(expected: "results of a batch that has \(budget.text), in microseconds", but: seen)
            }
            return "of a batch that has \(budget.text), in microseconds: \(seen)"
        }
        return nil
    }

    /// Which version is spoken: that of the frontend.
    static let negotiating: [ContainerScenario] = [
        ContainerScenario(
            "fallback", "To a frontend that speaks only RPC 3 the container speaks RPC 3", rpc4: "2", stage: .unstarted
        ) { play in
            play.spoken = .three
            try play.start()
            try play.openSession()
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "frontend-downgrade", "A frontend that comes back with only RPC 3 is answered in it", rpc4: "2",
            stage: .own, isLong: true
        ) { play in
            try playRestart(play, speaking: .three)
            return nil
        },
        ContainerScenario(
            "downgrade-times", "The times of a welcome hold no longer once the frontend answers in RPC 3", rpc4: "8.3",
            stage: .own
        ) { play in
            try playDowngrade(play)
            return nil
        },
        ContainerScenario(
            "frontend-upgrade", "A frontend that comes back with RPC 4 is answered in it", rpc4: "2", stage: .unstarted,
            isLong: true
        ) { play in
            play.spoken = .three
            try play.start()
            try play.openSession()
            try playRestart(play, speaking: .four)
            return nil
        },
    ]

    /// After a welcome with short times the frontend goes on in RPC 3, whose times are 5 s and 30 s.
    private static func playDowngrade(_ play: ContainerPlay) throws {
        play.timing.silenceLimit = .seconds(2)
        try play.askForMetadata()
        try play.awaitRegistration()
        try play.servesStill()
        guard let peer = play.session?.peer else { throw Fault("the kit has no session") }
        play.frontend.remark("the frontend goes on in RPC 3")
        play.spoken = .three
        play.endSession()
        play.remember(peer, isFormer: true)
        try play.openSession()
        play.answersHeartbeats = false
        var beats = 0
        try play.listen(for: .milliseconds(3_500)) { event in
            switch event {
            case .heartbeat: beats += 1
            case .opening:
                throw Fault(
                    expected: "the session to last, for a frontend of RPC 3 may be silent for 30 s",
                    but: "the container gave it up after the 2 s of the welcome before")
            default: break
            }
        }
        // One may have been under way.
        guard beats <= 1 else {
            throw Fault(
                expected: "no heartbeat for 5 s, as is the interval of RPC 3",
                but: "\(beats) came within 3.5 s: the times of the welcome before are still kept")
        }
    }
}
