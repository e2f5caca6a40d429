import ContainerRPC
import Foundation

/// Stands between containers and a right frontend, and makes a wrong one of it: it changes one thing that they say.
final class MeddlingProxy: Sendable {
    /// Where containers connect.
    let endpoint: String
    private let isStopped = Locked(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Serves from a thread of its own until it is stopped.
    ///
    /// - Parameter frontend: where the frontend takes containers.
    init(_ flaw: FrontendFlaw, before frontend: String) throws {
        let bound = Locked("")
        let isBound = DispatchSemaphore(value: 0)
        let (isStopped, hasEnded) = (isStopped, hasEnded)
        Thread {
            defer { hasEnded.signal() }
            guard let link = try? Link(flaw, frontend) else {
                isBound.signal()
                return
            }
            bound.withLock { $0 = link.endpoint }
            isBound.signal()
            while !isStopped.withLock({ $0 }) { guard (try? link.turn()) != nil else { return } }
        }.start()
        isBound.wait()
        endpoint = bound.withLock { $0 }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        hasEnded.wait()
    }
}

/// The sockets of the proxy: one for all containers, and to the frontend one for each of them.
private final class Link {
    let endpoint: String
    private let flaw: FrontendFlaw
    private let frontend: String
    private let context: Context
    private let router: Socket
    private var message: ReceivedMessage
    private var peers: [RoutingID: Peer] = [:]

    init(_ flaw: FrontendFlaw, _ frontend: String) throws {
        self.flaw = flaw
        self.frontend = frontend
        let context = try Context()
        let router = try Socket(.router, in: context)
        message = router.makeMessage()
        endpoint = try router.bind("tcp://127.0.0.1:0")
        self.context = context
        self.router = router
    }

    /// Hands on what is there, and waits for more.
    func turn() throws {
        var isIdle = true
        while try router.receive(into: &message) {
            isIdle = false
            let id = message.routingID
            let peer = try peers[id] ?? Peer(id, to: frontend, in: context)
            peers[id] = peer
            if flaw == .speaksFourAlone, !id.offersVersion4 { continue }
            let (onward, back) = peer.meddling.fromContainer(message.copiedFrames, flaw)
            peer.waiting += onward
            for frames in back { _ = try router.send(frames: frames, to: id) }
        }
        for (id, peer) in peers {
            try peer.sendWaiting()
            for frames in try peer.received() {
                isIdle = false
                for frames in peer.meddling.fromFrontend(frames, flaw) { _ = try router.send(frames: frames, to: id) }
            }
        }
        guard isIdle else { return }
        _ = try waitForInput(
            [try router.descriptor()] + peers.values.map { try $0.socket.descriptor() }, timeout: .milliseconds(10))
    }
}

/// A container, as the frontend sees it.
private final class Peer {
    let socket: Socket
    var meddling = Meddling()
    /// What the frontend is to get, once it is connected.
    var waiting: [[[UInt8]]] = []
    private var message: ReceivedMessage

    init(_ id: RoutingID, to frontend: String, in context: Context) throws {
        let socket = try Socket(.dealer, in: context)
        if id.offersVersion4 { try socket.setRoutingID(id) }
        try socket.connect(frontend)
        message = socket.makeMessage()
        self.socket = socket
    }

    func sendWaiting() throws {
        while let frames = waiting.first, try socket.send(frames: frames) == .sent { waiting.removeFirst() }
    }

    func received() throws -> [[[UInt8]]] {
        var all: [[[UInt8]]] = []
        while try socket.receive(into: &message) { all.append(message.copiedFrames) }
        return all
    }
}
