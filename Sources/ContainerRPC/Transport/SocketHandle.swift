import CZmq

/// One open libzmq socket of any type: closes it, and keeps its context for as long.
struct SocketHandle: ~Copyable {
    let context: Context
    let pointer: UnsafeMutableRawPointer
    let events: MonitoredEvents

    init(type: Int32, in context: Context) throws(TransportError) {
        guard !context.isTerminated else { throw TransportError("zmq_socket", code: ETERM) }
        guard let pointer = zmq_socket(context.pointer, type) else { throw .last("zmq_socket") }
        self.context = context
        self.pointer = pointer
        events = MonitoredEvents(of: pointer)
    }

    deinit {
        events.close()
        zmq_close(pointer)
    }

    func set64(_ option: Int32, _ value: Int64, _ name: String) throws(TransportError) {
        try setBytes(option, value, name)
    }

    func set(_ option: Int32, _ value: Int32, _ name: String) throws(TransportError) {
        try setBytes(option, value, name)
    }

    private func setBytes(
        _ option: Int32, _ value: some BitwiseCopyable, _ name: String
    ) throws(TransportError) {
        let result = withUnsafeBytes(of: value) { zmq_setsockopt(pointer, option, $0.baseAddress, $0.count) }
        guard result == 0 else { throw .last("setting \(name)") }
    }

    func get(_ option: Int32, _ name: String) throws(TransportError) -> Int32 {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(pointer, option, &value, &size) == 0 else { throw .last("reading \(name)") }
        return value
    }
}
