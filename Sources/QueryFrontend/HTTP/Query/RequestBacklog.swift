import NIOCore
import NIOHTTP1

/// What was read of a connection's next requests while one was being answered; it counts as bodies under way do.
struct RequestBacklog {
    /// About what the head of a request takes in memory.
    private static let headBytes = 1024

    private let server: QueryServerState
    private let limit: Int
    private var parts = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 0)
    private var heldBytes = 0

    /// - Parameter limit: what bodies under way, and this, may take together, in bytes.
    init(_ server: QueryServerState, limit: Int) {
        self.server = server
        self.limit = limit
    }

    var isEmpty: Bool { parts.isEmpty }

    /// Whether another request begins with the next part.
    var beginsRequest: Bool { if case .head? = parts.first { true } else { false } }

    /// Keeps a part. False where that would be too much.
    mutating func append(_ part: HTTPServerRequestPart) -> Bool {
        let bytes = Self.bytes(of: part)
        guard server.holdBody(bytes: bytes, limit: limit) else { return false }
        heldBytes += bytes
        parts.append(part)
        return true
    }

    /// Takes the oldest part; there is one.
    mutating func removeFirst() -> HTTPServerRequestPart {
        let part = parts.removeFirst()
        release(Self.bytes(of: part))
        return part
    }

    mutating func removeAll() {
        parts.removeAll()
        release(heldBytes)
    }

    private mutating func release(_ bytes: Int) {
        heldBytes -= bytes
        server.releaseBody(bytes: bytes)
    }

    private static func bytes(of part: HTTPServerRequestPart) -> Int {
        switch part {
        case .head: headBytes
        case .body(let bytes): bytes.readableBytes
        case .end: 0
        }
    }
}
