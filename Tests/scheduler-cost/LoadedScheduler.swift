import ContainerRPC
import QueryFrontend

/// A scheduler with a number of queries waiting, and a replica that answers a batch for each that is sent.
///
/// Time is only the scheduler's argument here: a batch of n takes 1 ms + n × 10 µs of it.
struct LoadedScheduler {
    /// Queries per batch, and per turn of the dispatch thread.
    static let batchSize = 64
    /// So long that all of the queue can be answered in time.
    private static let slo = Duration.seconds(3600)
    private static let model = ModelHandle(index: 0)
    private static let replica = ReplicaID(number: 0)

    /// What was measured, in nanoseconds for each query.
    struct Cost {
        /// Taking a query in: the decision whether it can be answered in time, and its place in the queue.
        var admission = 0.0
        /// From the queue into a batch, and from its answer to the outcome.
        var rest = 0.0
        var total: Double { admission + rest }
    }

    private var scheduler: Scheduler
    private var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var inFlight: [(batch: UInt32, size: Int)] = []
    private var request: UInt64 = 0
    private let depth: Int
    private let deadlinesVary: Bool

    /// - Parameters:
    ///   - depth: how many queries wait.
    ///   - deadlinesVary: whether each query says itself how long it waits, so that they come in no order at all.
    init(depth: Int, deadlinesVary: Bool) {
        self.depth = depth
        self.deadlinesVary = deadlinesVary
        scheduler = Scheduler(bounds: Scheduler.Bounds(queuedQueries: 4 * depth, queuedBytes: .max))
        scheduler.setModel(
            Self.model, ModelSettings(inputType: .float64, batching: Batching(maxBatch: Self.batchSize)))
        scheduler.addReplica(Self.replica, of: Self.model, inputType: .float64, now: now)
        // The replica's latency is known before the queue grows, as it is when a frontend has been running for a while.
        for _ in 0..<500 { turn(submitting: Self.batchSize) }
        while scheduler.queuedCount(of: Self.model) < depth {
            for query in makeQueries(Self.batchSize) { scheduler.submit(query, now: now) }
            _ = scheduler.takeEffects()
        }
        for _ in 0..<100 { turn(submitting: Self.batchSize) }
    }

    /// The cost of so many turns, in each of which a batch is answered, a batch of queries comes, and a batch is sent.
    mutating func measure(turns: Int) -> Cost {
        var admission: Int64 = 0
        var rest: Int64 = 0
        for _ in 0..<turns {
            let queries = makeQueries(Self.batchSize)
            let hashes = queries.compactMap { $0.key?.hash }
            let done = inFlight.isEmpty ? nil : inFlight.removeFirst()
            let outputs = Outputs(repeatElement("4950.0", count: done?.size ?? 0))
            let begin = ThreadTime.now()
            if let done { scheduler.complete(batch: done.batch, on: Self.replica, outputs, now: now) }
            let completed = ThreadTime.now()
            for hash in hashes { scheduler.prefetch(keyHash: hash, of: Self.model) }
            for query in queries { scheduler.submit(query, now: now) }
            let submitted = ThreadTime.now()
            scheduler.tick(now: now)
            scheduler.dispatch(now: now)
            noteDispatches()
            _ = scheduler.takeEffects()
            admission += submitted - completed
            rest += (completed - begin) + (ThreadTime.now() - submitted)
        }
        precondition(abs(scheduler.queuedCount(of: Self.model) - depth) <= 4 * Self.batchSize, "the queue has changed")
        let queries = Double(turns * Self.batchSize)
        return Cost(admission: Double(admission) / queries, rest: Double(rest) / queries)
    }

    /// The cost of turning a query away that cannot be answered in time, in nanoseconds.
    mutating func measureRefusals(turns: Int) -> Double {
        var elapsed: Int64 = 0
        let before = scheduler.counters(of: Self.model).predictedLate
        for _ in 0..<turns {
            // Half a millisecond is less than any batch takes.
            let queries = makeQueries(Self.batchSize, slo: .microseconds(500))
            let begin = ThreadTime.now()
            for query in queries { scheduler.submit(query, now: now) }
            _ = scheduler.takeEffects()
            elapsed += ThreadTime.now() - begin
        }
        let refused = scheduler.counters(of: Self.model).predictedLate - before
        precondition(refused == turns * Self.batchSize, "only \(refused) queries were turned away")
        return Double(elapsed) / Double(refused)
    }

    private mutating func turn(submitting count: Int) {
        if !inFlight.isEmpty {
            let done = inFlight.removeFirst()
            let outputs = Outputs(repeatElement("4950.0", count: done.size))
            scheduler.complete(batch: done.batch, on: Self.replica, outputs, now: now)
        }
        for query in makeQueries(count) { scheduler.submit(query, now: now) }
        scheduler.tick(now: now)
        scheduler.dispatch(now: now)
        noteDispatches()
        _ = scheduler.takeEffects()
    }

    private mutating func noteDispatches() {
        for dispatch in scheduler.effects.dispatches { inFlight.append((dispatch.batch, dispatch.inputs.count)) }
        now += .microseconds(1000 + 10 * (inFlight.first?.size ?? 1))
    }

    /// Queries as the event loops hand them over: each with a payload of its own and the key of the cache. One in four
    /// is of an application with half the SLO, so that it goes before others.
    private mutating func makeQueries(_ count: Int, slo: Duration = Self.slo) -> [Query] {
        (0..<count).map { _ in
            request += 1
            let number = request
            let payload = Payload(
                PayloadStorage(byteCount: 80) { $0.storeBytes(of: number, as: UInt64.self) })
            let isShort = request % 4 == 0
            // Multiples of the golden ratio, as fractions, are spread as evenly as can be.
            let share =
                deadlinesVary ? 0.5 + (Double(number) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1) / 2 : 1
            return Query(
                waiter: Waiter(
                    ticket: Ticket(sink: 0, request: request, item: 0),
                    application: ApplicationHandle(index: isShort ? 1 : 0), arrived: now,
                    deadline: now + (isShort ? slo / 2 : slo) * share),
                model: Self.model, input: payload, key: CacheKey(model: Self.model, input: payload))
        }
    }
}
