/// A container's side of its sessions, one after the other: events and a time go in, one action comes out.
///
/// It does no I/O and reads no clock. Each session has a socket of its own; what belonged to an earlier session is told
/// by its number.
public struct ContainerSession: Sendable {
    /// What is to be done after an event.
    public enum Action: Hashable, Sendable {
        case none
        /// Open a socket and connect it.
        case open
        /// Send this by the socket that is open.
        case send(ContainerMessage)
        /// Let the model answer this batch, after those before it.
        case run(PredictRequest)
        /// Close the socket; batches that were read and not begun are void. `tick` opens the next session.
        case close(CloseReason)
        /// Send this, close the socket when it has left, and end.
        case finish(last: ContainerMessage?)
    }

    /// Why a session is over.
    public enum CloseReason: Hashable, Sendable {
        /// Nothing came for the silence limit.
        case silent
        /// The connection is gone.
        case disconnected
        /// A message could not be decoded; a frontend of another version is told so.
        case malformed(WireError)
        /// A batch failed. RPC 3 has no message for it: the end of the session tells the frontend.
        case batchFailed
    }

    /// What became of a batch.
    public enum BatchResult: Hashable, Sendable {
        case success(Outputs)
        case failure
    }

    private enum State {
        /// No socket; the next one is due.
        case waiting(until: MonotonicTime)
        /// The socket is open; nobody has answered at the other end.
        case connecting(since: MonotonicTime)
        /// Messages can flow.
        case open(lastReceived: MonotonicTime, lastBeat: MonotonicTime)
        /// No more is read; what was read is answered first.
        case stopping
        case ended
    }

    private let registration: Registration
    private let timing: SessionTiming
    private var state: State
    private var failures = 0
    /// The batches that were read and are not answered, oldest first.
    private var unanswered: [UInt32] = []
    /// The number of the current session, as the batches see it; results of an earlier one are void.
    public private(set) var number = 0

    /// A container that has no session yet; `tick` opens the first.
    public init(_ registration: Registration, now: MonotonicTime, timing: SessionTiming = .standard) {
        self.registration = registration
        self.timing = timing
        state = .waiting(until: now)
    }

    /// Whether messages are to be read from the socket.
    public var isReading: Bool {
        switch state {
        case .connecting, .open: true
        case .waiting, .stopping, .ended: false
        }
    }

    /// When `tick` has something to do.
    public var deadline: MonotonicTime? {
        switch state {
        case .waiting(let until): until
        case .open(let lastReceived, let lastBeat):
            min(max(lastReceived, lastBeat) + timing.heartbeatInterval, lastReceived + timing.silenceLimit)
        case .connecting(let since): since + timing.silenceLimit
        case .stopping, .ended: nil
        }
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
            return close(.disconnected, now: now)
        case .stopping:
            // Nobody can be answered any more.
            state = .ended
            return .finish(last: nil)
        case .waiting, .ended:
            return .none
        }
    }

    /// A message has come.
    public mutating func receive(_ message: FrontendMessage, now: MonotonicTime) -> Action {
        guard case .open(_, let lastBeat) = state else { return .none }
        state = .open(lastReceived: now, lastBeat: lastBeat)
        switch message {
        case .heartbeat(.keepAlive):
            return .none
        case .heartbeat(.requestMetadata):
            // The frontend knows nothing of this session, nor of the batches that it sent before: it may use their
            // ids for others.
            if !unanswered.isEmpty {
                unanswered.removeAll()
                number += 1
            }
            return .send(.newContainer(registration))
        case .request(let request):
            switch request.kind {
            case .predict:
                unanswered.append(request.id)
                return .run(request)
            case .feedback:
                // RPC 3 asks for no answer, and its frontend waits for none.
                return .none
            }
        }
    }

    /// A message has come that could not be decoded.
    public mutating func receive(malformed error: WireError, now: MonotonicTime) -> Action {
        guard case .open = state else { return .none }
        return close(.malformed(error), now: now)
    }

    /// The model has done with a batch of the given session.
    public mutating func finished(
        batch id: UInt32, ofSession session: Int, _ result: BatchResult, now: MonotonicTime
    ) -> Action {
        guard session == number, let index = unanswered.firstIndex(of: id) else { return .none }
        unanswered.remove(at: index)
        var answer: ContainerMessage?
        if case .success(let outputs) = result {
            answer = .response(PredictResponse(id: id, outputs: outputs))
        }
        switch state {
        case .stopping:
            if let answer, !unanswered.isEmpty { return .send(answer) }
            state = .ended
            return .finish(last: answer)
        case .open:
            guard let answer else { return close(.batchFailed, now: now) }
            failures = 0
            return .send(answer)
        case .connecting, .waiting, .ended:
            return .none
        }
    }

    /// The container is to end. What was read is answered first; a second time ends it at once.
    public mutating func stop() -> Action {
        switch state {
        case .open where !unanswered.isEmpty:
            state = .stopping
            return .none
        case .ended:
            return .none
        case .waiting, .connecting, .open, .stopping:
            state = .ended
            return .finish(last: nil)
        }
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
            return close(.silent, now: now)
        case .open(let lastReceived, _):
            guard now < lastReceived + timing.silenceLimit else { return close(.silent, now: now) }
            state = .open(lastReceived: lastReceived, lastBeat: now)
            return .send(.heartbeat)
        case .stopping, .ended:
            return .none
        }
    }

    private mutating func close(_ reason: CloseReason, now: MonotonicTime) -> Action {
        unanswered.removeAll()
        number += 1
        state = .waiting(until: now + backoff(for: reason))
        return .close(reason)
    }

    /// The pause doubles with each session that ended without an answered batch in between. A failed batch or a
    /// lost connection alone costs next to nothing; a frontend of another version is asked again rarely.
    private mutating func backoff(for reason: CloseReason) -> Duration {
        if case .malformed(let error) = reason, error.kind == .unsupportedVersion { return timing.longestBackoff }
        defer { failures += 1 }
        if failures == 0, reason == .batchFailed { return .zero }
        return min(timing.firstBackoff * (1 << min(failures, 16)), timing.longestBackoff)
    }
}

extension ContainerSession.CloseReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .silent: "the frontend is silent"
        case .disconnected: "disconnected"
        case .malformed(let error) where error.kind == .unsupportedVersion:
            "the frontend speaks RPC version \(error.found), this container \(RPC3.version)"
        case .malformed(let error): "malformed message: \(error)"
        case .batchFailed: "a batch failed, which RPC 3 can say in no other way"
        }
    }
}
