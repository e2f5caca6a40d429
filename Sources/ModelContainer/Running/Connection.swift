import ContainerRPC

/// One session's socket with its monitor and the message being read.
struct Connection: ~Copyable {
    let socket: Socket
    let monitor: ConnectionMonitor
    private var message: ReceivedMessage

    init(
        to endpoint: String, prefersIPv6: Bool, offering version: RPCVersion, in context: Context
    ) throws(TransportError) {
        let socket = try Socket(.dealer, in: context)
        if version == .four {
            var generator = SystemRandomNumberGenerator()
            try socket.setRoutingID(.offeringVersion4(using: &generator))
        }
        let monitor = try socket.monitor()
        try socket.connect(endpoint, prefersIPv6: prefersIPv6)
        message = socket.makeMessage()
        self.socket = socket
        self.monitor = monitor
    }

    mutating func receive() throws(TransportError) -> Bool {
        try socket.receive(into: &message)
    }

    /// Hands the message that was read to the session.
    ///
    /// - Parameter note: gets it first.
    func handOver(
        to session: inout ContainerSession, noting note: (FrontendMessage) -> Void
    ) -> ContainerSession.Action {
        do {
            let content = try message.decodeFrontendMessage(offered: session.offered)
            note(content)
            return session.receive(content, in: message.isVersion4 ? .four : .three, now: .now())
        } catch {
            return session.receive(malformed: error, now: .now())
        }
    }

    /// What shows that messages have come, if they are to be read, or that the connection has changed.
    func descriptors(isReading: Bool) throws(TransportError) -> [Int32] {
        (isReading ? [try socket.descriptor()] : []) + [try monitor.descriptor()]
    }
}
