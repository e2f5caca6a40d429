import ContainerRPC

/// What happened in a run, in order: a hash of all of it, and the last of it to be read.
struct History: Sendable {
    /// What an entry tells of. The numbers a, b and c mean what `text` makes of them.
    enum Kind: UInt8, Sendable {
        case arrived, hit, answered, defaulted
        case sent, completed, failed, unsent
        case replicaAdded, replicaLeaves, replicaRemoved, badMessage, told
        case opened, closed, accepted, lostAtFrontend, lostAtContainer
        case jobStarted, jobDone, jobRefused, response, failure, goodbye, misbehaved
        case fault, healed, operation, frontendDown, frontendUp, phase, turn
        case selectedArrived, chosen, finished, selectedAnswered, feedbackArrived, acknowledged
        case storeWorked, storeAnswered
    }

    struct Entry: Sendable {
        var time: MonotonicTime
        var kind: Kind
        var a: Int32
        var b: Int32
        var c: Int32
    }

    private static let keptWhenQuiet = 64

    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private var entries: [Entry] = []
    private var next = 0
    let keepsAll: Bool

    /// - Parameter keepsAll: keep every entry, not only the last.
    init(keepsAll: Bool) {
        self.keepsAll = keepsAll
    }

    mutating func note(_ kind: Kind, _ a: Int, _ b: Int = 0, _ c: Int = 0, at time: MonotonicTime) {
        let entry = Entry(
            time: time, kind: kind, a: Int32(truncatingIfNeeded: a), b: Int32(truncatingIfNeeded: b),
            c: Int32(truncatingIfNeeded: c))
        mix(UInt64(bitPattern: time.nanoseconds))
        mix(UInt64(kind.rawValue) << 32 | UInt64(UInt32(bitPattern: entry.a)))
        mix(UInt64(UInt32(bitPattern: entry.b)) << 32 | UInt64(UInt32(bitPattern: entry.c)))
        if keepsAll || entries.count < Self.keptWhenQuiet {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.keptWhenQuiet
        }
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 29
    }

    /// What is kept, the oldest first, a line each.
    var lines: [String] {
        (entries[next...] + entries[..<next]).map(\.text)
    }
}

extension History.Entry {
    fileprivate var text: String {
        let microseconds = time.nanoseconds / 1000
        let fraction = String(microseconds % 1000 + 1000).dropFirst()
        let stamp = String("\(microseconds / 1000).\(fraction) ms")
        return String(repeating: " ", count: max(0, 12 - stamp.count)) + stamp + "  " + sentence
    }

    private var sentence: String {
        switch kind {
        case .arrived: "query \(a) arrives for model \(b), due in \(c) µs"
        case .hit: "query \(a) is answered from the cache"
        case .answered: "query \(a) is answered after \(b) µs"
        case .defaulted: "query \(a) gets the default after \(b) µs: reason \(c)"
        case .sent: "batch \(UInt32(bitPattern: a)) of \(c) goes to replica \(b)"
        case .completed: "replica \(b) has answered batch \(UInt32(bitPattern: a)) of \(c)"
        case .failed: "replica \(b) has failed for batch \(UInt32(bitPattern: a)): code \(c)"
        case .unsent: "batch \(UInt32(bitPattern: a)) cannot be sent to replica \(b)"
        case .replicaAdded: "replica \(a) of model \(b) is added, container \(c)"
        case .replicaLeaves: "replica \(a) of container \(b) says goodbye, with \(c) batches"
        case .replicaRemoved: "replica \(a) of model \(b) is removed: reason \(c)"
        case .badMessage: "bad message from container \(a): kind \(b)"
        case .told: "connection \(a) is told \(Oracle.names[Int(c)]) in RPC \(b)"
        case .opened: "container \(a) opens connection \(b)"
        case .closed: "container \(a) closes connection \(b)"
        case .accepted: "the frontend accepts connection \(a) of container \(b), descriptor \(c)"
        case .lostAtFrontend: "the frontend's end of connection \(a) of container \(b) is gone, descriptor \(c)"
        case .lostAtContainer: "the container's end of connection \(a) of container \(b) is gone"
        case .jobStarted: "container \(a) begins batch \(UInt32(bitPattern: b)), \(c) µs"
        case .jobRefused: "container \(a) is \(c) µs too late for batch \(UInt32(bitPattern: b))"
        case .jobDone: "container \(a) has done batch \(UInt32(bitPattern: b))"
        case .response: "container \(a) answers batch \(UInt32(bitPattern: b)) by connection \(c)"
        case .failure: "container \(a) fails for batch \(UInt32(bitPattern: b)) by connection \(c)"
        case .goodbye: "container \(a) says goodbye by connection \(b)"
        case .misbehaved: "container \(a) misbehaves: \(Misbehaviour(rawValue: Int(b)).map { "\($0)" } ?? "?") (\(c))"
        case .fault: "\(Fault(rawValue: Int(a)).map { "\($0)" } ?? "?") of \(b), for \(c) µs"
        case .healed: "the end of \(Fault(rawValue: Int(a)).map { "\($0)" } ?? "?") of \(b)"
        case .operation: "operator: \(Operation(rawValue: Int(a)).map { "\($0)" } ?? "?") of \(b) (\(c))"
        case .frontendDown: "the frontend is gone, with \(a) queries"
        case .frontendUp: "the frontend is there, number \(a)"
        case .phase: "phase \(a)"
        case .selectedArrived: "query S\(a) arrives for policy \(b), due in \(c) µs"
        case .chosen: "input \(c) goes to model \(b), as one of ensemble \(a)"
        case .finished: "model \(b) of ensemble \(a) has its outcome\(c < 0 ? "" : ", reason \(c)")"
        case .selectedAnswered: "query S\(a) is answered after \(b) µs\(c < 0 ? "" : ", reason \(c)")"
        case .feedbackArrived: "feedback \(a) arrives for policy \(b)\(c < 0 ? "" : ", of query S\(c)")"
        case .acknowledged: "feedback \(a) is acknowledged: \(b)"
        case .storeWorked: "the store does \(a) requests"
        case .storeAnswered: "the store has answered \(a) requests"
        case .turn: "turn: \(a) queries, \(b) messages"
        }
    }
}
