import CZmq
import Synchronization

/// A libzmq context: its I/O threads, and the namespace of `inproc` endpoints.
///
/// `@unchecked Sendable`: libzmq's contexts may be used from any thread, and the pointer never changes.
public final class Context: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    private let ended = Atomic(false)

    /// - Throws: `TransportError` where the process has no memory or descriptors left.
    public init() throws(TransportError) {
        guard let pointer = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
        self.pointer = pointer
    }

    deinit {
        // Every socket holds its context, so none is open here: this waits for no more than their linger.
        terminate()
    }

    /// Ends the context: waits until what its sockets had to send when they were closed has left, as long as their
    /// linger allows. For the end of a program, which would take unsent messages with it.
    ///
    /// No socket may be open, it would be waited for; none can be opened afterwards.
    public func terminate() {
        guard !ended.exchange(true, ordering: .acquiringAndReleasing) else { return }
        while zmq_ctx_term(pointer) != 0 && zmq_errno() == EINTR {}
    }

    /// Whether it has been ended.
    var isTerminated: Bool { ended.load(ordering: .acquiring) }
}
