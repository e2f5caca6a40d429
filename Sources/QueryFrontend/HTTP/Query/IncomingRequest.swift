import ContainerRPC
import NIOCore
import NIOHTTP1

/// A request of the query API as far as it has come.
struct IncomingRequest {
    /// What becomes of a piece of the body.
    enum Appended {
        case held(bytes: Int)
        case refused(QueryReply)
    }

    /// What the head says that it is for.
    let purpose: RequestPurpose
    /// Whether the connection goes on behind the answer.
    let keepsConnection: Bool
    /// When its head came.
    let since: MonotonicTime
    /// The body so far; empty where it is thrown away.
    private(set) var body = ByteBuffer()

    init(_ head: HTTPRequestHead, purpose: RequestPurpose, now: MonotonicTime) {
        self.purpose = purpose
        keepsConnection = head.keepsConnection
        since = now
    }

    /// Takes a piece of the body, which counts with what `server` holds from then on. Nothing else may hold the request
    /// meanwhile: the body would be copied.
    ///
    /// - Returns: the bytes that count, or why the request is refused.
    mutating func append(_ bytes: ByteBuffer, _ server: QueryServerState, _ limits: HTTPLimits) -> Appended {
        guard body.readableBytes + bytes.readableBytes <= limits.largestBody else {
            return .refused(.tooLarge(largestBody: limits.largestBody))
        }
        guard let route = purpose.route else { return .held(bytes: 0) }
        guard server.holdBody(bytes: bytes.readableBytes, limit: limits.bodies) else {
            server.noteRejected(route.handle)
            return .refused(
                .overloaded(
                    because: "the bodies of the requests under way would take more than \(limits.bodies) bytes"))
        }
        if body.readableBytes == 0 {
            body = bytes
        } else {
            body.writeImmutableBuffer(bytes)
        }
        return .held(bytes: bytes.readableBytes)
    }
}
