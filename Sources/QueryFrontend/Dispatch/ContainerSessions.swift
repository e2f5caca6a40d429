import ContainerRPC

/// The sessions with all containers that are connected: which is a replica, of what, and what its messages mean.
///
/// A value without I/O: messages, connection events and a time go in; what follows gathers in `effects`.
struct ContainerSessions: Sendable {
    /// One peer of the ROUTER.
    struct SessionID: Hashable, Sendable {
        var number: Int
    }

    /// What follows from an event.
    enum Effect: Sendable {
        case send(HeartbeatKind, to: RoutingID)
        /// A container serves from now on.
        case added(ReplicaID, ModelVersion, InputType)
        /// A replica serves no more; its batches in flight are lost.
        case removed(ReplicaID, ModelVersion, FrontendSession.EndReason)
        case completed(ReplicaID, PredictResponse)
        /// A message was of no use; nothing but its sender suffers.
        case badMessage(from: RoutingID, replica: ReplicaID?, BadMessage)
    }

    /// What was wrong with a message.
    enum BadMessage: Hashable, Sendable {
        case malformed(WireError)
        case unknownID(UInt32)
        case wrongOutputCount(expected: Int, found: Int)
    }

    /// A replica as it is listed.
    struct Listing: Hashable, Sendable {
        var id: ReplicaID
        var model: ModelVersion
        /// Counts up from 0 for each model version and is not used again.
        var number: Int
        var inputType: InputType
        var batchesInFlight: Int
        var lastReceived: MonotonicTime
    }

    private struct Entry {
        let peer: RoutingID
        var session: FrontendSession
        /// `nil` before registration, and while the model is dismissed.
        var replica: ReplicaID?
        var number = 0
    }

    private let timing: SessionTiming
    private var entries: [SessionID: Entry] = [:]
    private var byPeer: [RoutingID: SessionID] = [:]
    private var byReplica: [ReplicaID: SessionID] = [:]
    private var ledger = ConnectionLedger<SessionID>()
    private var nextSession = 0
    private var nextReplica = 0
    private var nextNumber: [ModelVersion: Int] = [:]
    private var nextCheck = MonotonicTime.distantFuture

    private(set) var effects: [Effect] = []

    init(timing: SessionTiming = .standard) {
        self.timing = timing
    }

    mutating func clearEffects() {
        effects.removeAll(keepingCapacity: true)
    }

    /// When `tick` has something to do at the latest.
    var deadline: MonotonicTime? {
        nextCheck == .distantFuture ? nil : nextCheck
    }

    // MARK: Connections

    /// The monitor says that something was accepted or is gone.
    mutating func note(_ event: ConnectionEvent) {
        ledger.note(event)
    }

    /// The connections whose end was noted are over. Call it when all messages that were waiting have been read.
    mutating func endLostConnections() {
        guard ledger.hasLosses else { return }
        for id in ledger.takeLost() { end(id, .disconnected) }
    }

    /// The peer that was last heard by this descriptor, told without a look at its id.
    func session(by descriptor: Int32) -> (id: SessionID, peer: RoutingID)? {
        guard let id = ledger.session(by: descriptor), let entry = entries[id] else { return nil }
        return (id, entry.peer)
    }

    /// The session with a peer, which begins with its first message.
    ///
    /// - Parameters:
    ///   - descriptor: of the connection that the message came by; `nil` where there is none (`inproc`).
    ///   - drainEvents: brings every connection event that is waiting to `note`; needed before a descriptor is bound.
    mutating func session(
        with peer: RoutingID, by descriptor: Int32?, now: MonotonicTime, drainEvents: (inout Self) throws -> Void
    ) rethrows -> SessionID {
        let id: SessionID
        if let known = byPeer[peer] {
            id = known
        } else {
            id = SessionID(number: nextSession)
            nextSession += 1
            entries[id] = Entry(peer: peer, session: FrontendSession(now: now, timing: timing))
            byPeer[peer] = id
            nextCheck = min(nextCheck, now + timing.silenceLimit)
        }
        if let descriptor, !ledger.isBound(id, to: descriptor) {
            try drainEvents(&self)
            if let evicted = ledger.bind(id, to: descriptor) { end(evicted, .disconnected) }
        }
        return id
    }

    // MARK: Messages

    /// A message has come from a peer.
    mutating func receive(_ message: ContainerMessage, from id: SessionID, now: MonotonicTime) {
        guard let action = entries[id]?.session.receive(message, now: now) else { return }
        perform(action, id, now: now)
        if action == .end(.replaced) {
            // The message that ended the session opens the next, with the same peer by the same connection.
            entries[id]?.session = FrontendSession(now: now, timing: timing)
            receive(message, from: id, now: now)
        }
    }

    /// A message has come from a peer that could not be decoded.
    mutating func receive(malformed error: WireError, from id: SessionID, now: MonotonicTime) {
        guard let action = entries[id]?.session.receive(malformed: error, now: now) else { return }
        perform(action, id, now: now)
    }

    private mutating func perform(_ action: FrontendSession.Action, _ id: SessionID, now: MonotonicTime) {
        guard let entry = entries[id] else { return }
        switch action {
        case .none:
            break
        case .send(let heartbeat):
            effects.append(.send(heartbeat, to: entry.peer))
        case .register(let registration):
            list(id, registration)
        case .complete(let response):
            if let replica = entry.replica { effects.append(.completed(replica, response)) }
        case .ignore(let unknownID):
            bad(.unknownID(unknownID), entry)
        case .end(let reason):
            switch reason {
            case .malformed(let error): bad(.malformed(error), entry)
            case .wrongOutputCount(let expected, let found):
                bad(.wrongOutputCount(expected: expected, found: found), entry)
            case .silent, .disconnected, .replaced, .dismissed: break
            }
            // What it registers as instead comes with the message that ended the session.
            if reason == .replaced { return unlist(id, reason) }
            end(id, reason)
            // It is there and speaks the protocol: it need not wait for its next heartbeat to register anew.
            if case .wrongOutputCount = reason { effects.append(.send(.requestMetadata, to: entry.peer)) }
        }
    }

    private mutating func bad(_ message: BadMessage, _ entry: Entry) {
        effects.append(.badMessage(from: entry.peer, replica: entry.replica, message))
    }

    // MARK: Replicas

    private mutating func list(_ id: SessionID, _ registration: Registration) {
        let model = ModelVersion(name: registration.modelName, version: registration.modelVersion)
        let replica = ReplicaID(number: nextReplica)
        nextReplica += 1
        let number = nextNumber[model, default: 0]
        nextNumber[model] = number + 1
        entries[id]?.replica = replica
        entries[id]?.number = number
        byReplica[replica] = id
        effects.append(.added(replica, model, registration.inputType))
    }

    /// A batch has been sent to a replica.
    mutating func sent(batch: UInt32, inputCount: Int, to replica: ReplicaID) {
        guard let id = byReplica[replica] else { return }
        entries[id]?.session.sent(batch: batch, inputCount: inputCount)
    }

    /// Where a replica's messages go.
    func peer(of replica: ReplicaID) -> RoutingID? {
        byReplica[replica].flatMap { entries[$0]?.peer }
    }

    /// A peer cannot be sent to.
    mutating func lose(_ peer: RoutingID) {
        if let id = byPeer[peer] { end(id, .disconnected) }
    }

    /// A replica cannot be sent to.
    mutating func lose(_ replica: ReplicaID) {
        guard let id = byReplica[replica] else { return }
        end(id, .disconnected)
    }

    /// A model version is deleted: its containers are listed no more. They stay connected, and are asked for their
    /// metadata when the version is registered again.
    mutating func dismiss(_ model: ModelVersion) {
        for (id, entry) in entries where entry.session.registration?.model == model { unlist(id, .dismissed) }
    }

    /// A model version is registered: containers that were dismissed serve it again.
    mutating func recall(_ model: ModelVersion) {
        for (id, entry) in entries where entry.replica == nil {
            if let registration = entry.session.registration, registration.model == model { list(id, registration) }
        }
    }

    private mutating func end(_ id: SessionID, _ reason: FrontendSession.EndReason) {
        unlist(id, reason)
        guard let entry = entries.removeValue(forKey: id) else { return }
        byPeer[entry.peer] = nil
        ledger.forget(id)
    }

    /// The session's replica serves no more.
    private mutating func unlist(_ id: SessionID, _ reason: FrontendSession.EndReason) {
        guard let replica = entries[id]?.replica, let registration = entries[id]?.session.registration else { return }
        entries[id]?.replica = nil
        byReplica[replica] = nil
        effects.append(.removed(replica, registration.model, reason))
    }

    // MARK: Time

    /// Time has passed: containers that are silent and have nothing to do are given up.
    mutating func tick(now: MonotonicTime) {
        guard now >= nextCheck else { return }
        nextCheck = .distantFuture
        for (id, entry) in entries {
            switch entry.session.tick(now: now) {
            case .end(let reason): end(id, reason)
            default:
                // Of a peer without a known connection (inproc, ZMTP before 3) nothing tells the end, and silence proves
                // nothing while it is busy: a message that cannot be delivered does.
                if entry.session.deadline == nil, !ledger.isBound(id),
                    now - entry.session.lastReceived >= timing.silenceLimit
                {
                    effects.append(.send(.keepAlive, to: entry.peer))
                }
                // While a batch is in flight there is no deadline, but there will be one: look again after a limit.
                nextCheck = min(nextCheck, entry.session.deadline ?? now + timing.silenceLimit)
            }
        }
    }

    /// The replicas that are listed.
    var listings: [Listing] {
        entries.values.compactMap { entry in
            guard let replica = entry.replica, let registration = entry.session.registration else { return nil }
            return Listing(
                id: replica, model: registration.model, number: entry.number, inputType: registration.inputType,
                batchesInFlight: entry.session.batchesInFlight, lastReceived: entry.session.lastReceived)
        }
        .sorted { ($0.model.name, $0.model.version, $0.number) < ($1.model.name, $1.model.version, $1.number) }
    }
}

extension Registration {
    /// The model version that the container serves.
    var model: ModelVersion { ModelVersion(name: modelName, version: modelVersion) }
}
