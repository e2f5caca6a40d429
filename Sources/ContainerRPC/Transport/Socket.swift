import CZmq

/// A libzmq socket: one owner, used by one thread at a time, closed with its last use.
public struct Socket: ~Copyable {
    /// Which side of the protocol a socket is for.
    public enum Kind: Sendable {
        /// The frontend's side: knows its peers by routing id, and fails to send to one that is gone.
        case router
        /// A container's side.
        case dealer
    }

    private let handle: SocketHandle
    private let kind: Kind

    /// - Parameter largestFrame: the longest that a peer may send, in bytes: libzmq allocates a frame when its length
    ///   arrives, before its bytes do.
    /// - Throws: `TransportError` where the context has no socket left (`EMFILE`).
    public init(
        _ kind: Kind, in context: Context, largestFrame: Int = WireBounds.frameBytes
    ) throws(TransportError) {
        let handle = try SocketHandle(type: kind == .router ? ZMQ_ROUTER : ZMQ_DEALER, in: context)
        // Not zero: closing in the middle of a message under way can end the process in an assertion of libzmq 4.3.
        try handle.set(ZMQ_LINGER, 500, "ZMQ_LINGER")
        try handle.set64(ZMQ_MAXMSGSIZE, Int64(largestFrame), "ZMQ_MAXMSGSIZE")
        // A host that is gone without a word shows after 7 s, whether something was sent to it meanwhile (MAXRT) or not
        // (keep-alive). The system asks and answers, also for a process that is busy or stopped, and wakes nobody: ZMTP's
        // own heartbeats would wake both sides' threads for each of a thousand idle containers. (One that is stopped and
        // was sent more than the system keeps for it counts as gone, too.)
        try handle.set(ZMQ_TCP_MAXRT, 7_000, "ZMQ_TCP_MAXRT")
        try handle.set(ZMQ_TCP_KEEPALIVE, 1, "ZMQ_TCP_KEEPALIVE")
        try handle.set(ZMQ_TCP_KEEPALIVE_IDLE, 3, "ZMQ_TCP_KEEPALIVE_IDLE")
        try handle.set(ZMQ_TCP_KEEPALIVE_INTVL, 1, "ZMQ_TCP_KEEPALIVE_INTVL")
        try handle.set(ZMQ_TCP_KEEPALIVE_CNT, 4, "ZMQ_TCP_KEEPALIVE_CNT")
        switch kind {
        case .router:
            try handle.set(ZMQ_ROUTER_MANDATORY, 1, "ZMQ_ROUTER_MANDATORY")
            try handle.set(ZMQ_BACKLOG, 1024, "ZMQ_BACKLOG")
        case .dealer:
            // Nothing is queued for a frontend that is not there: it would get stale messages when it comes.
            try handle.set(ZMQ_IMMEDIATE, 1, "ZMQ_IMMEDIATE")
            try handle.set(ZMQ_RECONNECT_IVL, 100, "ZMQ_RECONNECT_IVL")
            try handle.set(ZMQ_RECONNECT_IVL_MAX, 2000, "ZMQ_RECONNECT_IVL_MAX")
        }
        self.handle = handle
        self.kind = kind
    }

    private var pointer: UnsafeMutableRawPointer { handle.pointer }

    /// The id under which the ROUTER is to know this DEALER; before it connects.
    public func setRoutingID(_ id: RoutingID) throws(TransportError) {
        let result = id.bytes.withUnsafeBytes {
            zmq_setsockopt(handle.pointer, ZMQ_ROUTING_ID, $0.baseAddress, $0.count)
        }
        guard result == 0 else { throw .last("setting ZMQ_ROUTING_ID") }
    }

    /// How long closing waits for messages that have not left yet; half a second unless set.
    public func setLinger(_ duration: Duration) throws(TransportError) {
        try handle.set(ZMQ_LINGER, Int32(clamping: duration.wholeNanoseconds / 1_000_000), "ZMQ_LINGER")
    }

    /// Binds to an endpoint such as `tcp://127.0.0.1:7000`, port 0 for one that the system picks, or `inproc://name`.
    /// - Returns: the endpoint with its port.
    @discardableResult
    public func bind(_ endpoint: String) throws(TransportError) -> String {
        if endpoint.contains("[") { try handle.set(ZMQ_IPV6, 1, "ZMQ_IPV6") }
        guard zmq_bind(pointer, endpoint) == 0 else { throw .last("binding \(endpoint)") }
        var name = [UInt8](repeating: 0, count: 1024)
        var size = name.count
        guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &name, &size) == 0 else {
            throw .last("reading ZMQ_LAST_ENDPOINT")
        }
        return String(decoding: name.prefix(max(0, size - 1)), as: UTF8.self)
    }

    /// Connects to an endpoint, now or when it comes to be. A name is resolved for each attempt, by libzmq's own thread.
    ///
    /// - Parameter prefersIPv6: whether a name stands for its addresses of IPv6, where it has some; else for those of IPv4,
    ///   whatever it has.
    public func connect(_ endpoint: String, prefersIPv6: Bool = false) throws(TransportError) {
        if prefersIPv6 || endpoint.contains("[") { try handle.set(ZMQ_IPV6, 1, "ZMQ_IPV6") }
        guard zmq_connect(pointer, endpoint) == 0 else { throw .last("connecting to \(endpoint)") }
    }

    /// The descriptor to poll. It is edge-triggered: poll only after `hasInput` has said no.
    public func descriptor() throws(TransportError) -> Int32 {
        try handle.get(ZMQ_FD, "ZMQ_FD")
    }

    /// Whether a message is waiting.
    public func hasInput() throws(TransportError) -> Bool {
        try handle.get(ZMQ_EVENTS, "ZMQ_EVENTS") & Int32(ZMQ_POLLIN) != 0
    }

    /// An empty message to receive into, of the kind that this socket receives.
    public func makeMessage() -> ReceivedMessage {
        ReceivedMessage(envelope: kind == .router ? 1 : 0)
    }

    /// Receives the next message. False when none is waiting.
    public func receive(into message: inout ReceivedMessage) throws(TransportError) -> Bool {
        try message.receive(from: pointer)
    }

    /// Sends a message to a container.
    public func send(
        _ message: FrontendMessage, in version: RPCVersion = .three, to peer: RoutingID
    ) throws(TransportError) -> SendOutcome {
        var sender = MessageSender(pointer)
        sender.append(peer.bytes.span)
        switch version {
        case .three: RPC3.encode(message, into: &sender)
        case .four: RPC4.encode(message, into: &sender)
        }
        return try sender.finish()
    }

    /// Sends a batch to a container.
    ///
    /// - Parameters:
    ///   - inputs: shared with the message where that pays.
    ///   - budget: the time until no answer is of use any more; RPC 3 does not tell it, nor the trace.
    public func sendRequest(
        id: UInt32, inputType: InputType, inputs: [Payload], budget: Duration? = nil, trace: TraceContext? = nil,
        in version: RPCVersion = .three, to peer: RoutingID
    ) throws(TransportError) -> SendOutcome {
        var sender = MessageSender(pointer)
        sender.append(peer.bytes.span)
        switch version {
        case .three: RPC3.encodeRequest(id: id, inputType: inputType, inputs: inputs, into: &sender)
        case .four:
            RPC4.encodeRequest(
                id: id, inputType: inputType, inputs: inputs, budget: budget, trace: trace, into: &sender)
        }
        return try sender.finish()
    }

    /// Sends a message to the frontend.
    public func send(
        _ message: ContainerMessage, in version: RPCVersion = .three
    ) throws(TransportError) -> SendOutcome {
        var sender = MessageSender(pointer)
        switch version {
        case .three: RPC3.encode(message, into: &sender)
        case .four: RPC4.encode(message, into: &sender)
        }
        return try sender.finish()
    }

    /// Sends parts as they are, the envelope too.
    func send(parts: [[UInt8]]) throws(TransportError) -> SendOutcome {
        try send { sender in
            for part in parts { sender.append(part.span) }
        }
    }

    /// Sends a message of the frames that are appended, the envelope too.
    func send(_ append: (inout MessageSender) -> Void) throws(TransportError) -> SendOutcome {
        var sender = MessageSender(pointer)
        append(&sender)
        return try sender.finish()
    }

    /// Opens a monitor of this socket's connections; a socket has one at a time.
    public func monitor() throws(TransportError) -> ConnectionMonitor {
        try ConnectionMonitor(of: handle)
    }
}
