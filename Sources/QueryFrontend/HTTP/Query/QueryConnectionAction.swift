import NIOCore

extension QueryConnection {
    /// What is to be done.
    enum Action {
        /// Ask what this body holds. `answer` gets the reply, at once or later; so it does that of the next two.
        case predict(ByteBuffer, Route, QueryTrace?)
        /// Learn from the feedback that this body holds.
        case update(ByteBuffer, Route)
        /// Ask for the metrics.
        case metrics(asPrometheus: Bool)
        /// Write that the client may send the body.
        case goAhead
        /// Write an answer. The bytes that it holds are released once it has left.
        ///
        /// - Parameters:
        ///   - connection: what becomes of the connection, where that has to be said.
        ///   - withBody: false for the answer to `HEAD`.
        case write(QueryReply, connection: String?, withBody: Bool)
        /// Call `written` when all that was written has left.
        case awaitWritten
        /// Read what comes next.
        case read
        /// Let other connections have their turn, and call `goOn`.
        case yield
        /// Tell the client that nothing more comes, and close after so long, should it not do so.
        case closeOutput(patience: Duration)
        /// Close.
        case close
    }
}
