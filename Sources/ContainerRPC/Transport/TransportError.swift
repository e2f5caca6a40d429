import CZmq

/// A call to libzmq or to the system that failed.
public struct TransportError: Error, Hashable, Sendable {
    /// What was being done, with the endpoint or option.
    public var operation: String
    /// The system's error number.
    public var code: Int32

    package init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// The error of the libzmq call that this thread has just made.
    static func last(_ operation: String) -> TransportError {
        TransportError(operation, code: zmq_errno())
    }
}

extension TransportError: CustomStringConvertible {
    public var description: String {
        "\(operation): \(String(cString: zmq_strerror(code)))"
    }
}
