import ContainerRPC

// What becomes of batches that are in hand when something ends.
extension ContainerScenario {
    static let inHand: [ContainerScenario] = [
        ContainerScenario(
            "stale-batches", "Batches in hand when a session ends are not answered in the next", rpc3: "8.2",
            rpc4: "8.2", stage: .own
        ) { play in
            try play.servesStill()
            try playStale(play, "a malformed message") { try $0.send(frames: [MalformedMessage.u32(77)]) }
            guard play.version == .four else { return nil }
            try playStale(play, "the frontend's goodbye") {
                try $0.send(.goodbye(Goodbye(.restarting, reason: "the kit restarts")))
            }
            try playStale(play, "refused") {
                try $0.send(
                    .refused(Refusal(.tooMany, reason: "the kit has no room any more", retryAfter: .milliseconds(100))))
            }
            return nil
        },
        ContainerScenario(
            "sigterm-under-load",
            "Told to stop with batches in hand, the container loses none (RPC 3: answers the first)",
            rpc3: "8.2", rpc4: "8.5", stage: .own
        ) { play in
            play.version == .three ? try playStopOfThree(play) : try playStopOfFour(play)
        },
    ]

    /// Ends the session with batches in hand, the last of which takes long, and goes on in another.
    private static func playStale(
        _ play: ContainerPlay, _ what: String, by end: (ContainerPlay) throws -> Void
    ) throws {
        let patience = play.bounds.answer * 4
        let batches = try play.batches(upTo: 4) + [try play.longBatch()]
        // What is sent in one go is still in hand when its end is read.
        for batch in batches.suffix(try play.window(upTo: batches.count)) { try play.predict(batch) }
        try end(play)
        do {
            // One that reads message by message answers them first.
            try play.openSession(within: play.bounds.session + patience)
            // A model takes the batches in their order: what it made of the old ones comes before this answer.
            try play.outputs(of: try play.inputs().distinct(2), within: patience)
        } catch let fault as Fault {
            throw Fault("after \(what), with batches in hand: \(fault)")
        }
    }

    private static func playStopOfThree(_ play: ContainerPlay) throws -> String? {
        try play.servesStill()
        let id = try play.predict(try play.inputs().distinct(try play.batchSize(upTo: 500)))
        // It is in hand when the container has had the time to read it.
        try play.listen(for: .milliseconds(20))
        play.terminate()
        let note = try play.awaitEnd()
        if note != nil { return note }
        return play.book.answer(to: id) == nil ? "it did not answer the batch that it had, which it should" : nil
    }

    private static func playStopOfFour(_ play: ContainerPlay) throws -> String? {
        try play.servesStill()
        let last = try play.longBatch()
        // Where the kit knows what takes long, the first ones do: one is at work, and the others wait.
        let slow = play.options.inputs.slow == nil ? [] : [last, last, last]
        let batches = try (slow + play.batches(upTo: 8)).prefix(try play.window(upTo: 8))
        for batch in batches { try play.predict(batch) }
        // It is in hand when the container has had the time to read it.
        if !slow.isEmpty { try play.listen(for: .milliseconds(20)) }
        play.terminate()
        let before = play.book.answers.count
        let goodbye = try play.awaitGoodbye()
        let lateness = slow.isEmpty ? nil : lateGoodbye(after: play.book.answers.count - before)
        play.mayEnd = true
        // The frontend has sent this one before it had read the goodbye, and its own follows at once.
        let most = try play.window(upTo: 9)
        let limit = MonotonicTime.now() + .seconds(1)
        while play.book.waiting >= most, try play.next(until: limit) != nil {}
        if play.book.waiting < most { try play.predict(last) }
        try play.send(.goodbye(Goodbye(goodbye.code)))
        let parting = MonotonicTime.now()
        try awaitLast(play)
        let time = MonotonicTime.now() - parting
        for answer in play.book.answers {
            if case .failure(let failure) = answer.answer, failure.code != .unavailable { throw play.failed(failure) }
        }
        if let note = try play.awaitEnd() { return note }
        if let lateness { return lateness }
        guard time < .milliseconds(100) else { return nil }
        return "all was answered \(time.text) after the frontend's goodbye, which may have come with nothing in hand: "
            + "an input that takes longer would tell (--slow-input)"
    }

    /// Whoever is at work on one batch says goodbye after it; the answer to another may have been under way.
    private static func lateGoodbye(after answers: Int) -> String? {
        guard answers > 2 else { return nil }
        return
            "its goodbye came after \(counted(answers, "answer")) more, and should come at once: until then it is sent batches"
    }

    /// Waits for the answers to all that came before the frontend's goodbye.
    private static func awaitLast(_ play: ContainerPlay) throws {
        let patience = play.bounds.answer * (play.options.inputs.slow == nil ? 1 : 4)
        var deadline = MonotonicTime.now() + patience
        while play.book.waiting > 0 {
            guard let event = try play.next(until: deadline) else {
                throw Fault(
                    expected: "an answer to every batch that came before the frontend's goodbye",
                    but: "\(counted(play.book.waiting, "batch")) had none when the container had ended or was given up")
            }
            if case .answered = event { deadline = .now() + patience }
        }
    }
}

extension ContainerPlay {
    /// As many batches as may be unanswered at a time, of several hundred inputs each.
    func batches(upTo count: Int) throws -> [[[UInt8]]] {
        let size = try batchSize(upTo: 500)
        let inputs = try inputs()
        return try (0..<(try window(upTo: count))).map { try inputs.distinct(size, from: $0 * size) }
    }

    /// A batch that takes the model long, as far as is known.
    func longBatch() throws -> [[UInt8]] {
        let inputs = try inputs()
        if let slow = options.inputs.slow { return [try Inputs.bytes(of: slow, inputs.type)] }
        return try inputs.distinct(try batchSize(upTo: 5_000))
    }
}
