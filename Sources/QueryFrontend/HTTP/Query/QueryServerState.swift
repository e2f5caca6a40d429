import ContainerRPC
import NIOHTTP1
import Synchronization

/// What all event loops of a query server share.
final class QueryServerState: Sendable {
    private let queryIDs: Atomic<UInt64>
    private let connections = Atomic<Int>(0)
    let refused = RefusedConnections()
    let pages = SharedPages()
    private let bodyBytes = Atomic<Int>(0)
    private let stopping = Atomic(false)
    private let draining = Atomic(false)
    /// Requests that were refused because there were too many. Only a refusal takes the lock.
    private let rejections = Locked<[ApplicationHandle: Int]>([:])
    /// Requests and connections that were answered with an error, by its status.
    private let failures = Locked<[Int: Int]>([:])
    /// Says that the last connection is closed, once the server drains.
    private let closed: AsyncStream<Void>
    private let closedContinuation: AsyncStream<Void>.Continuation

    /// - Parameter firstQueryID: where ids begin.
    init(firstQueryID: UInt64 = 0) {
        queryIDs = Atomic(firstQueryID)
        (closed, closedContinuation) = AsyncStream.makeStream()
    }

    /// Takes consecutive query ids, and returns the first.
    func takeQueryIDs(_ count: Int) -> UInt64 {
        queryIDs.wrappingAdd(UInt64(count), ordering: .relaxed).oldValue
    }

    /// A request is answered with 503, because there were too many queries.
    func noteRejected(_ application: ApplicationHandle) {
        rejections.withLock { $0[application, default: 0] += 1 }
    }

    /// A request, or a connection, is answered with an error.
    func noteError(_ status: HTTPResponseStatus) {
        failures.withLock { $0[Int(status.code), default: 0] += 1 }
    }

    /// How many requests and connections were answered with an error, by its status.
    var errors: [Int: Int] { failures.withLock { $0 } }

    /// Those of applications that are gone count no more.
    func keepRejected(of applications: Set<ApplicationHandle>) {
        rejections.withLock { rejections in rejections = rejections.filter { applications.contains($0.key) } }
    }

    /// How many requests of each application were refused since it was registered.
    var rejected: [ApplicationHandle: Int] { rejections.withLock { $0 } }

    /// Whether another connection is within the limit; then it counts.
    func admitConnection(limit: Int) -> Bool {
        if connections.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue <= limit { return true }
        connections.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        return false
    }

    /// Whether so many bytes of a body more are within the limit; then they count until they are released.
    func holdBody(bytes: Int, limit: Int) -> Bool {
        guard bytes > 0 else { return true }
        // Not added and taken back: what is refused would make others be refused meanwhile.
        var held = bodyBytes.load(ordering: .relaxed)
        while held + bytes <= limit {
            let exchange = bodyBytes.weakCompareExchange(
                expected: held, desired: held + bytes, ordering: .relaxed)
            if exchange.exchanged { return true }
            held = exchange.original
        }
        return false
    }

    func releaseBody(bytes: Int) {
        bodyBytes.wrappingSubtract(bytes, ordering: .relaxed)
    }

    /// What is open and held at this moment.
    var load: HTTPLoad {
        HTTPLoad(
            connections: connections.load(ordering: .relaxed), heldBytes: bodyBytes.load(ordering: .relaxed))
    }

    func connectionClosed() {
        let left = connections.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue
        if left == 0, isDraining { closedContinuation.finish() }
    }

    /// Whether a stop has been announced: whoever asks whether it is ready hears no, and all else is as before.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func announceStop() {
        stopping.store(true, ordering: .relaxed)
    }

    /// Whether each connection ends with what has begun on it.
    var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }

    func beginDraining() {
        announceStop()
        draining.store(true, ordering: .sequentiallyConsistent)
    }

    /// Waits until the last connection is closed; `beginDraining` comes first.
    func allConnectionsClosed() async {
        if connections.load(ordering: .sequentiallyConsistent) == 0 { return }
        for await _ in closed {}
    }
}
