import CZmq
import Synchronization

/// The stream of a socket's connection events. It is used by the thread that uses the socket.
public struct ConnectionMonitor: ~Copyable {
    private let handle: SocketHandle
    private let events: MonitoredEvents

    private static let names = Atomic<Int>(0)

    init(of socket: borrowing SocketHandle) throws(TransportError) {
        let name = Self.names.wrappingAdd(1, ordering: .relaxed).newValue
        let endpoint = "inproc://connection-monitor-\(name)"
        let handle = try SocketHandle(type: ZMQ_PAIR, in: socket.context)
        // libzmq's own thread waits where an event finds the queue full: the queue has no bound.
        try handle.set(ZMQ_RCVHWM, Int32(0), "ZMQ_RCVHWM")
        try socket.events.open(endpoint)
        guard zmq_connect(handle.pointer, endpoint) == 0 else {
            let error = TransportError.last("connecting the monitor")
            socket.events.close()
            throw error
        }
        self.handle = handle
        events = socket.events
    }

    deinit {
        events.close()
    }

    private var pointer: UnsafeMutableRawPointer { handle.pointer }

    /// The descriptor to poll; edge-triggered, as a socket's is: poll only after `next` has returned `nil`.
    public func descriptor() throws(TransportError) -> Int32 {
        try handle.get(ZMQ_FD, "ZMQ_FD")
    }

    /// The next event, in the order in which they happened; `nil` when none is waiting.
    public func next() throws(TransportError) -> ConnectionEvent? {
        while true {
            guard let (event, value) = try receive() else { return nil }
            switch event {
            case ZMQ_EVENT_ACCEPTED: return .accepted(descriptor: value)
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .ready
            case ZMQ_EVENT_DISCONNECTED: return .disconnected(descriptor: value)
            default: continue
            }
        }
    }

    /// An event is two frames: its number (16 bits) and value (32 bits) in native order, then the endpoint.
    private func receive() throws(TransportError) -> (event: Int32, value: Int32)? {
        var part = zmq_msg_t()
        zmq_msg_init(&part)
        defer { zmq_msg_close(&part) }
        var result: (Int32, Int32)?
        while true {
            guard zmq_msg_recv(&part, pointer, ZMQ_DONTWAIT) >= 0 else {
                let code = zmq_errno()
                if code == EINTR { continue }
                if code == EAGAIN { return nil }
                throw TransportError("receiving a connection event", code: code)
            }
            if result == nil, zmq_msg_size(&part) >= 6, let data = zmq_msg_data(&part) {
                // Six bytes are there; both loads lie within them.
                result = (
                    Int32(data.loadUnaligned(as: UInt16.self)), data.loadUnaligned(fromByteOffset: 2, as: Int32.self)
                )
            }
            if zmq_msg_more(&part) == 0 { return result }
        }
    }
}

/// The sending end of a monitor, within the socket that is monitored.
///
/// libzmq's own thread waits for ever, and every connection of the context with it, when it has an event to send and
/// the receiving end is gone. So the sending end is closed before either the socket or its monitor is.
final class MonitoredEvents {
    private let socket: UnsafeMutableRawPointer
    private var isOpen = false

    init(of socket: UnsafeMutableRawPointer) {
        self.socket = socket
    }

    func open(_ endpoint: String) throws(TransportError) {
        let events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
        guard zmq_socket_monitor(socket, endpoint, events) == 0 else { throw .last("zmq_socket_monitor") }
        isOpen = true
    }

    /// The socket is open still: it calls this before it closes.
    func close() {
        guard isOpen else { return }
        zmq_socket_monitor(socket, nil, 0)
        isOpen = false
    }
}
