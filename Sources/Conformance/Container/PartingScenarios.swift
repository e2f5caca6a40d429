import ContainerRPC

extension ContainerScenario {
    /// Refusals, goodbyes, and the end of the container.
    static let parting: [ContainerScenario] = [
        ContainerScenario(
            "refused", "A refused container comes back, but not before retry-after", rpc4: "8.1", stage: .unstarted
        ) { play in
            try play.start()
            let peer = try play.awaitOpening()
            try play.askForMetadata(of: peer)
            _ = try play.awaitRegistration(from: peer)
            let pause = Duration.milliseconds(1_500)
            let begin = MonotonicTime.now()
            try play.send(
                .refused(Refusal(.tooMany, reason: "the kit refuses the first registration", retryAfter: pause)),
                to: peer)
            try play.servesAgain(notBefore: begin + pause * 0.9, within: pause + play.bounds.session)
            return nil
        },
        ContainerScenario(
            "goodbye-from-frontend", "After a frontend's goodbye the container opens another session", rpc4: "8.5"
        ) { play in
            try play.send(.goodbye(Goodbye(.restarting, reason: "the kit restarts")))
            try play.servesAgain()
            return nil
        },
        ContainerScenario(
            "drained", "After a goodbye with the code drained the container ends, or registers no more", rpc4: "8.5",
            stage: .own
        ) { play in
            try play.servesStill()
            play.mayEnd = true
            try play.send(.goodbye(Goodbye(.drained, reason: "the kit has drained this replica")))
            try play.listen(for: .seconds(3)) { event in
                if case .opening = event {
                    throw Fault(expected: "no other session of a drained container", but: "it opened one")
                }
            }
            guard let end = play.process?.programEnd else { return "its process lives on, without a session" }
            return end == .status(0) ? nil : "it ended with \(end)"
        },
        ContainerScenario(
            "sigterm-idle", "Told to stop while idle, the container ends with 0, in RPC 4 after both goodbyes",
            rpc3: "8.2", rpc4: "8.5", stage: .own
        ) { play in
            try play.servesStill()
            play.terminate()
            if play.version == .four { try play.exchangeGoodbyes() }
            return try play.awaitEnd()
        },
        ContainerScenario(
            "sigterm-under-load",
            "Told to stop with batches in hand, the container loses none (RPC 3: answers the first)",
            rpc3: "8.2", rpc4: "8.5", stage: .own
        ) { play in
            try playStopUnderLoad(play)
        },
        ContainerScenario(
            "sigterm-without-answer", "A frontend that does not answer goodbye is waited for no longer than 5 s",
            rpc4: "8.5", stage: .own, isLong: true
        ) { play in
            try play.servesStill()
            play.terminate()
            _ = try play.awaitGoodbye()
            return try play.awaitEnd(within: .seconds(5) + play.bounds.answer)
        },
        ContainerScenario(
            "sigterm-without-frontend", "Told to stop while its frontend is down, the container ends", rpc3: "8.2",
            rpc4: "8.5", stage: .own, isLong: true
        ) { play in
            try play.servesStill()
            play.frontend.close()
            try play.stayDown(.milliseconds(500))
            play.terminate()
            return try play.awaitEnd(within: .seconds(10) + play.bounds.answer)
        },
    ]

    private static func playStopUnderLoad(_ play: ContainerPlay) throws -> String? {
        try play.servesStill()
        let size = try play.batchSize(upTo: 500)
        let inputs = try play.inputs()
        if play.version == .three {
            let id = try play.predict(try inputs.distinct(size))
            // It is in hand when the container has had the time to read it.
            try play.listen(for: .milliseconds(20))
            play.terminate()
            let note = try play.awaitEnd()
            if note != nil { return note }
            return play.book.answer(to: id) == nil ? "it did not answer the batch that it had, which it should" : nil
        }
        let most = try play.window(upTo: 8)
        for index in 0..<most { try play.predict(try inputs.distinct(size, from: index * size)) }
        play.terminate()
        let goodbye = try play.awaitGoodbye()
        // The frontend has sent this one before it had read the goodbye.
        if try play.window(upTo: 9) > play.book.waiting { try play.predict(try inputs.distinct(1)) }
        try play.send(.goodbye(Goodbye(goodbye.code)))
        play.mayEnd = true
        var deadline = MonotonicTime.now() + play.bounds.answer
        while play.book.waiting > 0 {
            guard let event = try play.next(until: deadline) else {
                throw Fault(
                    expected: "an answer to every batch that came before the frontend's goodbye",
                    but: "\(counted(play.book.waiting, "batch")) had none when the container had ended or was given up")
            }
            if case .answered = event { deadline = .now() + play.bounds.answer }
            if case .goodbye = event { throw Fault(expected: "one goodbye", but: "there was a second one") }
        }
        for answer in play.book.answers {
            if case .failure(let failure) = answer.answer, failure.code != .unavailable { throw play.failed(failure) }
        }
        return try play.awaitEnd()
    }
}

extension ContainerPlay {
    /// Waits for the container's goodbye; batches are answered meanwhile.
    func awaitGoodbye() throws -> Goodbye {
        let deadline = MonotonicTime.now() + bounds.answer
        mayEnd = true
        defer { mayEnd = false }
        while true {
            switch try next(until: deadline) {
            case nil:
                if let end = process?.programEnd {
                    throw Fault(
                        expected: "goodbye before the container ends", but: "it has ended with \(end), without one")
                }
                throw Fault(expected: "goodbye after SIGTERM", but: "none came within \(bounds.answer.text)")
            case .goodbye(let goodbye):
                guard [GoodbyeCode.stopping, .restarting].contains(goodbye.code) else {
                    throw Fault(
                        expected: "goodbye with the code 1 (stopping) or 2 (restarting)",
                        but: "its code is \(goodbye.code.rawValue)")
                }
                return goodbye
            case .opening:
                throw Fault(expected: "goodbye in the session that stands", but: "the container opened another")
            default: continue
            }
        }
    }

    /// Waits for the container's goodbye and answers it.
    func exchangeGoodbyes() throws {
        let goodbye = try awaitGoodbye()
        try send(.goodbye(Goodbye(goodbye.code)))
    }

    /// Waits for the process's end, which must be a good one.
    func awaitEnd(within bound: Duration? = nil) throws -> String? {
        let limit = bound ?? bounds.answer
        mayEnd = true
        let deadline = MonotonicTime.now() + limit
        while process?.programEnd == nil {
            if let event = try next(until: min(deadline, .now() + .milliseconds(20))), case .goodbye = event {
                guard version == .four else { continue }
                // Without a frontend it may say goodbye to one that comes; twice in a session it must not.
                continue
            }
            guard MonotonicTime.now() < deadline else {
                throw Fault(expected: "the process to end after SIGTERM", but: "it lives still after \(limit.text)")
            }
        }
        switch process?.programEnd {
        case .status(0), nil: return nil
        case .signal(let signal) where version == .three:
            return "SIGTERM ended it as it was (signal \(signal)): it does not finish a batch in hand, as it should"
        case .some(let end):
            throw Fault(expected: "exit status 0 after SIGTERM", but: "it ended with \(end)")
        }
    }
}
