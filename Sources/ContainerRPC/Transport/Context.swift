import CZmq

/// A libzmq context: its I/O threads, and the namespace of `inproc` endpoints.
///
/// `@unchecked Sendable`: libzmq's contexts may be used from any thread, and the pointer never changes.
public final class Context: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    /// - Throws: `TransportError` where the process has no memory or descriptors left.
    public init() throws(TransportError) {
        guard let pointer = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
        self.pointer = pointer
    }

    deinit {
        // Every socket holds its context, so none is open here and this does not block.
        while zmq_ctx_term(pointer) != 0 && zmq_errno() == EINTR {}
    }

    /// The version of the libzmq at run time, such as `4.3.4`.
    public static var libraryVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}
