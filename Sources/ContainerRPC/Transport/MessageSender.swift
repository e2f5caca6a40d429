import CZmq

/// What became of a message that was to be sent.
public enum SendOutcome: Hashable, Sendable {
    /// libzmq has taken it; that is not yet its arrival.
    case sent
    /// No peer has this routing id any more (`ZMQ_ROUTER_MANDATORY`).
    case unreachable
    /// The peer does not read: the queue to it is full. A container's socket that has no frontend has no queue, which
    /// libzmq does not tell from a full one.
    case full
}

/// Sends the frames of one message as an encoder appends them.
///
/// It is always one frame behind, because only `finish` knows which frame is the last.
struct MessageSender: ~Copyable, FrameSink {
    private let socket: UnsafeMutableRawPointer
    private var pending = zmq_msg_t()
    private var hasPending = false
    /// libzmq has taken a frame, and waits for the next.
    private var isInMessage = false
    private var failure: Int32 = 0

    /// From this length on, sharing a payload's memory costs less than copying it (measured: 1 to 5 KB).
    static let shortestShared = 2048

    init(_ socket: UnsafeMutableRawPointer) {
        self.socket = socket
    }

    deinit {
        if hasPending {
            var message = pending
            zmq_msg_close(&message)
        }
    }

    mutating func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { append(copying: $0) }
    }

    mutating func append(_ payload: Payload) {
        guard payload.byteCount >= Self.shortestShared else {
            return append(copying: payload.unsafeBytes)
        }
        guard flush() else { return }
        // The message holds the storage until libzmq calls back, from whichever thread has sent the last byte.
        let owner = Unmanaged<AnyObject>.passRetained(payload.storage.buffer)
        let bytes = payload.unsafeBytes
        let result = zmq_msg_init_data(
            &pending, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count,
            { _, owner in
                if let owner { Unmanaged<AnyObject>.fromOpaque(owner).release() }
            }, owner.toOpaque())
        if result == 0 {
            hasPending = true
        } else {
            failure = zmq_errno()
            owner.release()
        }
    }

    mutating func append(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard flush() else { return }
        guard zmq_msg_init_size(&pending, byteCount) == 0 else {
            failure = zmq_errno()
            return
        }
        hasPending = true
        if byteCount > 0 { fill(UnsafeMutableRawBufferPointer(start: zmq_msg_data(&pending), count: byteCount)) }
    }

    private mutating func append(copying bytes: UnsafeRawBufferPointer) {
        append(byteCount: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Sends the frame before the one to come. False once anything has failed: the rest is then skipped.
    private mutating func flush(last: Bool = false) -> Bool {
        guard failure == 0 else { return false }
        guard hasPending else { return true }
        let flags = last ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE
        while zmq_msg_send(&pending, socket, flags) < 0 {
            let code = zmq_errno()
            if code == EINTR { continue }
            failure = code
            return false
        }
        hasPending = false
        isInMessage = !last
        return true
    }

    /// Sends the last frame and with it the message.
    mutating func finish() throws(TransportError) -> SendOutcome {
        if flush(last: true) { return .sent }
        switch failure {
        case EHOSTUNREACH: return .unreachable
        case EAGAIN: return .full
        default:
            cutShort()
            throw TransportError("zmq_msg_send", code: failure)
        }
    }

    /// There was no memory for a frame after others had been taken. libzmq would take the next message, envelope and all, for
    /// the rest of this one, and send it to this one's peer: so it gets an end. What arrives is malformed, and costs its
    /// session; whoever sends gives that up as well.
    private mutating func cutShort() {
        guard isInMessage else { return }
        var end = zmq_msg_t()
        zmq_msg_init(&end)
        while zmq_msg_send(&end, socket, ZMQ_DONTWAIT) < 0 {
            guard zmq_errno() == EINTR else {
                zmq_msg_close(&end)
                return
            }
        }
        isInMessage = false
    }
}
