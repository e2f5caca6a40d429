import ContainerRPC
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A session that a container has opened with the played frontend.
struct PlayedSession {
    let peer: RoutingID
    let registration: Registration
    /// The registration as it came.
    let frames: [[UInt8]]
}

/// What came from the container.
enum ContainerEvent {
    /// A heartbeat of the session, which has been answered if heartbeats are.
    case heartbeat(at: MonotonicTime)
    /// The first heartbeat from another routing id: the container has opened another session.
    case opening(RoutingID, at: MonotonicTime)
    /// The metadata of the session, once more.
    case registration(Registration)
    /// A batch was answered; `BatchBook` has the answer.
    case answered(UInt32)
    case goodbye(Goodbye)
    case notice
}

/// One container at work, and the frontend that is played against it. It is used by one thread.
final class ContainerPlay {
    let version: RPCVersion
    let options: ContainerRun.Options
    let frontend: PlayedFrontend
    /// What the frontend speaks at the moment.
    var spoken: RPCVersion
    /// What a *welcome* says.
    var timing = Welcome(heartbeatInterval: .milliseconds(200), silenceLimit: .seconds(20), software: "conformance")
    /// Whether heartbeats are answered.
    var answersHeartbeats = true
    /// The end of the process is what is waited for.
    var mayEnd = false

    private(set) var process: StartedCommand?
    var session: PlayedSession?
    /// The versions that it has registered in.
    var registeredVersions: Set<RPCVersion> = []
    /// Whether it ever registered.
    var hasRegistered: Bool { !registeredVersions.isEmpty }
    /// The routing ids of sessions that are over.
    var formerPeers: Set<RoutingID> = []
    var book = BatchBook()
    var goodbyes = GoodbyeBook()
    /// How often the container has registered in RPC 4 without a *welcome* that asked for it.
    private(set) var unaskedRegistrations = 0

    /// The last id of a batch.
    var ids: UInt32 = 0x00c0_ffee

    /// A session that the container has opened, and that was not taken up yet.
    var opening: (peer: RoutingID, at: MonotonicTime)?
    private let inputType: InputType?
    /// What all processes of the run are called by.
    let chosenIDs: ChosenIDs
    /// The process's number among those of the run.
    private(set) var processNumber = 0

    /// Starts a frontend, and nothing else.
    ///
    /// - Parameter inputType: what the container is told to take; `nil` leaves it to the options.
    init(
        _ options: ContainerRun.Options, version: RPCVersion, inputType: InputType? = nil,
        chosenIDs: ChosenIDs = ChosenIDs()
    ) throws {
        self.options = options
        self.version = version
        self.chosenIDs = chosenIDs
        self.inputType = inputType ?? options.inputType
        spoken = version
        frontend = try PlayedFrontend()
    }

    var bounds: Bounds { options.bounds }

    // MARK: The process

    /// Starts the container.
    ///
    /// - Parameters:
    ///   - name: of the model, as it is told to register it; `nil` for that of the options.
    ///   - version: of the model, likewise.
    func start(named name: String? = nil, version: String? = nil) throws {
        var environment = [
            "CLIPPER_MODEL_NAME": name ?? options.modelName, "CLIPPER_MODEL_VERSION": version ?? options.modelVersion,
            "CLIPPER_IP": "127.0.0.1", "CLIPPER_PORT": "\(frontend.port)",
        ]
        if let inputType { environment["CLIPPER_INPUT_TYPE"] = inputType.name }
        frontend.remark("the container is started")
        processNumber = chosenIDs.beginProcess()
        process = try StartedCommand(options.command, environment: environment)
    }

    /// Tells the container to stop.
    func terminate() {
        frontend.remark("SIGTERM is sent to the container")
        goodbyes.stop()
        process?.signal(SIGTERM)
    }

    /// Kills what still runs.
    func end() {
        process?.finish()
        process = nil
    }

    // MARK: Events

    /// What the container sends next; `nil` if nothing has come when the time is up, or when it has ended and may.
    ///
    /// - Throws: `Fault` at whatever no container may ever send.
    func next(until deadline: MonotonicTime) throws -> ContainerEvent? {
        while true {
            let soon = min(deadline, .now() + .milliseconds(100))
            if let received = try frontend.receive(until: soon) {
                if let event = try take(received) { return event }
                continue
            }
            if let end = process?.programEnd {
                // What it sent last may still be on its way.
                if let received = try frontend.receive(until: .now() + .milliseconds(100)) {
                    if let event = try take(received) { return event }
                    continue
                }
                if mayEnd { return nil }
                throw Fault(expected: "the process to live", but: "it has ended with \(end)")
            }
            if MonotonicTime.now() >= deadline { return nil }
        }
    }

    private func take(_ received: ReceivedFrames) throws -> ContainerEvent? {
        let list = FrameList(received.frames)
        let message: ContainerMessage
        do throws(WireError) {
            if list.isVersion4, received.peer.offersVersion4, spoken == .four {
                message = try RPC4.decodeContainerMessage(list)
            } else {
                message = try RPC3.decodeContainerMessage(list)
            }
        } catch {
            throw malformed(received, error)
        }
        switch message {
        case .newContainer: break  // The scenario `registration` sees to it: one fault is not told in every scenario.
        default: if let fault = FieldTags.fault(in: received.frames) { throw fault }
        }
        if let session, received.peer == session.peer {
            switch message {
            // These two stand at a session's beginning, before its version is settled.
            case .heartbeat, .newContainer: break
            case _ where spoken == .four && !list.isVersion4:
                throw Fault(
                    expected: "messages of RPC 4 in a session of RPC 4",
                    but: "the container sent one of RPC 3: \(MessageNames.name(of: message))")
            default: break
            }
            return try take(message, received)
        }
        guard !formerPeers.contains(received.peer) else {
            switch message {
            case .heartbeat: return nil
            case .newContainer where spoken == .four:
                unaskedRegistrations += 1
                return nil
            // These may have been on their way when it ended.
            case .response(let response) where book.isOrphan(response.id): return nil
            case .failure(let failure) where book.isOrphan(failure.id): return nil
            default:
                throw Fault(
                    expected: "nothing but heartbeats in a session that is over",
                    but: "its routing id \(received.peer) sent: \(MessageNames.name(of: message))")
            }
        }
        guard case .heartbeat = message else {
            if opening?.peer == received.peer, case .newContainer = message {
                throw Fault(
                    expected: "no metadata before they are asked for",
                    but: "the container sent \(MessageNames.name(of: message)) right after its first heartbeat")
            }
            throw Fault(
                expected: "a heartbeat as the first message of a session",
                but: "\(received.peer) sent: \(MessageNames.name(of: message))")
        }
        if opening?.peer == received.peer { return nil }
        opening = (received.peer, received.at)
        return .opening(received.peer, at: received.at)
    }

    private func take(_ message: ContainerMessage, _ received: ReceivedFrames) throws -> ContainerEvent? {
        switch message {
        case .heartbeat:
            if answersHeartbeats { try send(.heartbeat(.keepAlive)) }
            return .heartbeat(at: received.at)
        case .newContainer(let registration):
            try checkRegistration(registration, received.frames)
            guard registration == session?.registration else {
                throw Fault(
                    expected: "the same metadata again (\(describe(session?.registration)))",
                    but: "it is \(describe(registration)) now")
            }
            // A frontend bears it. That it came is told by the scenario `registration`, not by all.
            if spoken == .four, !book.isAsked {
                unaskedRegistrations += 1
                try send(.accepted(replica: 0))
                return .notice
            }
            book.forget()
            if spoken == .four { try send(.accepted(replica: 0)) }
            return .registration(registration)
        case .response(let response):
            try book.take(response)
            return .answered(response.id)
        case .failure(let failure):
            try book.take(failure)
            return .answered(failure.id)
        case .goodbye(let goodbye):
            try goodbyes.came()
            return .goodbye(goodbye)
        case .notice:
            return .notice
        }
    }

    func malformed(_ received: ReceivedFrames, _ error: WireError) -> Fault {
        if spoken == .three, received.peer.offersVersion4,
            (try? RPC4.decodeContainerMessage(FrameList(received.frames))) != nil
        {
            return Fault(
                expected: "messages of RPC 3 to a frontend that speaks RPC 3",
                but: "it sent one of RPC 4: \(MessageNames.fromContainer(received.frames))")
        }
        return Fault("the container sent a malformed message: \(error)")
    }

    private func describe(_ registration: Registration?) -> String {
        registration.map { MessageNames.name(of: .newContainer($0)) } ?? "none"
    }

    // MARK: Sending

    /// Sends a message in the version that the frontend speaks.
    @discardableResult
    func send(_ message: FrontendMessage, to peer: RoutingID? = nil) throws -> Bool {
        if case .goodbye = message { goodbyes.sent() }
        return try send(frames: encoded(message), to: peer)
    }

    /// Sends any frames.
    @discardableResult
    func send(frames: [[UInt8]], to peer: RoutingID? = nil, remark: String? = nil) throws -> Bool {
        guard let peer = peer ?? session?.peer else { throw Fault("the kit has no session to send to") }
        return try frontend.send(frames, to: peer, remark: remark)
    }

    /// The frames of a message in the version that the frontend speaks.
    func encoded(_ message: FrontendMessage) -> [[UInt8]] {
        var list = FrameList()
        switch spoken {
        case .three: RPC3.encode(message, into: &list)
        case .four: RPC4.encode(message, into: &list)
        }
        return list.frames
    }
}

/// The container does not offer RPC 4, and need not.
struct NotOffered: Error {}

/// The container leaves a frontend that speaks RPC 3, which one of RPC 4 alone does.
struct SpeaksOnlyVersion4: Error {
    static let reason =
        "the container speaks RPC 4 alone: answered in RPC 3, it opens another session (rpc-4.md 2, rule 7)"
}
