import ContainerRPC

/// What a frontend sent to a played container.
struct FrontendFrames {
    let message: FrontendMessage
    let frames: [[UInt8]]
    let isVersion4: Bool
}

/// A batch that a played container has received.
struct ReceivedBatch {
    let id: UInt32
    let inputs: InputValues
    let budget: Duration?
    let trace: TraceContext?

    /// The inputs' bytes, each for itself.
    var items: [[UInt8]] { inputs.payloads.map(\.bytes) }
}

/// A container's socket, played: sends any frames, and records what passes. It is used by one thread.
final class PlayedContainer {
    /// What it is called in the transcript.
    let name: String
    /// The version that it registers in; one of RPC 4 offers that by its routing id.
    let version: RPCVersion
    private let play: FrontendPlay
    private var socket: DealerSocket?
    /// Batches that have come and were not asked for yet.
    private var waiting: [ReceivedBatch] = []
    /// The ids of batches that it has not answered.
    private(set) var unanswered: Set<UInt32> = []
    /// The most unanswered batches that it had at a time.
    private(set) var mostUnanswered = 0
    /// The largest batch that it got.
    private(set) var largestBatch = 0
    private var flood = Flood()
    /// What its registration said.
    private(set) var registration: Registration?
    /// The number by which *accepted* called it, if it did.
    private(set) var replica: UInt32?
    /// Whether the frontend has said goodbye in this session.
    private var hasGoodbye = false
    /// What the frontend said of times when it was last greeted.
    private(set) var welcome: Welcome?

    init(_ name: String, _ version: RPCVersion, in play: FrontendPlay, prefixed: Bool? = nil) throws {
        self.name = name
        self.version = version
        self.play = play
        socket = try DealerSocket(
            play.options.rpcEndpoint, offersVersion4: prefixed ?? (version == .four), in: play.context)
    }

    /// Closes its connection, as a container that ends does.
    func disconnect() {
        play.remark("\(name) closes its connection")
        socket = nil
    }

    // MARK: Sending

    func send(_ message: ContainerMessage, in spoken: RPCVersion? = nil) throws {
        var list = FrameList()
        switch spoken ?? version {
        case .three: RPC3.encode(message, into: &list)
        case .four: RPC4.encode(message, into: &list)
        }
        try send(frames: list.frames)
    }

    /// Sends any frames, once the connection stands.
    func send(frames: [[UInt8]], remark: String? = nil) throws {
        play.record(.toFrontend, name, MessageNames.fromContainer(frames) + (remark.map { " – \($0)" } ?? ""), frames)
        let deadline = MonotonicTime.now() + play.bounds.answer
        while try socket?.socket.send(frames: frames) != .sent {
            guard MonotonicTime.now() < deadline else {
                throw Fault(
                    expected: "a connection to \(play.options.rpcEndpoint)",
                    but: "there was none for \(play.bounds.answer.text)")
            }
            _ = try waitForInput([], timeout: .milliseconds(5))
        }
    }

    /// Answers a batch with one text for each input.
    func answer(_ batch: ReceivedBatch, _ texts: [String]) throws {
        try answer(batch, Outputs(texts))
    }

    /// Answers a batch with outputs of any type.
    func answer(_ batch: ReceivedBatch, _ outputs: Outputs) throws {
        unanswered.remove(batch.id)
        try send(.response(PredictResponse(id: batch.id, outputs: outputs)))
    }

    /// Fails a batch.
    func fail(_ batch: ReceivedBatch, _ code: FailureCode, _ reason: String) throws {
        unanswered.remove(batch.id)
        try send(.failure(BatchFailure(id: batch.id, code: code, reason: reason)))
    }

    // MARK: Receiving

    /// The next message; `nil` if none has come when the time is up.
    ///
    /// - Throws: `Fault` for what no frontend may send, and for messages without an end.
    func receive(until deadline: MonotonicTime) throws -> FrontendFrames? {
        guard let frames = try socket?.receive(until: deadline) else {
            flood.notePause()
            return nil
        }
        try flood.note(at: .now(), until: deadline, from: "the frontend")
        play.record(.toContainer, name, MessageNames.fromFrontend(frames), frames)
        let list = FrameList(frames)
        do {
            let isVersion4 = list.isVersion4 && socket?.offersVersion4 == true
            let message = try isVersion4 ? RPC4.decodeFrontendMessage(list) : RPC3.decodeFrontendMessage(list)
            try checkVersion(of: message, isVersion4: isVersion4)
            if isVersion4, let fault = FieldTags.fault(in: frames, from: "the frontend") { throw fault }
            switch message {
            case .request(let request): try note(request)
            case .welcome(let welcome):
                self.welcome = welcome
                hasGoodbye = false
            case .goodbye:
                guard !hasGoodbye else {
                    throw Fault(expected: "one goodbye in a session (rpc-4.md 8.5)", but: "a second one came")
                }
                hasGoodbye = true
            default: break
            }
            return FrontendFrames(message: message, frames: frames, isVersion4: isVersion4)
        } catch let error as WireError {
            if list.isVersion4, socket?.offersVersion4 == false {
                throw Fault(
                    expected: "messages of RPC 3 to a container that does not offer RPC 4",
                    but: "the frontend sent: \(MessageNames.fromFrontend(frames))")
            }
            throw Fault("the frontend sent a malformed message: \(error)")
        }
    }

    /// Once a container has registered, its session is in the version that it registered in.
    private func checkVersion(of message: FrontendMessage, isVersion4: Bool) throws {
        guard registration != nil, isVersion4 != (version == .four) else { return }
        switch message {
        case .request, .heartbeat(.keepAlive):
            throw Fault(
                expected: "messages of RPC \(version.rawValue) to a container that has registered in it",
                but: "the frontend sent one of RPC \(isVersion4 ? 4 : 3): \(MessageNames.name(of: message))")
        // A stranger is asked in the best version that it offers.
        case .heartbeat(.requestMetadata), .welcome, .accepted, .refused, .goodbye, .feedback, .notice: break
        }
    }

    private func note(_ request: PredictRequest) throws(WireError) {
        waiting.append(
            ReceivedBatch(id: request.id, inputs: request.inputs, budget: request.budget, trace: request.trace))
        unanswered.insert(request.id)
        mostUnanswered = max(mostUnanswered, unanswered.count)
        largestBatch = max(largestBatch, request.inputs.count)
    }

    /// Waits for a batch, which must be one that this container can take; heartbeats before it do not matter.
    func batch(within bound: Duration? = nil) throws -> ReceivedBatch {
        guard let batch = try batchIfAny(within: bound ?? play.bounds.answer) else {
            throw Fault(expected: "a batch for \(name)", but: "none came within \((bound ?? play.bounds.answer).text)")
        }
        return batch
    }

    /// Waits for a batch; `nil` if none comes in time.
    func batchIfAny(within bound: Duration) throws -> ReceivedBatch? {
        let deadline = MonotonicTime.now() + bound
        while waiting.isEmpty { guard try receive(until: deadline) != nil else { return nil } }
        let batch = waiting.removeFirst()
        guard batch.inputs.count > 0 else {
            throw Fault(expected: "no batch without inputs", but: "batch \(batch.id) has none")
        }
        if let registration, batch.inputs.type != registration.inputType {
            throw Fault(
                expected: "inputs of \(registration.inputType), as registered", but: "they are \(batch.inputs.type)")
        }
        if let most = registration?.details.largestBatch, batch.inputs.count > most {
            throw Fault(
                expected: "at most \(counted(most, "input")) in a batch, as registered",
                but: "there are \(batch.inputs.count)")
        }
        if let most = registration?.details.batchesInFlight, unanswered.count > most {
            throw Fault(
                expected: "at most \(counted(most, "unanswered batch")), as registered",
                but: "there are \(unanswered.count)")
        }
        return batch
    }

    /// Waits for the next message that is no batch.
    func message(_ expected: String, within bound: Duration? = nil) throws -> FrontendFrames {
        let limit = bound ?? play.bounds.answer
        if let received = try messageIfAny(within: limit) { return received }
        throw Fault(expected: "\(expected) for \(name)", but: "nothing came within \(limit.text)")
    }

    /// Waits for the next message that is no batch; `nil` if none comes in time.
    func messageIfAny(within bound: Duration) throws -> FrontendFrames? {
        let deadline = MonotonicTime.now() + bound
        while let received = try receive(until: deadline) {
            switch received.message {
            // Notices may come at any time.
            case .request, .notice: continue
            default: return received
            }
        }
        return nil
    }

    // MARK: Registering

    /// Sees that the number by which *accepted* called it is one that the frontend lists; it may have called it by none.
    func expectListed(_ numbers: [Int]) throws {
        guard let replica, !numbers.contains(Int(replica)) else { return }
        throw Fault(
            expected: "the number by which the frontend lists \(name) "
                + "(\(numbers.map { "\($0)" }.joined(separator: ", "))) in accepted",
            but: "it is \(replica)")
    }

    /// Sends a heartbeat and waits for its answer.
    func beat() throws -> FrontendFrames {
        try send(.heartbeat)
        return try message("an answer to a heartbeat")
    }

    /// Sends the first heartbeat, whose answer must ask for the metadata.
    ///
    /// - Throws: `FrontendSpeaksOnlyVersion4` where a peer that does not offer RPC 4 gets no answer, but one that does.
    func introduce() throws {
        try send(.heartbeat)
        let limit = play.bounds.answer
        guard let received = try messageIfAny(within: limit) else {
            if version == .three, (try? PlayedContainer("probe", .four, in: play).introduce()) != nil {
                throw FrontendSpeaksOnlyVersion4()
            }
            throw Fault(expected: "an answer to a heartbeat for \(name)", but: "nothing came within \(limit.text)")
        }
        switch received.message {
        case .heartbeat(.requestMetadata) where version == .three: return
        case .welcome(let welcome) where version == .four:
            guard welcome.silenceLimit >= welcome.heartbeatInterval * 2 else {
                throw Fault(
                    expected: "a silence limit of at least twice the heartbeat interval",
                    but: "they are \(welcome.silenceLimit.text) and \(welcome.heartbeatInterval.text)")
            }
        case .heartbeat(.requestMetadata): throw NotOffered()
        default:
            throw Fault(
                expected: version == .four ? "welcome" : "request-metadata",
                but: "the answer to the first heartbeat is: \(MessageNames.name(of: received.message))")
        }
    }

    /// Registers, and sees that it is taken.
    func register(_ registration: Registration) throws {
        try introduce()
        try send(registration)
        try confirm()
    }

    /// Sends the metadata.
    func send(_ registration: Registration) throws {
        var registration = registration
        registration.rpcVersion = version
        self.registration = registration
        try send(.newContainer(registration))
    }

    /// Sees that the registration is taken: by *accepted*, or by the answer to a heartbeat.
    ///
    /// - Parameter isFirst: whether it is the session's first, before which no batch may come.
    func confirm(isFirst: Bool = true) throws {
        if version == .four {
            let received = try message("accepted")
            guard case .accepted(let replica) = received.message else {
                throw Fault(expected: "accepted", but: "the frontend sent: \(MessageNames.name(of: received.message))")
            }
            guard !isFirst || waiting.isEmpty else {
                throw Fault(expected: "accepted before the first batch (rpc-4.md 8.1)", but: "a batch came before it")
            }
            self.replica = replica
        } else {
            try expectKnown()
        }
    }

    /// A heartbeat is answered as in a session that stands.
    func expectKnown() throws {
        let received = try beat()
        guard case .heartbeat(.keepAlive) = received.message else {
            throw Fault(
                expected: "keep-alive, the answer in a session that stands",
                but: "the answer to a heartbeat is: \(MessageNames.name(of: received.message))")
        }
    }

    /// The session has ended, or ends at once: a heartbeat is answered as to a stranger.
    func expectUnknown(after what: String) throws {
        let deadline = MonotonicTime.now() + play.bounds.answer
        while true {
            let received = try beat()
            switch received.message {
            case .heartbeat(.requestMetadata), .welcome: return
            default:
                guard MonotonicTime.now() < deadline else {
                    throw Fault(
                        expected: "the session to end after \(what)",
                        but: "the answer to a heartbeat is still: \(MessageNames.name(of: received.message))")
                }
                _ = try waitForInput([], timeout: .milliseconds(20))
            }
        }
    }
}
