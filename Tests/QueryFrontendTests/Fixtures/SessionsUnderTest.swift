import ContainerRPC
import Testing

@testable import QueryFrontend

/// Sessions with containers that tests play, and what followed from each event as plain text.
struct SessionsUnderTest {
    var sessions = ContainerSessions()
    /// Connection events that the monitor has and nobody has read.
    var unreadEvents: [ConnectionEvent] = []

    /// The model `sum:1` is registered with doubles.
    init() {
        sessions.recall(.sum, inputType: .float64)
    }

    /// A message comes from the peer of that name.
    @discardableResult
    mutating func receive(
        _ message: ContainerMessage, from peer: String, by descriptor: Int32? = nil, now: Duration = .zero
    ) -> [String] {
        let id = session(with: peer, by: descriptor, now: now)
        sessions.receive(message, from: id, now: at(now))
        return takeEffects()
    }

    /// Bytes come that are no message.
    mutating func receiveMalformed(
        from peer: String, isRegistration: Bool = false, now: Duration = .zero
    ) -> [String] {
        let id = session(with: peer, by: nil, now: now)
        let error = WireError(.unknownType, frame: 1, expected: "a type", found: "7")
        sessions.receive(malformed: error, isRegistration: isRegistration, from: id, now: at(now))
        return takeEffects()
    }

    /// A message comes that has too many frames to be read.
    mutating func receive(frames: Int, from peer: String, by descriptor: Int32) -> [String] {
        let id = session(with: peer, by: descriptor, now: .zero)
        sessions.receive(beyondBounds: frames, from: id, by: descriptor, now: at(.zero))
        return takeEffects()
    }

    /// A container connects and says what it serves.
    @discardableResult
    mutating func register(
        _ registration: Registration = .sum, as peer: String, by descriptor: Int32? = nil, now: Duration = .zero
    ) -> [String] {
        receive(.newContainer(registration), from: peer, by: descriptor, now: now)
    }

    mutating func sent(_ batch: UInt32, inputCount: Int = 1, to replica: Int, now: Duration = .zero) {
        sessions.sent(batch: batch, inputCount: inputCount, to: ReplicaID(number: replica), now: at(now))
    }

    mutating func tick(now: Duration) -> [String] {
        sessions.tick(now: at(now))
        return takeEffects()
    }

    mutating func endLostConnections() -> [String] {
        sessions.endLostConnections()
        return takeEffects()
    }

    private mutating func session(
        with peer: String, by descriptor: Int32?, now: Duration
    ) -> ContainerSessions.SessionID {
        let events = unreadEvents
        var wasDrained = false
        let id = sessions.session(with: RoutingID(Array(peer.utf8)), by: descriptor, now: at(now)) { sessions in
            for event in events { sessions.note(event) }
            wasDrained = true
        }
        if wasDrained { unreadEvents = [] }
        return id
    }

    mutating func takeEffects() -> [String] {
        defer { sessions.clearEffects() }
        return sessions.effects.map { effect in
            switch effect {
            case .send(let message, _, let peer):
                "\(Self.text(of: message)) to \(String(decoding: peer.bytes.prefix(8), as: UTF8.self))"
            case .added(let replica, let registration, _):
                "added \(replica.number) of \(registration.model), \(registration.inputType)"
            case .leaving(let replica): "\(replica.number) leaves"
            case .drains(let replica): "\(replica.number) drains"
            case .failed(let replica, let failure):
                "\(replica.number) failed \(failure.id): \(failure.code), \(failure.reason ?? "")"
            case .removed(let replica, let model, let reason): "removed \(replica.number) of \(model): \(reason.label)"
            case .completed(let replica, let response):
                "\(replica.number) answered \(response.id): \(response.outputs.strings.joined(separator: " "))"
            case .refused(_, let refusal): "not taken: \(refusal.code.label)"
            case .cut(let descriptor, let isExcess):
                "connection \(descriptor) is cut\(isExcess ? "" : " for its message")"
            case .badMessage(let peer, _, let problem):
                "bad from \(String(decoding: peer.bytes, as: UTF8.self)): \(problem.label)"
            }
        }
    }

    private static func text(of message: FrontendMessage) -> String {
        switch message {
        case .heartbeat(let kind): "\(kind)"
        case .welcome: "welcome"
        case .accepted(let replica): "accepted \(replica.map { "\($0)" } ?? "")"
        case .refused(let refusal): "refused \(refusal.code.rawValue)"
        case .goodbye(let goodbye): "goodbye \(goodbye.code.rawValue)"
        case .request, .feedback, .notice: "\(message)"
        }
    }

    /// The replicas as "model:version:number".
    var listed: [String] { sessions.listings.map { "\($0.model):\($0.number)" } }
}
