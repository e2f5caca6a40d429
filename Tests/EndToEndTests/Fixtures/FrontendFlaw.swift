import ContainerRPC

/// What is wrong with a frontend behind a proxy.
enum FrontendFlaw: String, CaseIterable {
    case none
    case statesSeconds = "states its times in seconds"
    case statesMicroseconds = "states its times in microseconds"
    case sendsBatchesFirst = "sends batches before accepted"
    case numbersIDsBySession = "numbers batches by session"
    case otherNumber = "accepts with another number than it lists"
    case anotherReplica = "makes another replica of the same register"
    case ignoresOtherRegister = "ignores another register"
    case keepsRefused = "keeps what it has refused"
    case budgetInMilliseconds = "states budgets in milliseconds"
    case padsRows = "pads rows"
    case sortsRows = "sorts rows"
    case optionalItemType = "sends item-type without the mandatory bit"
    case mandatoryReplica = "sends replica with the mandatory bit"
    case acceptsWithID = "sends accepted with an id"
    case saysGoodbyeTwice = "says goodbye twice"
    case failsUnavailableItem = "does not send an unavailable item elsewhere"
    case sendsTooLargeAgain = "sends a batch that was too large again"
    /// None: it may speak RPC 4 alone.
    case speaksFourAlone = "speaks RPC 4 alone"
}

/// What a proxy makes of the messages of one container, by a flaw.
struct Meddling {
    private var ids: [UInt32: UInt32] = [:]
    private var nextID: UInt32 = 0
    private var accepted: [[UInt8]]?
    private var acceptances = 0
    private var hasRegistered = false
    /// Whether the container has said how much it takes.
    private var isBounded = false
    private var isRefused = false
    private var batches: [UInt32: [[UInt8]]] = [:]

    /// What the frontend and the container get when the container sends this.
    mutating func fromContainer(
        _ frames: [[UInt8]], _ flaw: FrontendFlaw
    ) -> (onward: [[[UInt8]]], back: [[[UInt8]]]) {
        guard let head = frames.first, head.count >= 12 else {
            // A heartbeat: whoever has been refused is answered as if nothing had been.
            if flaw == .keepsRefused, isRefused { return ([], [encoded(.heartbeat(.keepAlive))]) }
            return ([frames], [])
        }
        let (type, id) = (head[4], Self.id(of: head))
        switch flaw {
        case .ignoresOtherRegister where type == 8 && hasRegistered: return ([], [encoded(.accepted(replica: 0))])
        case .numbersIDsBySession where type == 9 || type == 10:
            return ([Self.with(id: ids[id] ?? id, frames)], [])
        case .failsUnavailableItem where frames.count == 4 && frames[3].count > 4 && frames[3][4] == 5:
            var frames = frames
            frames[3][4] = 1
            return ([frames], [])
        // The head of a failure ends with its code, and the reason after it.
        case .sendsTooLargeAgain where type == 10 && head.count >= 20 && head[16] == 4:
            return ([], batches[id].map { [$0] } ?? [])
        default:
            if type == 8, case .newContainer(let registration) = try? RPC4.decodeContainerMessage(FrameList(frames)) {
                hasRegistered = true
                isBounded = registration.details.largestBatch != nil
            }
            return ([frames], [])
        }
    }

    /// What the container gets when the frontend sends this.
    mutating func fromFrontend(_ frames: [[UInt8]], _ flaw: FrontendFlaw) -> [[[UInt8]]] {
        let list = FrameList(frames)
        guard list.isVersion4, let message = try? RPC4.decodeFrontendMessage(list) else { return [frames] }
        switch (message, flaw) {
        case (.welcome(let welcome), .statesSeconds): return [Self.welcome(welcome) { $0 / 1_000 }]
        case (.welcome(let welcome), .statesMicroseconds): return [Self.welcome(welcome) { $0 * 1_000 }]
        case (.refused, .keepsRefused): isRefused = true
        case (.goodbye, .saysGoodbyeTwice): return [frames, frames]
        case (.accepted(let replica), _): return accepted(replica, frames, flaw)
        case (.request(let request), _): return batch(request, frames, flaw)
        default: break
        }
        return [frames]
    }

    private mutating func accepted(_ replica: UInt32?, _ frames: [[UInt8]], _ flaw: FrontendFlaw) -> [[[UInt8]]] {
        acceptances += 1
        switch flaw {
        // It waits for the first batch.
        case .sendsBatchesFirst where !isBounded:
            accepted = frames
            return []
        case .otherNumber: return [encoded(.accepted(replica: (replica ?? 0) + 1))]
        case .anotherReplica where acceptances > 1: return [encoded(.accepted(replica: (replica ?? 0) + 1))]
        case .mandatoryReplica: return [Self.with(bit: 0x80, frames)]
        case .acceptsWithID: return [Self.with(id: 1, frames)]
        default: return [frames]
        }
    }

    private mutating func batch(_ request: PredictRequest, _ frames: [[UInt8]], _ flaw: FrontendFlaw) -> [[[UInt8]]] {
        batches[request.id] = frames
        let rows = request.inputs.payloads.map(\.bytes)
        switch flaw {
        case .sendsBatchesFirst:
            defer { accepted = nil }
            return [frames] + (accepted.map { [$0] } ?? [])
        case .numbersIDsBySession:
            nextID += 1
            ids[nextID] = request.id
            return [Self.with(id: nextID, frames)]
        case .budgetInMilliseconds: return [encoded(request, rows, budget: request.budget.map { $0 / 1_000 })]
        case .padsRows:
            let longest = rows.map(\.count).max() ?? 0
            return [encoded(request, rows.map { $0 + [UInt8](repeating: 0, count: longest - $0.count) })]
        case .sortsRows: return [encoded(request, rows.sorted { $0.count < $1.count })]
        case .optionalItemType: return [Self.with(bit: 0, frames)]
        default: return [frames]
        }
    }

    // MARK: Frames

    private func encoded(_ message: FrontendMessage) -> [[UInt8]] {
        var list = FrameList()
        RPC4.encode(message, into: &list)
        return list.frames
    }

    private func encoded(_ request: PredictRequest, _ rows: [[UInt8]], budget: Duration? = nil) -> [[UInt8]] {
        var list = FrameList()
        RPC4.encodeRequest(
            id: request.id, inputType: request.inputs.type, inputs: rows.map { Payload(copying: $0) },
            budget: budget ?? request.budget, into: &list)
        return list.frames
    }

    private static func welcome(_ welcome: Welcome, _ change: (Duration) -> Duration) -> [[UInt8]] {
        let changed = Welcome(
            heartbeatInterval: change(welcome.heartbeatInterval), silenceLimit: change(welcome.silenceLimit))
        return Meddling().encoded(.welcome(changed))
    }

    private static func id(of head: [UInt8]) -> UInt32 {
        head[8..<12].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func with(id: UInt32, _ frames: [[UInt8]]) -> [[UInt8]] {
        var frames = frames
        frames[0].replaceSubrange(8..<12, with: (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) })
        return frames
    }

    /// With another bit that makes the first field mandatory, whose tag begins at 12.
    private static func with(bit: UInt8, _ frames: [[UInt8]]) -> [[UInt8]] {
        var frames = frames
        if frames[0].count > 13 { frames[0][13] = frames[0][13] & 0x7f | bit }
        return frames
    }
}
