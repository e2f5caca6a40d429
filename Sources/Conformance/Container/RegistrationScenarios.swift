import ContainerRPC

extension ContainerScenario {
    /// How a container comes to be registered.
    static let registering: [ContainerScenario] = [
        ContainerScenario(
            "registration", "A heartbeat comes first; the metadata when it is asked for, and as it must be",
            rpc3: "8.2", rpc4: "8.1", stage: .unstarted
        ) { play in
            try play.start()
            play.remember(try play.awaitOpening(), isFormer: false)
            // What would come without having been asked for comes now. RPC 3 lets it come.
            if play.version == .four { try play.listen(for: .milliseconds(100)) }
            let registration = try play.openSession()
            if let frames = play.session?.frames, let fault = FieldTags.fault(in: frames) { throw fault }
            try play.servesStill()
            guard play.unaskedRegistrations == 0 else {
                throw Fault(
                    expected: "one register for each welcome",
                    but: "there \(play.unaskedRegistrations == 1 ? "was" : "were") "
                        + "\(play.unaskedRegistrations) more")
            }
            return metadataNote(registration, play.options)
        },
        ContainerScenario(
            "routing-ids", "Each session has a routing id of its own, and so each process, of 128 random bits",
            rpc4: "2",
            stage: .unstarted
        ) { play in
            try playRoutingIDs(play)
            return nil
        },
        ContainerScenario(
            "names", "The model is registered by the name and the version that the environment says, letter by letter",
            rpc3: "10", rpc4: "5", stage: .unstarted
        ) { play in
            try playNames(play)
            return nil
        },
        ContainerScenario(
            "predict-before-accepted", "A batch that comes before accepted is answered all the same", rpc4: "10",
            stage: .unstarted
        ) { play in
            try play.start()
            try play.openSession(accepts: false)
            let answer: BatchAnswer
            do {
                answer = try play.answer(to: try play.inputs().distinct(2))
            } catch let fault as Fault {
                throw Fault("to a batch that came before accepted: \(fault)")
            }
            try play.send(.accepted(replica: 0))
            try play.servesStill()
            guard case .failure(let failure) = answer else { return nil }
            return "it answered a batch that came before accepted with failure (\(failure.code))"
        },
        ContainerScenario(
            "first-heartbeat-again", "The first heartbeat is repeated until it is answered", rpc3: "8.2",
            rpc4: "8.1", stage: .unstarted, isLong: true
        ) { play in
            try play.start()
            let peer = try play.awaitOpening()
            let first = MonotonicTime.now()
            let limit = Duration.seconds(play.version == .three ? 10 : 5) + play.bounds.tardiness
            play.frontend.remark("the frontend does not answer it")
            while true {
                guard let received = try play.frontend.receive(until: first + limit) else {
                    throw Fault(
                        expected: "the first heartbeat again, 5 s after the one that was not answered",
                        but: "none came within \(limit.text)")
                }
                guard received.peer == peer else { continue }
                break
            }
            try play.checkRoutingID(peer)
            try play.askForMetadata(of: peer)
            try play.awaitRegistration(from: peer)
            return nil
        },
        ContainerScenario(
            "late-frontend", "A frontend that comes up after its container gets its heartbeat", rpc3: "8.2",
            rpc4: "8.1", stage: .unstarted, isLong: true
        ) { play in
            play.frontend.close()
            try play.start()
            try play.stayDown(.seconds(2))
            try play.frontend.reopen()
            try play.openSession()
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "metadata-again", "Asked for its metadata in a session, a container sends the same again",
            rpc3: "8.2", rpc4: "8.1"
        ) { play in
            try play.askForMetadata()
            try play.awaitRegistration()
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "metadata-twice", "Asked twice in a row, it answers, and goes on with the session", rpc3: "8.3",
            rpc4: "8.1"
        ) { play in
            try play.askForMetadata()
            try play.askForMetadata()
            try play.awaitRegistration()
            try play.awaitRegistration()
            try play.servesStill()
            return nil
        },
        ContainerScenario(
            "forgotten-batches", "Batches from before a request for metadata are not answered after it",
            rpc3: "8.5", rpc4: "8.1"
        ) { play in
            let inputs = try play.inputs()
            let most = try play.window(upTo: 6)
            for index in 0..<most {
                try play.predict(try inputs.distinct(try play.batchSize(upTo: 200), from: index * 200))
            }
            try play.askForMetadata()
            try play.awaitRegistration()
            // What the container sends before the answer to this one comes before it.
            try play.servesStill()
            return nil
        },
    ]

    private static func playRoutingIDs(_ play: ContainerPlay) throws {
        try play.start()
        var ids: [RoutingID] = []
        for _ in 0..<IDRandomness.fewestIDs + 2 {
            let peer = try play.awaitOpening()
            try play.checkRoutingID(peer)
            ids.append(peer)
            try play.askForMetadata(of: peer)
            try play.awaitRegistration(from: peer)
            play.registeredVersions.insert(play.spoken)
            // It is back at once.
            let refusal = Refusal(.tooMany, reason: "the kit collects routing ids", retryAfter: .milliseconds(1))
            try play.send(.refused(refusal), to: peer)
            play.formerPeers.insert(peer)
        }
        play.end()
        // Another socket knows nothing of the first process's connections, which may have the same ids.
        play.frontend.close()
        try play.frontend.reopen()
        play.formerPeers = []
        try play.start()
        let other = try play.awaitOpening(within: play.bounds.start)
        guard !ids.contains(other) else {
            throw Fault(
                expected: "another routing id for another process (rpc-3.md 5.2)", but: "both have chosen \(other)")
        }
        try play.checkRoutingID(other)
        if let fault = IDRandomness.fault(in: ids) { throw fault }
    }

    /// A container that has a name of its own has it whatever the environment says. One that goes by the environment
    /// keeps capitals, letters beyond ASCII, and the zeros of a version.
    private static func playNames(_ play: ContainerPlay) throws {
        let asked = [("Sum_é", "01.0-β"), ("sUM 2", "007")]
        var registered: [(String, String)] = []
        for (name, version) in asked {
            if play.process != nil {
                play.end()
                play.frontend.close()
                try play.frontend.reopen()
                play.endSession()
                play.formerPeers = []
            }
            try play.start(named: name, version: version)
            do {
                let registration = try play.openSession(within: play.bounds.start)
                registered.append((registration.modelName, registration.modelVersion))
            } catch let fault as Fault {
                guard play.process?.programEnd == .status(64) else { throw fault }
                throw Inapplicable("the program does not take the name '\(name)' and the version '\(version)'")
            }
        }
        try expectNames("CLIPPER_MODEL_NAME", asked.map(\.0), registered.map(\.0))
        try expectNames("CLIPPER_MODEL_VERSION", asked.map(\.1), registered.map(\.1))
    }

    private static func expectNames(_ variable: String, _ asked: [String], _ registered: [String]) throws {
        // Told two names it has registered one: that is its own.
        guard Set(registered).count > 1 else { return }
        for (asked, registered) in zip(asked, registered) where !asked.utf8.elementsEqual(registered.utf8) {
            throw Fault(expected: "'\(asked)', as \(variable) says", but: "it has registered '\(registered)'")
        }
    }

    /// What of the metadata is not as the environment says, which a container may override.
    private static func metadataNote(_ registration: Registration, _ options: ContainerRun.Options) -> String? {
        var notes: [String] = []
        if registration.modelName != options.modelName {
            notes.append(
                "it calls its model '\(registration.modelName)', not '\(options.modelName)' (CLIPPER_MODEL_NAME)")
        }
        if registration.modelVersion != options.modelVersion {
            notes.append(
                "its version is '\(registration.modelVersion)', not '\(options.modelVersion)' (CLIPPER_MODEL_VERSION)")
        }
        if let type = options.inputType, registration.inputType != type {
            notes.append("it takes \(registration.inputType), not \(type) (CLIPPER_INPUT_TYPE)")
        }
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }
}

extension ContainerPlay {
    /// Waits for the metadata of the session.
    func awaitRegistration() throws {
        let deadline = MonotonicTime.now() + bounds.answer
        while true {
            switch try next(until: deadline) {
            case nil:
                throw Fault(
                    expected: spoken == .four
                        ? "register, the answer to welcome" : "new container, the answer to request-metadata",
                    but: "it did not come within \(bounds.answer.text)")
            case .registration: return
            case .opening:
                throw Fault(expected: "the metadata in the same session", but: "the container opened another session")
            default: continue
            }
        }
    }

    /// How many batches may be unanswered at a time, if so many are wanted.
    func window(upTo wanted: Int) throws -> Int {
        min(wanted, try registration().details.batchesInFlight ?? wanted)
    }

    /// Lets time pass without a frontend; the container must live through it.
    func stayDown(_ duration: Duration) throws {
        let deadline = MonotonicTime.now() + duration
        while MonotonicTime.now() < deadline {
            _ = try waitForInput([], timeout: .milliseconds(50))
            if let end = process?.programEnd {
                throw Fault(expected: "the process to live without a frontend", but: "it has ended with \(end)")
            }
        }
    }
}
