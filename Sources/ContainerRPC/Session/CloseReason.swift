extension ContainerSession {
    /// Why a session is over.
    public enum CloseReason: Hashable, Sendable {
        /// Nothing ever came: no frontend is there, or something that is none.
        case unanswered
        /// Nothing came for the silence limit.
        case silent
        /// The connection is gone.
        case disconnected
        /// A message could not be decoded; a frontend of another version is told so.
        case malformed(WireError)
        /// A batch failed. RPC 3 has no message for it: the end of the session tells the frontend.
        case batchFailed
        /// The frontend does not take the registration.
        case refused(Refusal)
        /// The frontend goes.
        case goodbye(Goodbye)
    }
}

extension ContainerSession.CloseReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unanswered: "nobody answers there: is a query frontend running, and is this its RPC port?"
        case .silent: "the frontend is silent"
        case .disconnected: "disconnected"
        case .malformed(let error) where error.kind == .unsupportedVersion:
            "the frontend speaks RPC version \(error.found), which this container does not"
        case .malformed(let error): "malformed message: \(error)"
        case .batchFailed: "a batch failed, which RPC 3 can say in no other way"
        case .refused(let refusal):
            "the frontend refuses this container: \(refusal.reason ?? "code \(refusal.code.rawValue), no reason given")"
        case .goodbye(let goodbye):
            "the frontend goes\(goodbye.code == .restarting ? ", and expects to be back" : "")"
                + (goodbye.reason.map { ": \($0)" } ?? "")
        }
    }
}
