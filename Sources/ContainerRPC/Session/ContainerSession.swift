/// A container's side of its sessions, one after the other: events and a time go in, one action comes out.
///
/// It does no I/O and reads no clock. Each session has a socket of its own; what belonged to an earlier session is told
/// by its number.
public struct ContainerSession: Sendable {
    /// What is to be done after an event.
    public enum Action: Hashable, Sendable {
        /// Nothing.
        case none
        /// Open a socket and connect it; where RPC 4 is offered, under a routing id that says so.
        case open
        /// Send this by the socket that is open, in the session's version.
        case send(ContainerMessage)
        /// Let the model answer this batch, after those before it.
        case run(PredictRequest)
        /// Close the socket; batches that were read and not begun are void. `tick` opens the next session.
        case close(CloseReason)
        /// Send this, close the socket when it has left, and end.
        case finish(last: ContainerMessage?)
    }

    /// What became of a batch.
    public enum BatchResult: Hashable, Sendable {
        /// The model has answered: an output, or an error, for each input.
        case success(Outputs)
        /// The whole batch failed, or was not computed; the reason is for a person.
        case failure(code: FailureCode = .modelError, reason: String? = nil)
    }

    private enum State {
        /// No socket; the next one is due.
        case waiting(until: MonotonicTime)
        /// The socket is open; nobody has answered at the other end.
        case connecting(since: MonotonicTime)
        /// Messages can flow.
        case open(lastReceived: MonotonicTime, lastBeat: MonotonicTime)
        /// Told to stop, and the frontend told (RPC 4): until it says that no more batches come, they are answered.
        case leaving(until: MonotonicTime, lastReceived: MonotonicTime, lastBeat: MonotonicTime)
        /// No more is read; what was read is answered first.
        case stopping(lastBeat: MonotonicTime)
        case ended
    }

    private let registration: Registration
    /// The best version that the container offers.
    public let offered: RPCVersion
    /// The version that the frontend spoke last, as far as is known: it is answered in that.
    public private(set) var version = RPCVersion.three
    private let ownTiming: SessionTiming
    /// As the frontend states it, or the container's own.
    private var timing: SessionTiming
    private var state: State
    private var pause = ReconnectPause()
    /// The batches that were read and are not answered, oldest first.
    private var unanswered: [UInt32] = []
    /// The number of the current session, as the batches see it; results of an earlier one are void.
    public private(set) var number = 0

    /// A container that has no session yet; `tick` opens the first.
    ///
    /// - Parameter registration: its RPC version is the best that the container offers.
    public init(_ registration: Registration, now: MonotonicTime, timing: SessionTiming = .standard) {
        self.registration = registration
        offered = registration.rpcVersion
        ownTiming = timing
        self.timing = timing
        state = .waiting(until: now)
    }

    /// Whether messages are to be read from the socket.
    public var isReading: Bool {
        switch state {
        case .connecting, .open, .leaving: true
        case .waiting, .stopping, .ended: false
        }
    }

    /// Whether the socket is open, and nobody has answered at the other end.
    package var isConnecting: Bool {
        if case .connecting = state { true } else { false }
    }

    /// When `tick` has something to do.
    public var deadline: MonotonicTime? {
        switch state {
        case .waiting(let until): until
        case .open(let lastReceived, let lastBeat):
            min(nextBeat(lastReceived, lastBeat), lastReceived + timing.silenceLimit)
        case .leaving(let until, let lastReceived, let lastBeat):
            min(until, nextBeat(lastReceived, lastBeat))
        case .connecting(let since): since + timing.silenceLimit
        // Its last batches may take long, and only RPC 3 expects silence meanwhile.
        case .stopping(let lastBeat): version == .four ? lastBeat + timing.heartbeatInterval : nil
        case .ended: nil
        }
    }

    /// RPC 3 beats when nothing was received for an interval, RPC 4 when nothing was sent.
    private func nextBeat(_ lastReceived: MonotonicTime, _ lastBeat: MonotonicTime) -> MonotonicTime {
        (version == .four ? lastBeat : max(lastReceived, lastBeat)) + timing.heartbeatInterval
    }

    /// The socket's connection stands.
    public mutating func connected(now: MonotonicTime) -> Action {
        guard case .connecting = state else { return .none }
        state = .open(lastReceived: now, lastBeat: now)
        return .send(.heartbeat)
    }

    /// The socket's connection is gone.
    public mutating func disconnected(now: MonotonicTime) -> Action {
        switch state {
        case .connecting, .open:
            return close(pause.isAnswered ? .disconnected : .unanswered, now: now)
        case .stopping, .leaving:
            // Nobody can be answered any more.
            state = .ended
            return .finish(last: nil)
        case .waiting, .ended:
            return .none
        }
    }

    /// A message has come.
    ///
    /// - Parameter version: the one that the message is in; `nil` leaves it to what only one version can say.
    public mutating func receive(
        _ message: FrontendMessage, in version: RPCVersion? = nil, now: MonotonicTime
    ) -> Action {
        if isReading { pause.noteAnswer(now: now) }
        switch state {
        case .open(_, let lastBeat):
            follow(version)
            state = .open(lastReceived: now, lastBeat: lastBeat)
            return takeUp(message, now: now)
        case .leaving(let until, _, let lastBeat):
            follow(version)
            state = .leaving(until: until, lastReceived: now, lastBeat: lastBeat)
            switch message {
            case .request: return takeUp(message, now: now)
            // All that came before it has been read.
            case .goodbye: return finishAnswering(now: now)
            case .refused, .welcome, .heartbeat(.requestMetadata):
                // A frontend that asks for a registration, or refuses one, has forgotten the session, and its batches.
                unanswered.removeAll()
                return finishAnswering(now: now)
            case .heartbeat, .accepted, .feedback, .notice: return .none
            }
        case .connecting, .waiting, .stopping, .ended:
            return .none
        }
    }

    /// The frontend is answered in the version of its last message; the times of a welcome end with version 4.
    private mutating func follow(_ version: RPCVersion?) {
        guard let version, version != self.version else { return }
        self.version = version
        timing = ownTiming
    }

    private mutating func takeUp(_ message: FrontendMessage, now: MonotonicTime) -> Action {
        switch message {
        case .heartbeat(.keepAlive), .accepted, .feedback, .notice:
            return .none
        case .heartbeat(.requestMetadata):
            return register(as: .three, ownTiming, now: now)
        case .welcome(let welcome):
            var stated = ownTiming
            stated.heartbeatInterval = welcome.heartbeatInterval
            stated.silenceLimit = welcome.silenceLimit
            return register(as: .four, stated, now: now)
        case .request(let request):
            // RPC 3 asks for no answer to feedback, and its frontend waits for none.
            guard request.kind == .predict else { return .none }
            if version == .four, let refusal = refusal(of: request) { return send(.failure(refusal), now: now) }
            unanswered.append(request.id)
            return .run(request)
        case .refused(let refusal):
            return close(.refused(refusal), now: now)
        case .goodbye(let goodbye):
            return goodbye.code == .drained ? finishAnswering(now: now) : close(.goodbye(goodbye), now: now)
        }
    }

    /// The frontend knows nothing of this session, nor of the batches that it sent before: it may use their ids for
    /// others.
    private mutating func register(as version: RPCVersion, _ timing: SessionTiming, now: MonotonicTime) -> Action {
        if !unanswered.isEmpty {
            unanswered.removeAll()
            number += 1
        }
        self.version = version
        self.timing = timing
        var registration = registration
        registration.rpcVersion = version
        if version == .three { registration.details = RegistrationDetails() }
        return send(.newContainer(registration), now: now)
    }

    /// Why the model is not to be bothered with a batch.
    private func refusal(of request: PredictRequest) -> BatchFailure? {
        guard request.inputs.type == registration.inputType else {
            return BatchFailure(
                id: request.id, code: .invalidInput,
                reason: "\(request.inputs.type) for a model that takes \(registration.inputType)")
        }
        if let largest = registration.details.largestBatch, request.inputs.count > largest {
            return BatchFailure(
                id: request.id, code: .tooLarge, reason: "\(request.inputs.count) inputs, at most \(largest) are taken")
        }
        if let most = registration.details.batchesInFlight, unanswered.count >= most {
            return BatchFailure(
                id: request.id, code: .unavailable,
                reason: "\(unanswered.count) batches are unanswered, at most \(most) are taken")
        }
        return nil
    }

    private mutating func send(_ message: ContainerMessage, now: MonotonicTime) -> Action {
        switch state {
        case .open(let lastReceived, _): state = .open(lastReceived: lastReceived, lastBeat: now)
        case .leaving(let until, let lastReceived, _):
            state = .leaving(until: until, lastReceived: lastReceived, lastBeat: now)
        case .stopping: state = .stopping(lastBeat: now)
        case .waiting, .connecting, .ended: break
        }
        return .send(message)
    }

    /// A message has come that could not be decoded.
    public mutating func receive(malformed error: WireError, now: MonotonicTime) -> Action {
        switch state {
        case .open: return close(.malformed(error), now: now)
        case .leaving: return finishAnswering(now: now)
        case .connecting, .waiting, .stopping, .ended: return .none
        }
    }

    /// The model has done with a batch of the given session.
    ///
    /// - Parameter computeTime: what it took, without the batch's wait.
    public mutating func finished(
        batch id: UInt32, ofSession session: Int, _ result: BatchResult, computeTime: Duration? = nil,
        now: MonotonicTime
    ) -> Action {
        guard session == number, let index = unanswered.firstIndex(of: id) else { return .none }
        unanswered.remove(at: index)
        let answer = answer(to: id, result, computeTime)
        switch state {
        case .stopping:
            if let answer, !unanswered.isEmpty { return send(answer, now: now) }
            state = .ended
            return .finish(last: answer)
        case .leaving where answer == nil:
            // The frontend speaks RPC 3 by now, and only the end of the session tells it.
            state = .ended
            return .finish(last: nil)
        case .open, .leaving:
            guard let answer else { return close(.batchFailed, now: now) }
            pause.noteAnsweredBatch()
            return send(answer, now: now)
        case .connecting, .waiting, .ended:
            return .none
        }
    }

    /// What RPC 3 cannot say is `nil`: that a batch failed, or one input of it.
    private func answer(to id: UInt32, _ result: BatchResult, _ computeTime: Duration?) -> ContainerMessage? {
        switch result {
        case .success(let outputs):
            if version == .three, !outputs.errors.isEmpty { return nil }
            return .response(
                PredictResponse(id: id, outputs: outputs, computeTime: version == .four ? computeTime : nil))
        case .failure(let code, let reason):
            return version == .four ? .failure(BatchFailure(id: id, code: code, reason: reason)) : nil
        }
    }

    /// The container is to end. What was read is answered first, and a frontend of RPC 4 is told, so that it has
    /// nothing under way that would be lost. A second time ends it at once.
    public mutating func stop(_ goodbye: Goodbye = Goodbye(.stopping), now: MonotonicTime) -> Action {
        switch state {
        case .open(let lastReceived, _) where version == .four:
            state = .leaving(until: now + SessionTiming.patience, lastReceived: lastReceived, lastBeat: now)
            return .send(.goodbye(goodbye))
        case .open(_, let lastBeat) where !unanswered.isEmpty:
            state = .stopping(lastBeat: lastBeat)
            return .none
        case .ended:
            return .none
        case .waiting, .connecting, .open, .leaving, .stopping:
            state = .ended
            return .finish(last: nil)
        }
    }

    /// Nothing more is read; what was read is answered, and then the container ends.
    private mutating func finishAnswering(now: MonotonicTime) -> Action {
        guard unanswered.isEmpty else {
            state = .stopping(lastBeat: now)
            return .none
        }
        state = .ended
        return .finish(last: nil)
    }

    /// Time has passed.
    public mutating func tick(now: MonotonicTime) -> Action {
        guard let deadline, now >= deadline else { return .none }
        switch state {
        case .waiting:
            state = .connecting(since: now)
            return .open
        case .connecting:
            // Something may accept connections there that is no frontend.
            return close(.unanswered, now: now)
        case .open(let lastReceived, _):
            guard now < lastReceived + timing.silenceLimit else {
                return close(pause.isAnswered ? .silent : .unanswered, now: now)
            }
            state = .open(lastReceived: lastReceived, lastBeat: now)
            return .send(.heartbeat)
        case .leaving(let until, _, _):
            return now >= until ? finishAnswering(now: now) : send(.heartbeat, now: now)
        case .stopping:
            return send(.heartbeat, now: now)
        case .ended:
            return .none
        }
    }

    private mutating func close(_ reason: CloseReason, now: MonotonicTime) -> Action {
        unanswered.removeAll()
        number += 1
        version = .three
        timing = ownTiming
        state = .waiting(until: now + pause.end(of: reason, timing: timing, now: now))
        return .close(reason)
    }
}
