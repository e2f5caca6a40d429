import ContainerRPC
import DequeModule

/// The queries of the last minutes, so that feedback can name them. Bounded by number, by bytes and by age.
struct AnsweredQueries: Sendable {
    /// One query as it was answered.
    struct Answered: Sendable {
        /// A model that was asked.
        struct Member: Sendable {
            var model: String
            /// How probable it was that it would be asked; `nil` for one that only watched.
            var probability: Float?
            /// What it answered; `nil` where it did not in time.
            var output: String?
            /// Whether it is the model's own fault that there is no output: it was too slow, or has failed.
            var hasFailed = false
            /// Whether the output was made of its answer, among others.
            var isCombined = false
        }

        var application: ApplicationHandle
        var user: String?
        var members: [Member]
        /// The names of all models that could have been chosen.
        var candidates: [String]
        /// What the application was answered; `nil` where that was the default output.
        var output: Combination.Output?

        /// Whether a model that was to answer has.
        var hasAnswer: Bool { members.contains { $0.output != nil && $0.probability != nil } }

        /// Whether only one model was asked to answer, and has failed to.
        var failedAlone: Bool {
            let asked = members.filter { $0.probability != nil }
            return asked.count == 1 && asked[0].hasFailed
        }

        init(
            application: ApplicationHandle, user: String? = nil, members: [Member], candidates: [String],
            output: Combination.Output? = nil
        ) {
            self.application = application
            self.user = user
            self.members = members
            self.candidates = candidates
            self.output = output
        }

        /// What a shadow alone has answered.
        init(shadow: String, _ output: ModelOutput, _ application: ApplicationHandle) {
            self.init(
                application: application, members: [Member(model: shadow, output: output.text)], candidates: [],
                output: nil)
        }

        /// About what it takes in memory.
        var byteCount: Int {
            let own = if case .text(let text) = output { text.utf8.count } else { 0 }
            let names = MemoryLayout<String>.stride * candidates.count
            return members.reduce(256 + (user?.utf8.count ?? 0) + own + names) {
                $0 + 64 + ($1.output?.utf8.count ?? 0)
            }
        }
    }

    /// How many queries are kept, and how long.
    private let capacity: Int
    private let capacityBytes: Int
    private let age: Duration
    private var queries: [UInt64: (query: Answered, bytes: Int)] = [:]
    private var order: Deque<(id: UInt64, answered: MonotonicTime)> = []
    private(set) var byteCount = 0

    init(capacity: Int, capacityBytes: Int, age: Duration) {
        self.capacity = max(0, capacity)
        self.capacityBytes = capacityBytes
        self.age = age
    }

    /// How many queries are kept.
    var count: Int { queries.count }

    /// Keeps a query, in place of the oldest where there are too many.
    mutating func insert(_ query: Answered, id: UInt64, now: MonotonicTime) {
        removeOld(now: now)
        let bytes = query.byteCount
        guard capacity > 0, bytes <= capacityBytes else { return }
        while order.count >= capacity || byteCount + bytes > capacityBytes { removeFirst() }
        queries[id] = (query, bytes)
        order.append((id, now))
        byteCount += bytes
    }

    /// A query of an application; `nil` where it is none of it, or too old.
    mutating func query(_ id: UInt64, of application: ApplicationHandle, now: MonotonicTime) -> Answered? {
        removeOld(now: now)
        guard let query = queries[id]?.query, query.application == application else { return nil }
        return query
    }

    /// An application is gone: no feedback is for what it was asked. The places in the order are left by and by.
    mutating func forget(_ application: ApplicationHandle) {
        for (id, entry) in queries where entry.query.application == application {
            byteCount -= entry.bytes
            queries[id] = nil
        }
    }

    /// A model that only watched has answered after the query was.
    mutating func note(_ output: String, of member: Int, in id: UInt64) {
        let bytes = output.utf8.count
        guard queries[id] != nil else { return }
        while byteCount + bytes > capacityBytes {
            // Not by its own place, should it be the oldest.
            guard order.first?.id != id else { return }
            removeFirst()
        }
        queries[id]?.query.members[member].output = output
        queries[id]?.bytes += bytes
        byteCount += bytes
    }

    private mutating func removeOld(now: MonotonicTime) {
        while let oldest = order.first, now - oldest.answered > age { removeFirst() }
    }

    private mutating func removeFirst() {
        let oldest = order.removeFirst()
        byteCount -= queries.removeValue(forKey: oldest.id)?.bytes ?? 0
    }
}
