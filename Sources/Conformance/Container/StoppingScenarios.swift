import ContainerRPC

extension ContainerScenario {
    /// The end of a container that is told to stop.
    static let stopping: [ContainerScenario] = [
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
            "sigterm-without-answer",
            "A frontend that does not answer goodbye is waited for no longer than 5 s, with heartbeats meanwhile",
            rpc4: "8.5", stage: .own, isLong: true
        ) { play in
            try playStopUnanswered(play)
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
        ContainerScenario(
            "sigterm-unwelcomed", "Told to stop before it is welcomed, the container ends at once", rpc4: "8.5",
            stage: .unstarted
        ) { play in
            try play.start()
            let peer = try play.awaitOpening()
            try play.checkRoutingID(peer)
            play.remember(peer, isFormer: false)
            play.frontend.remark("the frontend does not answer it")
            play.terminate()
            return try play.awaitEnd(within: play.bounds.ending)
        },
        ContainerScenario(
            "sigterm-alone", "Told to stop where no frontend has ever welcomed it, and none is there, it ends at once",
            rpc4: "8.5", stage: .unstarted, isLong: true
        ) { play in
            try playStopAlone(play)
        },
        ContainerScenario(
            "sigterm-refused", "Told to stop while it waits for another session, the container ends at once",
            rpc4: "8.5", stage: .unstarted
        ) { play in
            try playStopRefused(play)
        },
        ContainerScenario(
            "sigterm-twice", "Told to stop a second time, the container ends at once", rpc4: "8.5", stage: .own
        ) { play in
            try play.servesStill()
            play.terminate()
            _ = try play.awaitGoodbye()
            play.terminate()
            return try play.awaitEnd(within: play.bounds.ending)
        },
        whileLeaving("welcome", "welcome") { $0.encoded(.welcome($0.timing)) },
        whileLeaving("refused", "refused") { play in
            let refusal = Refusal(.tooMany, reason: "the kit has forgotten it", retryAfter: .milliseconds(100))
            return play.encoded(.refused(refusal))
        },
        whileLeaving("metadata", "request-metadata of RPC 3") { _ in
            [[], MalformedMessage.u32(3), MalformedMessage.u32(2), MalformedMessage.u32(1)]
        },
    ]

    /// A container that has said goodbye and hears something that only a frontend says which knows nothing of it.
    private static func whileLeaving(
        _ name: String, _ what: String, _ frames: @escaping @Sendable (ContainerPlay) -> [[UInt8]]
    ) -> ContainerScenario {
        ContainerScenario(
            "\(name)-while-leaving", "A container that leaves and hears \(what) does not register, and ends",
            rpc4: "8.5", stage: .own
        ) { play in
            try play.servesStill()
            play.terminate()
            _ = try play.awaitGoodbye()
            // Whoever registered now would answer this.
            if name != "refused" { play.book.doom() }
            try play.send(frames: frames(play))
            return try play.awaitEnd()
        }
    }

    /// A heartbeat that lies in a socket is worth no wait.
    private static func playStopAlone(_ play: ContainerPlay) throws -> String? {
        try play.start()
        let peer = try play.awaitOpening()
        try play.checkRoutingID(peer)
        play.formerPeers.insert(peer)
        play.frontend.close()
        // One comes every 5 s, and lies there.
        try play.stayDown(.seconds(6))
        play.terminate()
        let begin = MonotonicTime.now()
        let note = try play.awaitEnd(within: .seconds(10) + play.bounds.answer)
        let time = MonotonicTime.now() - begin
        guard note == nil, time > play.bounds.ending else { return note }
        return "it ended after \(time.text), and should at once: "
            + "with nothing but heartbeats sent, its linger is to be 500 ms at most"
    }

    private static func playStopRefused(_ play: ContainerPlay) throws -> String? {
        try play.start()
        let peer = try play.awaitOpening()
        try play.checkRoutingID(peer)
        try play.askForMetadata(of: peer)
        let (_, received) = try play.awaitRegistration(from: peer)
        try play.frontend.watch(peer, by: received.descriptor)
        try play.send(.refused(Refusal(.tooMany, reason: "the kit refuses it", retryAfter: .seconds(600))), to: peer)
        play.formerPeers.insert(peer)
        // Its wait has begun when its connection is gone.
        let deadline = MonotonicTime.now() + play.bounds.answer
        while !play.frontend.hasLost(peer), MonotonicTime.now() < deadline {
            guard case .opening = try play.next(until: .now() + .milliseconds(20)) else { continue }
            throw Fault(expected: "no new session for 600 s, as refused says", but: "the container opened one")
        }
        let isGone = play.frontend.hasLost(peer)
        play.terminate()
        let note = try play.awaitEnd(within: play.bounds.ending)
        return note ?? (isGone ? nil : "it kept the connection by which it was refused, and should close it at once")
    }

    private static func playStopUnanswered(_ play: ContainerPlay) throws -> String? {
        try play.servesStill()
        play.terminate()
        _ = try play.awaitGoodbye()
        let begin = MonotonicTime.now()
        var beats = 0
        let note = try play.awaitEnd(within: .seconds(5) + play.bounds.ending) { event in
            if case .heartbeat = event { beats += 1 }
        }
        let time = MonotonicTime.now() - begin
        guard time > .seconds(4) else {
            return "it waited no longer than \(time.text) for the frontend's goodbye, and should have 5 s"
        }
        // One is due every 200 ms, but the machine may be busy.
        guard beats > 2 else {
            throw Fault(
                expected: "heartbeats every \(play.timing.heartbeatInterval.text) while the container leaves",
                but: "in \(time.text) there \(beats == 1 ? "was" : "were") \(beats)")
        }
        return note
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

    /// Waits for the process's end, which must be a good one, and reads all that it sends until then.
    ///
    /// - Parameter body: gets what comes.
    func awaitEnd(
        within bound: Duration? = nil, _ body: (ContainerEvent) throws -> Void = { _ in }
    ) throws -> String? {
        let limit = bound ?? bounds.answer
        mayEnd = true
        let deadline = MonotonicTime.now() + limit
        var hasEnded = false
        while true {
            if let event = try next(until: min(deadline, .now() + .milliseconds(20))) {
                try expectParting(event)
                try body(event)
            } else if hasEnded {
                break
            }
            // What it sent last is read when its end is known.
            hasEnded = process?.programEnd != nil
            guard hasEnded || MonotonicTime.now() < deadline else {
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

    /// In RPC 4 a container that was told to stop registers no more.
    private func expectParting(_ event: ContainerEvent) throws {
        guard version == .four else { return }
        switch event {
        case .registration:
            throw Fault(expected: "the container to end, as it was told", but: "it registered again")
        case .opening:
            throw Fault(expected: "the container to end, as it was told", but: "it opened another session")
        default: break
        }
    }
}
