import CZmq

/// A message as libzmq received it, read in place; one owner, used again for the next message.
public struct ReceivedMessage: ~Copyable, FrameSource {
    /// How many parts there is room for at first; one message in many has more.
    private static let usualCapacity = 16
    /// Room for more is given back with the next message: 256 KiB.
    private static let mostKept = 4096

    private var parts: UnsafeMutablePointer<zmq_msg_t>
    private var capacity: Int
    private var partCount = 0
    /// How many leading parts are not the protocol's: a ROUTER puts the peer's routing id first.
    private let envelope: Int

    init(envelope: Int) {
        self.envelope = envelope
        capacity = Self.usualCapacity
        parts = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<partCount { zmq_msg_close(parts + index) }
        parts.deallocate()
    }

    public var frameCount: Int { max(0, partCount - envelope) }

    public func withFrame<Result>(
        _ index: Int, _ body: (Span<UInt8>) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        try body(Span(_unsafeElements: unsafeBytes(ofPart: index + envelope)))
    }

    /// The routing id of the peer that sent the message; empty on a socket that is no ROUTER.
    public var routingID: RoutingID {
        guard envelope > 0, partCount > 0 else { return RoutingID([]) }
        return RoutingID([UInt8](unsafeBytes(ofPart: 0)))
    }

    /// Whether the message came from this peer, told without a copy of its id.
    public func isFrom(_ peer: RoutingID) -> Bool {
        guard envelope > 0, partCount > 0 else { return false }
        return unsafeBytes(ofPart: 0).elementsEqual(peer.bytes)
    }

    /// The descriptor of the connection that the message came by; `nil` for `inproc`, and for peers older than ZMTP 3
    /// (libzmq before 4.0, JeroMQ before 0.4.1).
    ///
    /// It is the value of the monitor's later `disconnected` event. Descriptors are used again.
    public var sourceDescriptor: Int32? {
        guard partCount > 0 else { return nil }
        let descriptor = zmq_msg_get(parts + (partCount - 1), ZMQ_SRCFD)
        return descriptor < 0 ? nil : descriptor
    }

    /// Reads the message as one from a container. RPC 4 is taken only from one that has offered it.
    public func decodeContainerMessage(offersVersion4: Bool = false) throws(WireError) -> ContainerMessage {
        if offersVersion4, isVersion4 { return try RPC4.decodeContainerMessage(self) }
        return try RPC3.decodeContainerMessage(self)
    }

    /// Reads the message as one from a frontend, in the version that it is in.
    ///
    /// - Parameter offered: the best version that the container has offered; to one of RPC 3, RPC 4 is malformed.
    public func decodeFrontendMessage(offered: RPCVersion = .four) throws(WireError) -> FrontendMessage {
        if offered == .four, isVersion4 { return try RPC4.decodeFrontendMessage(self) }
        return try RPC3.decodeFrontendMessage(self)
    }

    /// The bytes belong to libzmq and stay until the part is closed, which only `receive` and `deinit` do: both need
    /// `self` exclusively, so no span handed out by a borrowing call outlives them.
    private func unsafeBytes(ofPart index: Int) -> UnsafeBufferPointer<UInt8> {
        precondition(index < partCount, "no such frame")
        let part = parts + index
        let start = UnsafePointer<UInt8>(zmq_msg_data(part)?.assumingMemoryBound(to: UInt8.self))
        return UnsafeBufferPointer(start: start, count: zmq_msg_size(part))
    }

    /// Replaces the message by the socket's next one. False when none is waiting.
    mutating func receive(from socket: UnsafeMutableRawPointer) throws(TransportError) -> Bool {
        for index in 0..<partCount { zmq_msg_close(parts + index) }
        partCount = 0
        if capacity > Self.mostKept { shrink() }
        while true {
            if partCount == capacity { grow() }
            let part = parts + partCount
            zmq_msg_init(part)
            guard zmq_msg_recv(part, socket, ZMQ_DONTWAIT) >= 0 else {
                let code = zmq_errno()
                zmq_msg_close(part)
                if code == EINTR { continue }
                // libzmq delivers messages whole, so only the first part can be missing.
                if code == EAGAIN { return false }
                throw TransportError("zmq_msg_recv", code: code)
            }
            partCount += 1
            if zmq_msg_more(part) == 0 { return true }
        }
    }

    /// No part is in use.
    private mutating func shrink() {
        parts.deallocate()
        capacity = Self.usualCapacity
        parts = .allocate(capacity: capacity)
    }

    private mutating func grow() {
        // libzmq moves messages by copying their bytes, and so may we.
        let larger = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: parts, count: partCount)
        parts.deallocate()
        parts = larger
        capacity *= 2
    }
}
