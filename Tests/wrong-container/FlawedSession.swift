import ContainerRPC

/// One session of a container with a flaw.
final class FlawedSession {
    private let socket: Socket
    let flaw: Flaw
    let registration: Registration

    var version: RPCVersion?
    private var interval = Duration.seconds(5)
    private var limit = Duration.seconds(30)
    private var heard = MonotonicTime.now()
    private var sent = MonotonicTime.now()
    private var hasSpoken = false
    private var leaving: MonotonicTime?
    private var pending: [PredictRequest] = []
    var answered = 0
    private var registered = 0
    private var isAccepted = false
    private let leftBefore: [PredictRequest]
    /// Whether it ended because of a malformed message.
    private(set) var wasMalformed = false

    /// Since when it has kept batches back, and how often it had registered by then.
    private var held: (since: MonotonicTime, registered: Int)?

    private let isFirst: Bool
    /// How many batches wait behind the one that is answered.
    private(set) var waiting = 0
    /// When it ends because of a malformed message, where it does not at once.
    private var dying: MonotonicTime?

    /// - Parameter isFirst: whether the container has had no session before.
    /// - Parameter left: what the sessions before it have left unanswered.
    init(
        _ socket: consuming Socket, _ flaw: Flaw, _ registration: Registration, isFirst: Bool, left: [PredictRequest]
    ) {
        self.isFirst = isFirst
        leftBefore = left
        self.socket = socket
        self.flaw = flaw
        self.registration = registration
    }

    /// What it leaves to the next session, which is nothing unless that is its flaw.
    var left: [PredictRequest] { flaw == .answersInNextSession ? pending : [] }

    func linger() throws {
        try socket.setLinger(.seconds(3))
    }

    /// Serves until the session or the process is to end.
    func serve(_ isToldToStop: () -> Bool) throws -> FlawedContainer.End {
        var message = socket.makeMessage()
        var wasIdle = true
        while true {
            if isToldToStop(), leaving == nil, wasIdle || flaw != .lateGoodbye {
                if let end = try stop() { return end }
            }
            if let leaving, MonotonicTime.now() >= leaving, flaw != .waitsForGoodbye { return .process(status: 0) }
            try beat()
            var isIdle = true
            defer { wasIdle = isIdle }
            while try socket.receive(into: &message) {
                isIdle = false
                heard = .now()
                if let end = try take(message.copiedFrames) { return end }
            }
            if keepsBack, !pending.isEmpty {
                // It is asked for its metadata meanwhile, or not.
                let (since, count) = held ?? (.now(), registered)
                held = (since, count)
                if registered == count, MonotonicTime.now() - since < .seconds(1) {
                    _ = try waitForInput([try socket.descriptor()], timeout: .milliseconds(10))
                    continue
                }
                held = nil
            }
            if flaw == .floods, registered > 0 {
                pending = []
                for _ in 0..<100 { _ = try send(.heartbeat, in: .four) }
                continue
            }
            for (index, request) in pending.enumerated() {
                waiting = pending.count - 1 - index
                if let end = try answer(request) { return end }
                heard = .now()
                // Told to stop it says so at once, and then goes on.
                if isToldToStop(), leaving == nil, version == .four, flaw != .lateGoodbye, flaw != .noGoodbye {
                    pending.removeFirst(index + 1)
                    if let end = try stop() { return end }
                    break
                }
                if index == pending.count - 1 { pending = [] }
            }
            if let dying, MonotonicTime.now() >= dying { return .session(pause: .milliseconds(100)) }
            guard isIdle else { continue }
            let patience =
                flaw == .patientForEver ? Duration.seconds(3_600) : limit * (flaw == .doublePatience ? 2 : 1)
            if MonotonicTime.now() - heard >= patience { return .session(pause: .zero) }
            _ = try waitForInput([try socket.descriptor()], timeout: .milliseconds(10))
        }
    }

    /// Whether it waits with its answers for what makes them wrong.
    private var keepsBack: Bool {
        switch flaw {
        case .answersForgotten: true
        case .answersInNextSession: leftBefore.isEmpty
        case .dropsAtGoodbye: leaving != nil
        default: false
        }
    }

    // MARK: Speaking

    private func beat() throws {
        let slowness: Double =
            switch flaw {
            case _ where version == nil: 1
            case .beatsLate: 20
            case .beatsSlowly: 4
            case .beatsRarely: 1.5
            default: 1
            }
        let pause = interval * slowness
        let last = flaw == .beatsByReceipt ? max(sent, heard) : sent
        guard !hasSpoken || MonotonicTime.now() - last >= pause else { return }
        if leaving != nil, flaw == .silentWhileLeaving { return }
        if hasSpoken, flaw == .beatsOnceUntilAnswered, version == nil { return }
        if !hasSpoken, flaw == .registersUnasked {
            if try send(.newContainer(registration), in: .three) == .sent { hasSpoken = true }
            return
        }
        let isFirstBeat = !hasSpoken
        if try send(.heartbeat, in: version ?? .three) == .sent { hasSpoken = true }
        if isFirstBeat, hasSpoken, flaw == .registersEarly {
            var early = registration
            early.rpcVersion = .four
            _ = try send(.newContainer(early), in: .four)
        }
    }

    func send(_ message: ContainerMessage, in version: RPCVersion) throws -> SendOutcome {
        var list = FrameList()
        switch version {
        case .three: RPC3.encode(message, into: &list)
        case .four: RPC4.encode(message, into: &list)
        }
        return try send(frames: list.frames)
    }

    func send(frames: [[UInt8]]) throws -> SendOutcome {
        let outcome = try socket.send(frames: frames)
        if outcome == .sent { sent = .now() }
        return outcome
    }

    private func stop() throws -> FlawedContainer.End? {
        if version == nil, flaw == .waitsUnwelcomed {
            leaving = .now() + .seconds(5)
            return nil
        }
        if version == nil, flaw == .lingersAlone {
            // A linger would hold it so long, for a heartbeat that nobody takes.
            _ = try waitForInput([], timeout: .seconds(5))
            return .process(status: 0)
        }
        guard version == .four else { return .process(status: flaw == .exitStatus ? 3 : 0) }
        if flaw == .noGoodbye { return .process(status: 0) }
        for _ in 0..<(flaw == .saysGoodbyeTwice ? 2 : 1) {
            _ = try send(.goodbye(Goodbye(.stopping, reason: "SIGTERM")), in: .four)
        }
        if flaw == .dropsAtStop { return .process(status: 0) }
        leaving = .now() + .seconds(5)
        return nil
    }

    // MARK: Listening

    private func take(_ message: [[UInt8]]) throws -> FlawedContainer.End? {
        let frames = flaw.mended(message)
        let list = FrameList(frames)
        // The field that the kit adds: number 30000, 3 bytes.
        if flaw == .refusesOptionalFields, frames[0].suffix(7).elementsEqual([0x30, 0x75, 3, 0, 1, 2, 3]) {
            return .session(pause: .milliseconds(100))
        }
        do throws(WireError) {
            if list.isVersion4 {
                // An id in a message that is neither predict nor feedback.
                if flaw == .looksAtID, frames[0].count >= 12, frames[0][4] != 5, frames[0][4] != 6, frames[0][8] != 0 {
                    return .session(pause: .milliseconds(100))
                }
                return try heed(.four, try RPC4.decodeFrontendMessage(list))
            }
            if flaw == .speaksOnlyFour || (flaw == .speaksThreeOnce && !isFirst) {
                return .session(pause: .milliseconds(100))
            }
            return try heed(.three, try RPC3.decodeFrontendMessage(list))
        } catch {
            return try malformed(error, frames)
        }
    }

    private func malformed(_ error: WireError, _ frames: [[UInt8]]) throws -> FlawedContainer.End? {
        wasMalformed = true
        switch flaw {
        case .ignoresMalformed: return nil
        case .answersBehindMalformed:
            dying = .now() + .milliseconds(300)
            return nil
        case .ignoresInvalidUTF8 where error.kind == .invalidUTF8: return nil
        case .ignoresVersion where error.kind == .unsupportedVersion: return nil
        case .takesUnknownFields where error.kind == .unknownField:
            // The batch without its last field, which is the unknown one.
            return try take([Array(frames[0].dropLast(7))] + frames.dropFirst())
        case .answersMalformed:
            let id = frames[0].isEmpty ? frames.count > 3 ? frames[3] : [] : Array(frames[0].dropFirst(8).prefix(4))
            let number = id.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            _ = try send(
                .response(PredictResponse(id: number, outputs: ["0", "0"])), in: frames[0].isEmpty ? .three : .four)
            return .session(pause: .milliseconds(100))
        default:
            return .session(pause: flaw == .hastyReconnects ? .zero : .milliseconds(100))
        }
    }

    private func heed(_ spoken: RPCVersion, _ message: FrontendMessage) throws(WireError) -> FlawedContainer.End? {
        do {
            return try act(spoken, message)
        } catch let error as WireError {
            throw error
        } catch {
            return .process(status: 70)
        }
    }

    private func act(_ spoken: RPCVersion, _ message: FrontendMessage) throws -> FlawedContainer.End? {
        switch message {
        case .heartbeat(.keepAlive): break
        case .accepted: isAccepted = true
        case .heartbeat(.requestMetadata) where leaving != nil && flaw != .registersWhileLeaving:
            return .process(status: 0)
        case .heartbeat(.requestMetadata):
            version = .three
            if flaw != .keepsWelcomeTimes { (interval, limit) = (.seconds(5), .seconds(30)) }
            try register()
        case .welcome where leaving != nil && flaw != .registersWhileLeaving:
            return .process(status: 0)
        case .welcome(let welcome):
            version = .four
            (interval, limit) = (welcome.heartbeatInterval, welcome.silenceLimit)
            if flaw != .ignoresWelcome { try register() }
        case .notice:
            if flaw == .refusesNotices { return .session(pause: .milliseconds(100)) }
        case .refused where isAccepted && flaw == .ignoresLateRefusal: break
        case .refused(let refusal):
            return .session(pause: flaw == .hastyReturn ? .zero : refusal.retryAfter ?? .seconds(5))
        case .goodbye(let goodbye):
            if leaving != nil {
                if flaw == .dropsAtGoodbye { return .process(status: 0) }
                for request in pending { if let end = try answer(request) { return end } }
                return .process(status: flaw == .exitStatus ? 3 : 0)
            }
            if goodbye.code == .drained, flaw == .ignoresDrained { return nil }
            if goodbye.code == .drained, flaw != .returnsWhenDrained {
                return .process(status: flaw == .diesWhenDrained ? 3 : 0)
            }
            if flaw == .endsAtUnknownGoodbye, goodbye.code.rawValue > 3 { return .process(status: 0) }
            if flaw == .answersGoodbye { _ = try send(.goodbye(Goodbye(goodbye.code)), in: .four) }
            return .session(pause: flaw == .hastyAfterGoodbye ? .zero : .milliseconds(100))
        case .feedback(let feedback):
            if flaw == .answersFeedback {
                _ = try send(.response(PredictResponse(id: feedback.id, outputs: [])), in: .four)
            }
        case .request(let request):
            if request.kind == .feedback {
                if flaw == .answersFeedback {
                    _ = try send(.response(PredictResponse(id: request.id, outputs: ["ACK"])), in: .three)
                }
            } else if flaw != .waitsForAccepted || isAccepted || spoken == .three {
                pending.append(request)
            }
        }
        return nil
    }

    private func register() throws {
        registered += 1
        if flaw == .registersOnce, registered > 1 { return }
        if flaw != .answersForgotten { pending = [] }
        if flaw == .answersInNextSession, registered == 1 { pending = leftBefore }
        var registration = registration
        if flaw == .otherMetadata, registered > 1 { registration.modelVersion += "b" }
        let spoken = flaw == .speaksFourToThree ? .four : version ?? .three
        registration.rpcVersion = spoken
        var list = FrameList()
        switch spoken {
        case .three: RPC3.encode(.newContainer(registration), into: &list)
        case .four: RPC4.encode(.newContainer(registration), into: &list)
        }
        for _ in 0..<(flaw == .registersTwice ? 2 : 1) {
            _ = try send(frames: flaw.registration(list.frames, in: spoken))
        }
    }
}
