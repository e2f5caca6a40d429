import ContainerRPC

extension ContainerScenario {
    /// Heartbeats, silence, and frontends that go and come.
    static let listening: [ContainerScenario] = [
        ContainerScenario(
            "heartbeats-idle", "Heartbeats come in time while there is nothing to do", rpc3: "8.2", rpc4: "8.3",
            stage: .own, isLong: true
        ) { play in
            let note = try playIdle(play)
            if play.version == .four { try playInterval(play) }
            return note
        },
        ContainerScenario(
            "heartbeats-busy", "Heartbeats come also while the model is at work, if the container says so",
            rpc4: "8.3", stage: .own
        ) { play in
            try playBusy(play)
        },
        ContainerScenario(
            "heartbeats-amid-messages", "Heartbeats come in time also while the frontend sends more often than that",
            rpc4: "8.3"
        ) { play in
            try playTalk(play)
            return nil
        },
        ContainerScenario(
            "silent-frontend", "A frontend that says nothing is given up, and another session opened", rpc3: "8.2",
            rpc4: "8.3", stage: .own, isLong: true
        ) { play in
            try playSilence(play)
            return nil
        },
        ContainerScenario(
            "frontend-restart", "A frontend that comes back on its port gets its container back", rpc3: "8.4",
            rpc4: "8.1", stage: .own, isLong: true
        ) { play in
            try playRestart(play, speaking: play.version)
            return nil
        },
        ContainerScenario(
            "welcome-times", "The times of a later welcome hold", rpc4: "8.3", stage: .own
        ) { play in
            play.timing.heartbeatInterval = .seconds(2)
            try play.askForMetadata()
            try play.awaitRegistration()
            var beats = 0
            try play.listen(for: .milliseconds(1_500)) { event in if case .heartbeat = event { beats += 1 } }
            // One may have been under way.
            guard beats <= 1 else {
                throw Fault(
                    expected: "no heartbeat for 2 s, as the later welcome says", but: "\(beats) came within 1.5 s")
            }
            play.timing.heartbeatInterval = .milliseconds(200)
            try play.askForMetadata()
            try play.awaitRegistration()
            _ = try play.awaitHeartbeat(within: .milliseconds(200) + play.bounds.tardiness)
            return nil
        },
    ]

    private static func playIdle(_ play: ContainerPlay) throws -> String? {
        // In RPC 3 the interval is 5 s, and must not exceed 10 s. Three seen beats are two intervals.
        let isThree = play.version == .three
        let interval = isThree ? Duration.seconds(10) : play.timing.heartbeatInterval
        let begin = MonotonicTime.now()
        let wanted = isThree ? 2 : 6
        for _ in 0..<wanted { _ = try play.awaitHeartbeat(within: interval + play.bounds.tardiness) }
        let least = (isThree ? Duration.seconds(5) : interval) * (wanted - 1) * 0.5
        let time = MonotonicTime.now() - begin
        // A machine that is busy makes one late; a container that is late by its own doing is so each time.
        let most = interval * wanted + play.bounds.tardiness
        guard time <= most else {
            throw Fault(
                expected: "\(wanted) heartbeats within \(most.text), one every \(interval.text)",
                but: "they took \(time.text)")
        }
        if time < least {
            return
                "\(wanted) heartbeats came within \(time.text), more often than every \((isThree ? .seconds(5) : interval).text)"
        }
        return nil
    }

    /// An interval that is always half as long again. A heartbeat may be late, because the machine has much to do; the next
    /// one is then due later, too. So of the spans of three intervals one at least is about as long as it should be.
    private static func playInterval(_ play: ContainerPlay) throws {
        let interval = Duration.seconds(1)
        play.timing.heartbeatInterval = interval
        try play.askForMetadata()
        try play.awaitRegistration()
        var beats: [MonotonicTime] = []
        var shortest = Duration.seconds(3_600)
        while beats.count < 10 {
            beats.append(try play.awaitHeartbeat(within: interval + play.bounds.tardiness))
            guard beats.count > 3 else { continue }
            shortest = min(shortest, beats[beats.count - 1] - beats[beats.count - 4])
            if shortest < interval * 3.75 { return }
        }
        throw Fault(
            expected: "a heartbeat every \(interval.text)",
            but: "of \(beats.count) no three came within less than \(shortest.text) after the one before them")
    }

    private static func playSilence(_ play: ContainerPlay) throws {
        // How late it is can be told only if a machine that has much to do is not as late.
        let isTold = play.version == .four && play.bounds.tardiness <= .seconds(3)
        let limit: Duration =
            play.version == .three ? .seconds(30) : isTold ? max(.seconds(2), play.bounds.tardiness * 2) : .seconds(1)
        if play.version == .four {
            play.timing.silenceLimit = limit
            try play.askForMetadata()
            try play.awaitRegistration()
        }
        var time = Duration.zero
        // Late once is a matter of the machine.
        for _ in 1...2 {
            play.answersHeartbeats = false
            defer { play.answersHeartbeats = true }
            play.frontend.remark("the frontend says nothing from now on")
            let begin = MonotonicTime.now()
            // A little early is no fault: the kit's clock begins when it has sent, not when the container has received.
            try play.openSession(within: limit + play.bounds.session, notBefore: begin + limit * 0.9)
            time = .now() - begin
            try play.servesStill()
            guard isTold, time > limit * 1.75 else { return }
        }
        throw Fault(
            expected: "another session when the frontend has said nothing for \(limit.text), as welcome says",
            but: "it came after \(time.text), and about as late the time before")
    }

    /// What counts is what the container has sent, not, as in RPC 3, what it has received.
    private static func playTalk(_ play: ContainerPlay) throws {
        let limit = play.timing.heartbeatInterval + play.bounds.tardiness
        for _ in 0..<4 {
            let deadline = MonotonicTime.now() + limit
            var hasBeaten = false
            while !hasBeaten {
                guard MonotonicTime.now() < deadline else {
                    throw Fault(
                        expected: "a heartbeat within \(limit.text), whatever the frontend sends meanwhile",
                        but: "none came: the interval begins when the container has sent something")
                }
                switch try play.nextWhileTalking() {
                case .heartbeat: hasBeaten = true
                case .opening:
                    throw Fault(expected: "the session to go on", but: "the container opened another")
                default: continue
                }
            }
        }
    }

    /// A model's time is not known: the batches grow until one takes long enough.
    private static func playBusy(_ play: ContainerPlay) throws -> String? {
        guard try play.registration().details.beatsWhileBusy else {
            throw Inapplicable("it does not state beats-while-busy: it may be silent while its model is at work")
        }
        play.timing.heartbeatInterval = .milliseconds(40)
        try play.askForMetadata()
        try play.awaitRegistration()
        let inputs = try play.inputs()
        let enough = Duration.milliseconds(500)
        // Of a large batch nobody knows where its time goes: to its reading, or to a machine that is busy itself.
        let tolerated = play.options.inputs.slow == nil ? play.bounds.tardiness : .zero
        for batch in try busyBatches(play, inputs) {
            for attempt in 1...3 {
                let (time, silence) = try busyTime(of: batch, play)
                guard time > enough else { break }
                if silence < max(enough, time * 0.7) { return nil }
                // A machine that is busy is not so each time.
                guard attempt == 3, silence > tolerated else { continue }
                throw Fault(
                    expected: "heartbeats every 40 ms while the model is at work, as beats-while-busy says",
                    but: "the container was silent for \(silence.text) of the \(time.text) that a batch took, "
                        + "and so it was twice before")
            }
        }
        throw Inapplicable(
            "its model is too fast: no batch took so long that it could be told. "
                + "Give an input that takes a second by --slow-input")
    }

    /// How long a batch took, and how long at a time the container was silent meanwhile.
    private static func busyTime(
        of batch: [[UInt8]], _ play: ContainerPlay
    ) throws -> (time: Duration, silence: Duration) {
        // What came while the batch was made is none of its heartbeats.
        try play.listen(for: .milliseconds(1))
        let id = try play.predict(batch)
        let begin = MonotonicTime.now()
        let limit = play.bounds.answer * 4
        var (heard, silence) = (begin, Duration.zero)
        while play.book.answer(to: id) == nil {
            guard MonotonicTime.now() < begin + limit else {
                throw Fault(expected: "an answer", but: "none came within \(limit.text)")
            }
            guard let event = try play.nextWhileTalking() else { continue }
            silence = max(silence, .now() - heard)
            heard = .now()
            if case .opening = event { throw Fault(expected: "an answer", but: "the container ended its session") }
        }
        return (heard - begin, silence)
    }

    /// Batches that take longer and longer, each made when it is wanted.
    private static func busyBatches(
        _ play: ContainerPlay, _ inputs: Inputs
    ) throws -> LazyMapSequence<[(count: Int, byteCount: Int)], [[UInt8]]> {
        var sizes = [(count: try play.batchSize(upTo: 5_000), byteCount: 0)]
        if play.options.inputs.restriction == nil, play.options.inputs.slow == nil {
            sizes += [(1, 4 << 20), (1, 32 << 20), (try play.batchSize(upTo: 8), 8 << 20)]
        }
        let slow = try play.options.inputs.slow.map { try Inputs.bytes(of: $0, inputs.type) }
        let distinct = try slow.map { [$0] } ?? inputs.distinct(sizes[0].count)
        return sizes.lazy.map { size in
            size.byteCount == 0
                ? distinct : [[UInt8]](repeating: inputs.large(byteCount: size.byteCount), count: size.count)
        }
    }

    /// Ends the frontend, starts it again on the same port, and sees the container come back.
    static func playRestart(_ play: ContainerPlay, speaking next: RPCVersion) throws {
        try play.servesStill()
        play.frontend.close()
        try play.stayDown(.milliseconds(300))
        try play.frontend.reopen()
        play.spoken = next
        // libzmq's socket connects again by itself, in RPC 4 under the same routing id.
        let peer = play.session?.peer
        play.endSession()
        let limit = Duration.seconds(10) + play.bounds.session
        let deadline = MonotonicTime.now() + limit
        while true {
            guard let received = try play.frontend.receive(until: deadline) else {
                throw Fault(
                    expected: "a heartbeat to the frontend that came back", but: "none came within \(limit.text)")
            }
            guard MessageNames.fromContainer(received.frames) == "heartbeat" else {
                // It does not know of the restart before it is told: what it sends until then is discarded.
                continue
            }
            play.remember(received.peer, isFormer: received.peer == peer)
            break
        }
        try play.openSession()
        try play.servesStill()
    }
}

extension ContainerPlay {
    /// Sends something that means nothing, and waits for a moment: the next event, if there is one.
    func nextWhileTalking() throws -> ContainerEvent? {
        try send(frames: [MalformedMessage.head(256)])
        return try next(until: .now() + .milliseconds(20))
    }

    /// Waits for the session's next heartbeat.
    func awaitHeartbeat(within limit: Duration) throws -> MonotonicTime {
        let deadline = MonotonicTime.now() + limit
        while true {
            switch try next(until: deadline) {
            case nil:
                throw Fault(expected: "a heartbeat within \(limit.text)", but: "none came: it is late")
            case .heartbeat(let time): return time
            case .opening:
                throw Fault(
                    expected: "the session to go on while its heartbeats are answered",
                    but: "the container opened another")
            default: continue
            }
        }
    }
}
