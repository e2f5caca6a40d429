import ContainerRPC

extension ContainerScenario {
    /// Refusals, and goodbyes of the frontend.
    static let parting: [ContainerScenario] = [
        ContainerScenario(
            "refused", "A refused container comes back, but not before retry-after", rpc4: "8.1", stage: .unstarted
        ) { play in
            try playRefusal(play, retryAfter: .milliseconds(1_500))
            return nil
        },
        ContainerScenario(
            "refused-without-time", "A container that is refused without retry-after comes back after 5 s", rpc4: "8.1",
            stage: .unstarted, isLong: true
        ) { play in
            try playRefusal(play, retryAfter: nil)
            return nil
        },
        ContainerScenario(
            "refused-unprompted", "Refused in a session that was accepted, the container comes back after retry-after",
            rpc4: "8.1"
        ) { play in
            let pause = Duration.milliseconds(500)
            let begin = MonotonicTime.now()
            let reason = "the model was registered only now, with another input type"
            try play.send(.refused(Refusal(.inputTypeMismatch, reason: reason, retryAfter: pause)))
            try play.servesAgain(
                after: "refused in a session that was accepted", notBefore: begin + pause * 0.9,
                within: pause + play.bounds.session)
            return nil
        },
        ContainerScenario(
            "goodbye-from-frontend",
            "After a frontend's goodbye, which it does not answer, the container opens another session", rpc4: "8.5"
        ) { play in
            try play.send(.goodbye(Goodbye(.restarting, reason: "the kit restarts")))
            try play.servesAgain()
            return nil
        },
        ContainerScenario(
            "goodbye-unknown-code", "A goodbye with an unknown code is one like any other", rpc4: "7.3"
        ) { play in
            try play.send(.goodbye(Goodbye(GoodbyeCode(rawValue: 4_711), reason: "nobody knows this code")))
            try play.servesAgain(after: "a goodbye with the code 4711, which is to be taken for 1")
            return nil
        },
        ContainerScenario(
            "drained", "After a goodbye with the code drained the container ends with 0, or registers no more",
            rpc4: "8.5", stage: .own
        ) { play in
            try playDrained(play)
        },
    ]

    private static func playRefusal(_ play: ContainerPlay, retryAfter: Duration?) throws {
        try play.start()
        let peer = try play.awaitOpening()
        try play.checkRoutingID(peer)
        try play.askForMetadata(of: peer)
        try play.awaitRegistration(from: peer)
        let pause = retryAfter ?? .seconds(5)
        let begin = MonotonicTime.now()
        try play.send(
            .refused(Refusal(.tooMany, reason: "the kit refuses the first registration", retryAfter: retryAfter)),
            to: peer)
        // A heartbeat may have been under way.
        play.formerPeers.insert(peer)
        try play.servesAgain(notBefore: begin + pause * 0.9, within: pause + play.bounds.session)
    }

    private static func playDrained(_ play: ContainerPlay) throws -> String? {
        try play.servesStill()
        play.mayEnd = true
        try play.send(.goodbye(Goodbye(.drained, reason: "the kit has drained this replica")))
        var beats = 0
        try play.listen(for: .seconds(3)) { event in
            switch event {
            case .opening: throw Fault(expected: "no other session of a drained container", but: "it opened one")
            case .heartbeat: beats += 1
            default: break
            }
        }
        switch play.process?.programEnd {
        case .status(0): return nil
        case .some(let end): throw Fault(expected: "exit status 0 of a drained container", but: "it ended with \(end)")
        case nil:
            // One comes every 200 ms, and some may have been under way.
            guard beats < 8 else {
                throw Fault(
                    expected: "the session of a drained container to end", but: "its heartbeats go on after 3 s")
            }
            return "its process lives on, without a session"
        }
    }
}
