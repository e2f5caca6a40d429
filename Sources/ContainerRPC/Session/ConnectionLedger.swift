/// Tells which session a lost connection belonged to, although descriptors are used again.
///
/// Two streams speak of connections and are read one after the other: the monitor's events (accepted, disconnected) and
/// the messages, each with its descriptor. The ledger counts a descriptor's acceptances: a session is bound to a
/// descriptor *in a generation*, and a disconnect ends that generation alone. Before a session is bound, all events
/// that are waiting must have been noted: the acceptance of its connection is then among them.
public struct ConnectionLedger<Session: Hashable & Sendable>: Sendable {
    @usableFromInline struct Connection: Hashable, Sendable {
        var descriptor: Int32
        var generation: Int
    }

    private var generations: [Int32: Int] = [:]
    private var sessions: [Connection: Session] = [:]
    private var connections: [Session: Connection] = [:]
    @usableFromInline var lost: [Connection] = []
    /// The session that each descriptor's messages belong to now: what `sessions` says of its newest generation, where
    /// every message can look it up without hashing.
    @usableFromInline var current: [Session?] = []

    /// A ledger that knows of no connection yet.
    public init() {}

    /// The monitor says that something was accepted or is gone.
    public mutating func note(_ event: ConnectionEvent) {
        switch event {
        case .accepted(let descriptor):
            generations[descriptor, default: 0] += 1
            setCurrent(descriptor, nil)
        case .disconnected(let descriptor):
            lost.append(Connection(descriptor: descriptor, generation: generations[descriptor, default: 0]))
        case .ready:
            break
        }
    }

    /// Whether a session's messages come by this descriptor as far as is known.
    public func isBound(_ session: Session, to descriptor: Int32) -> Bool {
        connections[session]?.descriptor == descriptor
    }

    /// Whether it is known which connection a session's messages come by: only then is its end noticed.
    public func isBound(_ session: Session) -> Bool {
        connections[session] != nil
    }

    /// The session whose messages come by this descriptor as far as is known.
    @inlinable
    public func session(by descriptor: Int32) -> Session? {
        let index = Int(descriptor)
        return current.indices.contains(index) ? current[index] : nil
    }

    private mutating func setCurrent(_ descriptor: Int32, _ session: Session?) {
        let index = Int(descriptor)
        guard index >= 0 else { return }
        while current.count <= index { current.append(nil) }
        current[index] = session
    }

    /// A session's message came by this descriptor.
    /// - Returns: the session that had the connection before. A connection carries one peer, so that one is lost.
    public mutating func bind(_ session: Session, to descriptor: Int32) -> Session? {
        forget(session)
        let connection = Connection(descriptor: descriptor, generation: generations[descriptor, default: 0])
        // A connection that nobody spoke by yet is gone, and its descriptor is used again: what comes first is taken for
        // what is left of it. If it is not, its peer is asked who it is once more, and says so by a connection that is known.
        if let former = lost.first(where: { $0.descriptor == descriptor && $0 != connection && sessions[$0] == nil }) {
            sessions[former] = session
            connections[session] = former
            return nil
        }
        let evicted = sessions[connection]
        if let evicted { connections[evicted] = nil }
        sessions[connection] = session
        connections[session] = connection
        setCurrent(descriptor, session)
        return evicted
    }

    /// A session is over.
    public mutating func forget(_ session: Session) {
        guard let connection = connections.removeValue(forKey: session) else { return }
        sessions[connection] = nil
        if self.session(by: connection.descriptor) == session { setCurrent(connection.descriptor, nil) }
    }

    /// Whether disconnects have been noted that `takeLost` has not returned yet.
    @inlinable public var hasLosses: Bool { !lost.isEmpty }

    /// The sessions whose connections are gone. Take them after all messages that were waiting have been read: the
    /// last ones of a connection may be among those.
    public mutating func takeLost() -> [Session] {
        defer { lost.removeAll(keepingCapacity: true) }
        return lost.compactMap { connection in
            guard let session = sessions.removeValue(forKey: connection) else { return nil }
            connections[session] = nil
            if self.session(by: connection.descriptor) == session { setCurrent(connection.descriptor, nil) }
            return session
        }
    }
}
