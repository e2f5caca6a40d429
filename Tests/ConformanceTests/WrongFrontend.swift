import ContainerConformance
import ContainerRPC
import Foundation

/// A frontend that only meets containers, and does one thing wrong.
final class WrongFrontend: Sendable {
    enum Flaw: String, CaseIterable {
        case none
        case answersNothing = "answers nothing"
        case keepsStrangersAlive = "keeps strangers alive"
        case shortSilenceLimit = "states too short a silence limit"
        case surplusFrame = "sends a surplus frame"
        case sendsFourToThree = "sends RPC 4 to those that do not offer it"
        case acceptsAnything = "accepts anything"
        case refusesWithAnotherCode = "refuses with another code"
    }

    let endpoint: String
    private let isStopped = Locked(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Serves from a thread of its own until it is stopped.
    init(_ flaw: Flaw) throws {
        let context = try Context()
        let bound = Locked("")
        let isBound = DispatchSemaphore(value: 0)
        let (isStopped, hasEnded) = (isStopped, hasEnded)
        Thread {
            defer { hasEnded.signal() }
            guard let socket = try? Socket(.router, in: context), let endpoint = try? socket.bind("tcp://127.0.0.1:0")
            else {
                isBound.signal()
                return
            }
            bound.withLock { $0 = endpoint }
            isBound.signal()
            var message = socket.makeMessage()
            while !isStopped.withLock({ $0 }) {
                guard (try? socket.receive(into: &message)) == true else {
                    guard let descriptor = try? socket.descriptor() else { return }
                    _ = try? waitForInput([descriptor], timeout: .milliseconds(20))
                    continue
                }
                let peer = message.routingID
                for frames in Self.answers(to: message.copiedFrames, from: peer, flaw) {
                    _ = try? socket.send(frames: frames, to: peer)
                }
            }
        }.start()
        isBound.wait()
        endpoint = bound.withLock { $0 }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        hasEnded.wait()
    }

    /// What it says to a message: it knows nobody, and takes nobody.
    private static func answers(to frames: [[UInt8]], from peer: RoutingID, _ flaw: Flaw) -> [[[UInt8]]] {
        let version: RPCVersion = peer.offersVersion4 || flaw == .sendsFourToThree ? .four : .three
        let list = FrameList(frames)
        do throws(WireError) {
            let message =
                try list.isVersion4 && peer.offersVersion4
                ? RPC4.decodeContainerMessage(list) : RPC3.decodeContainerMessage(list)
            switch message {
            case .heartbeat where flaw == .answersNothing: return []
            case .heartbeat where flaw == .keepsStrangersAlive: return [encoded(.heartbeat(.keepAlive), version)]
            case .heartbeat:
                let limit = Duration.seconds(flaw == .shortSilenceLimit ? 6 : 30)
                let welcome = Welcome(heartbeatInterval: .seconds(5), silenceLimit: limit)
                var frames = encoded(version == .four ? .welcome(welcome) : .heartbeat(.requestMetadata), version)
                if flaw == .surplusFrame { frames.append([1]) }
                return [frames]
            default: return []
            }
        } catch {
            let isRegister = frames.first.map { $0.count >= 8 && $0[4] == 8 } ?? false
            guard isRegister else { return [] }
            if flaw == .acceptsAnything { return [encoded(.accepted(replica: 0), .four)] }
            let code: RefusalCode = error.kind == .unknownField ? .unknownField : .invalid
            let refusal = Refusal(flaw == .refusesWithAnotherCode ? .notWanted : code, reason: "\(error)")
            return [encoded(.refused(refusal), .four)]
        }
    }

    private static func encoded(_ message: FrontendMessage, _ version: RPCVersion) -> [[UInt8]] {
        var list = FrameList()
        switch version {
        case .three: RPC3.encode(message, into: &list)
        case .four: RPC4.encode(message, into: &list)
        }
        return list.frames
    }
}
