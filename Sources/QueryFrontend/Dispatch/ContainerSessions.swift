package import ContainerRPC

/// The sessions with all containers that are connected: which is a replica, of what, and what its messages mean.
///
/// A value without I/O: messages, connection events and a time go in; what follows gathers in `effects`.
package struct ContainerSessions: Sendable {
    /// One peer of the ROUTER.
    package struct SessionID: Hashable, Sendable {
        var number: Int
    }

    /// What follows from an event.
    package enum Effect: Sendable {
        case send(FrontendMessage, in: RPCVersion, to: RoutingID)
        /// A container serves from now on, under this number among those of its model version.
        case added(ReplicaID, Registration, number: Int)
        /// A replica is about to go, and is to get no more batches.
        case leaving(ReplicaID)
        /// A replica that serves from now on drains, as it did before it was asked to register anew.
        case drains(ReplicaID)
        /// A replica serves no more; its batches in flight are lost.
        case removed(ReplicaID, ModelVersion, FrontendSession.EndReason)
        case completed(ReplicaID, PredictResponse)
        case failed(ReplicaID, BatchFailure)
        /// A registration was not taken; one that could not be read is a bad message besides.
        case refused(Registration?, Refusal)
        /// A message was of no use; nothing but its sender suffers.
        case badMessage(from: RoutingID, replica: ReplicaID?, BadMessage)
        /// The connection with this descriptor is to go: because there are too many, and nothing has come by it, or for what
        /// has come by it.
        case cut(descriptor: Int32, isExcess: Bool)
    }

    /// What was wrong with a message.
    package enum BadMessage: Hashable, Sendable {
        case malformed(WireError)
        case unknownID(UInt32)
        case wrongOutputCount(expected: Int, found: Int)
    }

    struct Entry {
        let peer: RoutingID
        let offersVersion4: Bool
        var session: FrontendSession
        /// `nil` before registration, and while a dismissed container has batches to answer.
        var replica: ReplicaID?
        var number = 0
        /// Its model was deleted.
        var isDismissed = false
        /// It was asked to register anew while it drained, and has not done so yet.
        var isToDrain = false
        /// A message has come that may be the last of its connection, or the first of another with the same descriptor.
        var mayBeBack = false
    }

    private let timing: SessionTiming
    /// How long a container whose model was deleted may take for a batch before it is asked to register anew.
    private let patience: Duration
    /// What the registered model versions take.
    var inputTypes: [ModelVersion: InputType] = [:]
    var entries: [SessionID: Entry] = [:]
    /// How many there are.
    package var count: Int { entries.count }
    private var byPeer: [RoutingID: SessionID] = [:]
    var byReplica: [ReplicaID: SessionID] = [:]
    private var ledger = ConnectionLedger<SessionID>()
    private(set) var connections: ContainerConnections
    private var nextSession = 0
    /// Inputs of the largest batch that was sent to anybody: an answer to it may come when nobody waits for it any more.
    private var largestSent = 0
    var nextReplica = 0
    var nextNumber: [ModelVersion: Int] = [:]
    var listedCount: [ModelVersion: Int] = [:]
    /// Model versions that somebody has registered, now or earlier.
    var everRegistered: Set<ModelVersion> = []
    var nextCheck = MonotonicTime.distantFuture

    package internal(set) var effects: [Effect] = []

    /// - Parameters:
    ///   - mostConnections: how many containers may be connected.
    ///   - patience: how long a container whose model was deleted may take for what it has.
    package init(
        timing: SessionTiming = .standard, mostConnections: Int = .max, patience: Duration = .seconds(30)
    ) {
        self.timing = timing
        self.patience = patience
        connections = ContainerConnections(most: mostConnections)
    }

    package mutating func clearEffects() {
        effects.removeAll(keepingCapacity: true)
    }

    /// When `tick` has something to do at the latest.
    package var deadline: MonotonicTime? {
        nextCheck == .distantFuture ? nil : nextCheck
    }

    // MARK: Connections

    /// The monitor says that something was accepted or is gone.
    package mutating func note(_ event: ConnectionEvent) {
        ledger.note(event)
        if let descriptor = connections.note(event) { effects.append(.cut(descriptor: descriptor, isExcess: true)) }
    }

    /// The connections whose end was noted are over. Call it when all messages that were waiting have been read.
    package mutating func endLostConnections() {
        guard ledger.hasLosses else { return }
        for id in ledger.takeLost() {
            let entry = entries[id]
            end(id, .disconnected)
            // It may have come back under the same id and by the same descriptor before anybody looked. Then it speaks the
            // protocol, and need not wait for its next heartbeat to register; one that is gone hears nothing.
            if let entry, entry.mayBeBack { answer(.requestMetadata, entry) }
        }
    }

    /// Whether connections have ended whose containers have not been given up yet.
    package var hasLosses: Bool { ledger.hasLosses }

    /// The peer that was last heard by this descriptor, told without a look at its id.
    package func session(by descriptor: Int32) -> (id: SessionID, peer: RoutingID)? {
        guard let id = ledger.session(by: descriptor), let entry = entries[id] else { return nil }
        return (id, entry.peer)
    }

    /// The session with a peer, which begins with its first message, and anew with its first one by another connection:
    /// what was under way by the former may be lost, and RPC 3 would never tell.
    ///
    /// - Parameters:
    ///   - descriptor: of the connection that the message came by; `nil` where there is none (`inproc`).
    ///   - drainEvents: brings every connection event that is waiting to `note`; needed before a descriptor is bound.
    package mutating func session(
        with peer: RoutingID, by descriptor: Int32?, now: MonotonicTime, drainEvents: (inout Self) throws -> Void
    ) rethrows -> SessionID {
        guard let descriptor else { return byPeer[peer] ?? begin(with: peer, now: now) }
        if let known = byPeer[peer] {
            if ledger.isBound(known, to: descriptor) {
                if ledger.session(by: descriptor) != known { entries[known]?.mayBeBack = true }
                return known
            }
            if ledger.isBound(known) { end(known, .disconnected) }
        }
        try drainEvents(&self)
        connections.noteMessage(by: descriptor)
        let id = byPeer[peer] ?? begin(with: peer, now: now)
        if let evicted = ledger.bind(id, to: descriptor) { end(evicted, .disconnected) }
        return id
    }

    private mutating func begin(with peer: RoutingID, now: MonotonicTime) -> SessionID {
        let id = SessionID(number: nextSession)
        nextSession += 1
        entries[id] = Entry(
            peer: peer, offersVersion4: peer.offersVersion4, session: newSession(with: peer, now: now))
        byPeer[peer] = id
        nextCheck = min(nextCheck, now + timing.silenceLimit)
        return id
    }

    private func newSession(with peer: RoutingID, now: MonotonicTime) -> FrontendSession {
        FrontendSession(now: now, timing: timing, version: peer.offersVersion4 ? .four : .three)
    }

    // MARK: Messages

    /// A message has come from a peer.
    package mutating func receive(_ message: ContainerMessage, from id: SessionID, now: MonotonicTime) {
        guard let action = entries[id]?.session.receive(message, now: now) else { return }
        perform(action, id, now: now)
        if action == .end(.replaced) {
            // The message that ended the session opens the next, with the same peer by the same connection.
            guard let peer = entries[id]?.peer else { return }
            let session = newSession(with: peer, now: now)
            entries[id]?.session = session
            receive(message, from: id, now: now)
        }
    }

    /// A message has come from a peer that could not be decoded.
    ///
    /// - Parameter isRegistration: whether it is one of RPC 4 that was to be a registration.
    package mutating func receive(
        malformed error: WireError, isRegistration: Bool = false, from id: SessionID, now: MonotonicTime
    ) {
        let action = entries[id]?.session.receive(malformed: error, isRegistration: isRegistration, now: now)
        guard let action, let entry = entries[id] else { return }
        if case .end(.refused) = action {
            bad(.malformed(error), entry)
            // What is lost is lost by the message, whatever its sender is told of it.
            unlist(id, .malformed(error))
        }
        perform(action, id, now: now)
    }

    /// Frames that any message may have. One of RPC 3 has a frame for each output; what comes late may be of a batch that
    /// nobody knows of any more.
    package static let usualFrames = 10_000

    /// Whether a message has more frames than any could that a container has a reason to send.
    package func isBeyondBounds(frames: Int) -> Bool {
        frames > Self.usualFrames + largestSent
    }

    /// A message has come that is not worth reading. Reading many of its kind would keep everybody else waiting: its
    /// connection is closed.
    package mutating func receive(
        beyondBounds frames: Int, from id: SessionID, by descriptor: Int32?, now: MonotonicTime
    ) {
        let expected = "at most \(Self.usualFrames + largestSent) frames"
        receive(
            malformed: WireError(.surplusFrame, frame: frames - 1, expected: expected, found: "\(frames)"), from: id,
            now: now)
        if let descriptor, connections.cut(descriptor) {
            effects.append(.cut(descriptor: descriptor, isExcess: false))
        }
    }

    private mutating func perform(_ action: FrontendSession.Action, _ id: SessionID, now: MonotonicTime) {
        guard let entry = entries[id] else { return }
        switch action {
        case .none:
            break
        case .send(let heartbeat):
            answer(heartbeat, entry)
        case .register(let registration):
            register(id, registration)
        case .confirm:
            accept(id)
        case .complete(let response):
            if let replica = entry.replica { effects.append(.completed(replica, response)) } else { takeBack(id) }
            endIfLeft(id)
        case .fail(let failure):
            if let replica = entry.replica { effects.append(.failed(replica, failure)) } else { takeBack(id) }
            endIfLeft(id)
        case .release(let goodbye):
            // After this answer no batch comes: messages keep their order.
            if let replica = entry.replica { effects.append(.leaving(replica)) }
            effects.append(.send(.goodbye(Goodbye(goodbye.code)), in: .four, to: entry.peer))
            endIfLeft(id)
        case .ignore(let unknownID):
            bad(.unknownID(unknownID), entry)
        case .end(let reason):
            switch reason {
            case .malformed(let error): bad(.malformed(error), entry)
            case .wrongOutputCount(let expected, let found):
                bad(.wrongOutputCount(expected: expected, found: found), entry)
            case .refused(let refusal):
                effects.append(.send(.refused(refusal), in: .four, to: entry.peer))
                effects.append(.refused(nil, refusal))
            case .silent, .disconnected, .replaced, .dismissed, .left, .unanswered, .drained: break
            }
            // What it registers as instead comes with the message that ended the session.
            if reason == .replaced { return unlist(id, reason) }
            end(id, reason)
            // It is there and speaks the protocol: it need not wait for its next heartbeat to register anew.
            if case .wrongOutputCount = reason { answer(.requestMetadata, entry) }
        }
    }

    private mutating func answer(_ heartbeat: HeartbeatKind, _ entry: Entry) {
        var message = FrontendMessage.heartbeat(heartbeat)
        if entry.session.version == .four, heartbeat == .requestMetadata {
            var welcome = timing.welcome
            welcome.software = Software.nameAndVersion
            message = .welcome(welcome)
        }
        effects.append(.send(message, in: entry.session.version, to: entry.peer))
    }

    private mutating func endIfLeft(_ id: SessionID) {
        guard let session = entries[id]?.session, session.hasLeft, let goodbye = session.goodbye else { return }
        end(id, .left(goodbye))
    }

    /// Every container of RPC 4 hears that the frontend goes; those of RPC 3 see it by their connection. One that leaves
    /// has been told already that nothing more comes.
    package mutating func sayGoodbye(_ goodbye: Goodbye) {
        for id in sessions(where: {
            $0.session.version == .four && $0.session.registration != nil && $0.session.goodbye == nil
        }) {
            guard let peer = entries[id]?.peer else { continue }
            effects.append(.send(.goodbye(goodbye), in: .four, to: peer))
        }
    }

    /// An operator has drained a replica, and it has answered all that it had.
    package mutating func release(_ replica: ReplicaID) {
        guard let id = byReplica[replica], let entry = entries[id], entry.session.version == .four else { return }
        effects.append(.send(.goodbye(Goodbye(.drained, reason: "drained")), in: .four, to: entry.peer))
        end(id, .drained)
    }

    private mutating func bad(_ message: BadMessage, _ entry: Entry) {
        effects.append(.badMessage(from: entry.peer, replica: entry.replica, message))
    }

    // MARK: Batches

    /// A batch has been sent to a replica.
    package mutating func sent(batch: UInt32, inputCount: Int, to replica: ReplicaID, now: MonotonicTime) {
        guard let id = byReplica[replica] else { return }
        entries[id]?.session.sent(batch: batch, inputCount: inputCount, now: now)
        largestSent = max(largestSent, inputCount)
    }

    /// Where a replica's messages go.
    package func peer(of replica: ReplicaID) -> (id: RoutingID, version: RPCVersion)? {
        byReplica[replica].flatMap { entries[$0] }.map { ($0.peer, $0.session.version) }
    }

    /// Whether RPC 4 may come from a peer.
    package func offersVersion4(_ id: SessionID) -> Bool { entries[id]?.offersVersion4 == true }

    /// What a replica serves.
    package func model(of replica: ReplicaID) -> ModelVersion? {
        byReplica[replica].flatMap { entries[$0]?.session.registration?.model }
    }

    /// A peer cannot be sent to. Where its connection is known, the monitor tells of its end, and it is lost when all has
    /// been read that came by it: the last answer of one that has left may be among that.
    package mutating func lose(_ peer: RoutingID) {
        guard let id = byPeer[peer], !ledger.isBound(id) else { return }
        end(id, .disconnected)
    }

    /// A replica cannot be sent to.
    package mutating func lose(_ replica: ReplicaID) {
        guard let id = byReplica[replica] else { return }
        end(id, .disconnected)
    }

    /// A replica never answers a batch. Its container is asked to register anew, should it still listen.
    ///
    /// - Parameter drains: whether an operator has drained it: then it gets nothing after that either.
    package mutating func giveUp(_ replica: ReplicaID, drains: Bool = false, now: MonotonicTime) {
        guard let id = byReplica[replica] else { return }
        giveUp(id, drains: drains, now: now)
    }

    private mutating func giveUp(_ id: SessionID, drains: Bool, now: MonotonicTime) {
        unlist(id, .unanswered)
        guard let entry = entries[id] else { return }
        let session = newSession(with: entry.peer, now: now)
        entries[id]?.session = session
        entries[id]?.isToDrain = drains
        nextCheck = min(nextCheck, now + timing.silenceLimit)
        answer(.requestMetadata, entry)
    }

    /// When a container is asked to register anew whose model was deleted, and which has not answered what it had: until
    /// it has, or has begun anew, it may not be given more. Nobody waits for those answers. One that leaves ends by itself.
    func overdue(_ entry: Entry) -> MonotonicTime? {
        guard entry.replica == nil, entry.session.registration != nil, entry.session.goodbye == nil else { return nil }
        return entry.session.firstSent.map { $0 + patience }
    }

    /// Sessions in the order in which they began: equal events have equal effects, whatever a dictionary's order is.
    func sessions(where isMeant: (Entry) -> Bool) -> [SessionID] {
        entries.filter { isMeant($0.value) }.keys.sorted { $0.number < $1.number }
    }

    mutating func end(_ id: SessionID, _ reason: FrontendSession.EndReason) {
        unlist(id, reason)
        guard let entry = entries.removeValue(forKey: id) else { return }
        byPeer[entry.peer] = nil
        ledger.forget(id)
    }

    // MARK: Time

    /// Time has passed: containers that are silent and have nothing to do are given up.
    package mutating func tick(now: MonotonicTime) {
        guard now >= nextCheck else { return }
        nextCheck = .distantFuture
        let silent = sessions { now - $0.session.lastReceived >= timing.silenceLimit }
        for id in silent {
            guard let entry = entries[id] else { continue }
            if case .end(let reason) = entry.session.tick(now: now) {
                end(id, reason)
            } else if !ledger.isBound(id) {
                // Of a peer without a known connection (inproc, ZMTP before 3) nothing tells the end, and silence proves
                // nothing while it is busy: a message that cannot be delivered does.
                answer(.keepAlive, entry)
            }
        }
        for id in sessions(where: { overdue($0).map { $0 <= now } ?? false }) { giveUp(id, drains: false, now: now) }
        for entry in entries.values {
            // While a batch is in flight there is no deadline, but there will be one: look again after a limit.
            nextCheck = min(nextCheck, entry.session.deadline ?? now + timing.silenceLimit)
            if let due = overdue(entry) { nextCheck = min(nextCheck, due) }
        }
    }
}

extension Registration {
    /// The model version that the container serves.
    package var model: ModelVersion { ModelVersion(name: modelName, version: modelVersion) }
}
