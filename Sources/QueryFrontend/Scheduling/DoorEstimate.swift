import ContainerRPC
import HeapModule

/// What a model's replicas can still answer in time, for queries that the same time is left for: the batches that they
/// would take next, if everything went as expected.
///
/// It holds until a batch is sent or answered, or the replicas change.
struct DoorEstimate: Sendable {
    /// A replica, with the largest batches that can be in time.
    struct Server {
        /// Its place among the model's replicas.
        let replica: Int
        /// When it is done with what it has.
        let free: MonotonicTime
        /// Queries in such a batch.
        let size: Int
        /// How long it takes for one.
        let period: Duration
    }

    private struct NextBatch: Sendable {
        /// Queries that come before it.
        let position: Int
        let start: MonotonicTime
        let replica: Int
    }

    private struct Start: Comparable {
        let time: MonotonicTime
        let server: Int

        static func < (left: Start, right: Start) -> Bool {
            left.time != right.time ? left.time < right.time : left.server < right.server
        }
    }

    /// What was left for the queries that it is for, when they came, in whole nanoseconds: it is compared often.
    let nanoseconds: Int64
    /// In the order in which they begin: two for each replica on average. The later half comes again and again.
    private let batches: [NextBatch]
    /// Queries in all of them.
    private let end: Int
    /// Queries in the later half.
    private let roundLength: Int
    /// After how long that half comes again, in nanoseconds: multiplying a `Duration` is dear.
    private let roundNanoseconds: Int64

    /// `nil` without a server.
    init?(allowance: Duration, servers: [Server]) {
        nanoseconds = allowance.wholeNanoseconds
        if servers.count == 1 {
            // The same as below, without its memory: most models have one.
            batches = [NextBatch(position: 0, start: servers[0].free, replica: servers[0].replica)]
            end = servers[0].size
            roundLength = servers[0].size
            roundNanoseconds = servers[0].period.wholeNanoseconds
            return
        }
        var starts = Heap(servers.indices.map { Start(time: servers[$0].free, server: $0) })
        var batches: [NextBatch] = []
        batches.reserveCapacity(2 * servers.count)
        var position = 0
        var half = 0
        while batches.count < 2 * servers.count, let first = starts.popMin() {
            let server = servers[first.server]
            if batches.count == servers.count { half = position }
            batches.append(NextBatch(position: position, start: first.time, replica: server.replica))
            position += server.size
            starts.insert(Start(time: first.time + server.period, server: first.server))
        }
        guard position > half else { return nil }
        self.batches = batches
        end = position
        roundLength = position - half
        let perNanosecond = servers.reduce(0.0) { $0 + Double($1.size) / Double(max(1, $1.period.wholeNanoseconds)) }
        roundNanoseconds = Int64(min(Double(roundLength) / perNanosecond, 1e18))
    }

    /// The batch of a query that so many come before: when it begins, how many are in it up to this one, and where.
    func batch(position: Int, now: MonotonicTime) -> (start: MonotonicTime, size: Int, replica: Int) {
        let rounds = position < end ? 0 : (position - end) / roundLength + 1
        let place = position - rounds * roundLength
        // The first one begins at position 0.
        let batch = batches[max(0, batches[...].boundary { $0.position <= place } - 1)]
        let start = max(now, batch.start)
        let (later, overflow) = roundNanoseconds.multipliedReportingOverflow(by: Int64(rounds))
        return (
            start + Duration(wholeNanoseconds: overflow ? .max : later), place - batch.position + 1, batch.replica
        )
    }
}
