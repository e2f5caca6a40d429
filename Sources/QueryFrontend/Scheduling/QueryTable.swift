import ContainerRPC
import DequeModule

/// The queries of one model that wait or are in flight, each under a reference that is never used again.
///
/// A queue entry, a batch and its hedge can name the same query; whoever comes after its end finds the reference stale.
struct QueryTable: Sendable {
    /// Names one query.
    struct Reference: Hashable, Sendable {
        private let number: UInt32
        /// Tells apart those who had the slot one after the other.
        let generation: UInt32

        fileprivate init(slot: Int, generation: UInt32) {
            number = UInt32(slot)
            self.generation = generation
        }

        var slot: Int { Int(number) }
    }

    /// One query, with all who wait for its output.
    struct Entry: Sendable {
        var query: Query
        // Small ones together: of a hundred thousand that wait, each is in memory far away when its turn comes.
        /// All who waited have had their outcome; the output is still on its way, for the cache.
        var isAnswered = false
        /// An equal query can join it.
        var isJoinable = false
        /// It waits for a replica.
        var isQueued = false
        /// A replica has had it: what it waits for from then on is not its turn, and its hedging is paid for.
        var wasSent = false
        /// Replicas that were lost with it; more than two are no more than two.
        var losses: UInt8 = 0
        /// Whether its computation has failed once.
        var hasFailed = false
        /// Batches in flight that carry it.
        var copies: UInt8 = 0
        /// Those who asked the same while it was under way, by deadline; the first who waits is due before them.
        var others: Deque<Waiter> = []
        /// The turn of the queue entry that counts.
        var turn: UInt64 = 0
        /// Where it was sent last.
        var sent: (replica: ReplicaID, batch: UInt32)?
        /// The first application that asked for it and hedges.
        var hedger: ApplicationHandle?
        /// It waits as a hedge, for which this application has paid.
        var hedgePaidBy: ApplicationHandle?
        /// The replica that is late with it, or has refused it: it goes to another.
        var avoided: ReplicaID?

        init(query: Query) {
            self.query = query
        }

        /// One more waits for it.
        mutating func join(_ waiter: Waiter) {
            if waiter.deadline < query.waiter.deadline {
                others.prepend(query.waiter)
                query.waiter = waiter
                return
            }
            // Those of one application come in the order of their deadlines.
            if let last = others.last, last.deadline > waiter.deadline {
                others.insert(waiter, at: others.boundary(below: { $0.deadline <= waiter.deadline }))
            } else {
                others.append(waiter)
            }
        }
    }

    private var slots: [Entry?] = []
    /// Odd while a slot is taken: a look at it would copy the query.
    private var generations: [UInt32] = []
    private var free: [Int] = []
    private(set) var count = 0

    mutating func insert(_ query: Query) -> Reference {
        count += 1
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = Entry(query: query)
        } else {
            slot = slots.count
            slots.append(Entry(query: query))
            if slot == generations.count { generations.append(0) }
        }
        generations[slot] &+= 1
        return Reference(slot: slot, generation: generations[slot])
    }

    /// Whether the query has not ended yet.
    func contains(_ reference: Reference) -> Bool {
        generations.indices.contains(reference.slot) && generations[reference.slot] == reference.generation
    }

    /// The reference of the query that holds a slot now.
    func reference(slot: Int) -> Reference? {
        guard generations.indices.contains(slot), generations[slot] & 1 == 1 else { return nil }
        return Reference(slot: slot, generation: generations[slot])
    }

    /// Whether the query in a slot that is taken asks this.
    func holds(_ input: Payload, in slot: Int) -> Bool {
        slots[slot]?.query.input == input
    }

    /// Brings what is in a slot near the processor.
    func prefetch(slot: Int) {
        guard slots.indices.contains(slot) else { return }
        slots.withUnsafeBufferPointer { $0.prefetch(slot) }
        generations.withUnsafeBufferPointer { $0.prefetch(slot) }
    }

    /// The query of a reference that is not stale.
    subscript(reference: Reference) -> Entry {
        _read {
            precondition(contains(reference), "a stale reference to a query")
            // Proven by the line above: references are made of taken slots alone, and nothing from outside makes one.
            yield slots[reference.slot]!
        }
        _modify {
            precondition(contains(reference), "a stale reference to a query")
            // Proven by the line above.
            yield &slots[reference.slot]!
        }
    }

    /// The query has ended.
    mutating func remove(_ reference: Reference) {
        guard contains(reference) else { return }
        slots[reference.slot] = nil
        generations[reference.slot] &+= 1
        count -= 1
        free.append(reference.slot)
        // A burst's memory goes back once it is over. Generations stay: references to it may still be about.
        if count == 0, slots.count > 4096 {
            slots = []
            free = []
        }
    }

    /// The references of all queries, in no order that means anything, but always in the same.
    var references: [Reference] {
        slots.indices.compactMap { reference(slot: $0) }
    }
}
