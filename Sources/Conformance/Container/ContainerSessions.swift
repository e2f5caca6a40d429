import ContainerRPC

// Sessions, opened and ended.
extension ContainerPlay {
    /// Asks for metadata: *request-metadata*, or *welcome*.
    func askForMetadata(of peer: RoutingID? = nil) throws {
        if peer == nil { book.doom() }
        try send(spoken == .four ? .welcome(timing) : .heartbeat(.requestMetadata), to: peer)
    }

    /// Waits until the container opens a session, and registers it.
    ///
    /// - Parameter accepts: whether the registration is accepted, where the version has a message for it.
    @discardableResult
    func openSession(
        within bound: Duration? = nil, notBefore earliest: MonotonicTime? = nil, accepts: Bool = true
    ) throws -> Registration {
        let peer = try awaitOpening(within: bound, notBefore: earliest)
        try checkRoutingID(peer)
        try askForMetadata(of: peer)
        let (registration, received) = try awaitRegistration(from: peer)
        try checkRegistration(registration, received.frames)
        try frontend.watch(peer, by: received.descriptor)
        session = PlayedSession(peer: peer, registration: registration, frames: received.frames)
        registeredVersions.insert(spoken)
        if spoken == .four, accepts { try send(.accepted(replica: 0)) }
        // One that begins with 0 is the ROUTER's.
        if peer.bytes.first != 0, !chosenIDs.claim(peer, by: processNumber) {
            throw Fault(
                expected: "another routing id for another process (rpc-3.md 5.2)",
                but: "one that was started before had chosen \(peer), too")
        }
        return registration
    }

    /// Waits for the first heartbeat of a session, which is not answered yet.
    func awaitOpening(within bound: Duration? = nil, notBefore earliest: MonotonicTime? = nil) throws -> RoutingID {
        let limit = bound ?? (hasRegistered ? bounds.session : bounds.start)
        let deadline = MonotonicTime.now() + limit
        while opening == nil {
            guard let event = try next(until: deadline) else {
                throw Fault(
                    expected: hasRegistered
                        ? "another session, opened by a heartbeat under a new routing id" : "a heartbeat",
                    but: "none came within \(limit.text)\(oldSession)")
            }
            if case .heartbeat = event, let session, frontend.hasLost(session.peer) {
                throw Fault(
                    expected: "another routing id for another session (rpc-3.md 5.2)",
                    but: "the container has closed its connection, and opened one under the same id, \(session.peer)")
            }
            if case .opening(_, let time) = event, let earliest, time < earliest {
                throw Fault(
                    expected: "no new session for another \((earliest - time).text)",
                    but: "the container opened one so much earlier")
            }
        }
        guard let peer = opening?.peer else { throw Fault("no session was opened") }
        opening = nil
        endSession()
        return peer
    }

    /// What became of the session that was to be followed by another.
    private var oldSession: String {
        guard let session else { return "" }
        return frontend.hasLost(session.peer)
            ? "; the container has closed the connection that it had"
            : "; the container holds on to the session that it had"
    }

    /// Forgets the session: what still comes from it is none of ours.
    func endSession() {
        if let session { formerPeers.insert(session.peer) }
        session = nil
        book.endSession()
        goodbyes.forget()
    }

    /// This peer has sent a heartbeat, and is to be asked for its metadata.
    func remember(_ peer: RoutingID, isFormer: Bool) {
        if isFormer { formerPeers.remove(peer) }
        opening = (peer, .now())
    }

    /// Waits for the metadata that a peer was asked for; heartbeats before them do not matter.
    @discardableResult
    func awaitRegistration(from peer: RoutingID) throws -> (Registration, ReceivedFrames) {
        let asked =
            spoken == .four ? "register, the answer to welcome" : "new container, the answer to request-metadata"
        let deadline = MonotonicTime.now() + bounds.answer
        while let received = try frontend.receive(until: deadline) {
            guard received.peer == peer else {
                if formerPeers.contains(received.peer) { continue }
                // Whoever offers RPC 4 may speak nothing else, and tries again when it is answered in RPC 3.
                if spoken == .three, peer.offersVersion4, received.peer.offersVersion4 { throw SpeaksOnlyVersion4() }
                throw Fault(expected: asked, but: "the container opened another session, \(received.peer)")
            }
            let list = FrameList(received.frames)
            let message: ContainerMessage
            do throws(WireError) {
                if list.isVersion4, spoken == .four {
                    message = try RPC4.decodeContainerMessage(list)
                } else {
                    message = try RPC3.decodeContainerMessage(list)
                }
            } catch {
                throw malformed(received, error)
            }
            switch message {
            // Heartbeats that it had sent before it was answered.
            case .heartbeat, .notice: continue
            case .newContainer(let registration) where registration.rpcVersion == spoken:
                return (registration, received)
            case .response(let response) where book.isOrphan(response.id): throw book.orphanFault(response.id)
            case .failure(let failure) where book.isOrphan(failure.id): throw book.orphanFault(failure.id)
            default:
                throw malformed(
                    received,
                    WireError(.unknownType, frame: 0, expected: asked, found: MessageNames.name(of: message)))
            }
        }
        if let end = process?.programEnd { throw Fault(expected: asked, but: "the process has ended with \(end)") }
        throw Fault(expected: asked, but: "it did not come within \(bounds.answer.text)")
    }

    /// The one exact form of RPC 3's *new container*: deviations are for frontends to bear, not for containers to send.
    func checkRegistration(_ registration: Registration, _ frames: [[UInt8]]) throws {
        guard registration.rpcVersion == .three else { return }
        if frames[4].count != 1 {
            throw Fault(
                expected: "the data type as one ASCII digit, 1 byte (frame 4 of new container)",
                but: "the frame has \(frames[4].count) bytes: \(hexadecimal(frames[4]))")
        }
        if frames[5].count != 4 {
            throw Fault(
                expected: "the RPC version as 4 bytes (frame 5 of new container)",
                but: "the frame has \(frames[5].count) bytes: \(hexadecimal(frames[5]))")
        }
    }

    /// The id must be as one that offers RPC 4, where that is played.
    func checkRoutingID(_ peer: RoutingID) throws {
        guard version == .four else { return }
        guard peer.offersVersion4 else {
            let seen = "it is \(peer)"
            guard options.requiresVersion4 else { throw NotOffered() }
            throw Fault(expected: "a routing id that begins with rpc4-", but: seen)
        }
        guard (21...255).contains(peer.bytes.count) else {
            throw Fault(
                expected: "a routing id of rpc4- and at least 16 random bytes, 255 bytes in all at most",
                but: "it has \(peer.bytes.count) bytes: \(peer)")
        }
        let suffix = peer.bytes.dropFirst(5)
        guard suffix.count >= 32 || suffix.contains(where: { !Character(UnicodeScalar($0)).isHexDigit }) else {
            throw Fault(
                expected: "a routing id of rpc4- and at least 16 random bytes, or 32 random hexadecimal digits",
                but: "it has \(suffix.count) hexadecimal digits, which are \(suffix.count * 4) bits: \(peer)")
        }
    }
}
