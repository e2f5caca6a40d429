import ContainerRPC

@testable import QueryFrontend

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Replicas whose batch of n takes 4 ms and 100 µs for each query, give or take a little, under an open load.
struct LoadedModel: Sendable {
    /// What became of the load.
    struct Result {
        var offered = 0
        var inTime = 0
        var early: [DefaultReason: Int] = [:]
        /// From a query's arrival to its outcome, the longest.
        var slowest = Duration.zero
        var largestQueue = 0
        /// Those that were turned away as they came.
        var door = 0
        var seconds = 0.0

        /// Queries a second that were answered in time.
        var goodput: Double { Double(inTime) / seconds }
        var shareInTime: Double { Double(inTime) / Double(max(1, offered)) }
    }

    private struct Work {
        var dispatch: SchedulerEffects.Dispatch
        var takes: Duration
        var ends: MonotonicTime
    }

    var slo = Duration.milliseconds(20)
    var fixed = Duration.milliseconds(4)
    var perQuery = Duration.microseconds(100)
    /// What a batch of so many queries takes, where it is no straight line.
    var takes: (@Sendable (Int) -> Duration)?
    /// On the way to a replica and back, each.
    var wire = Duration.microseconds(150)
    /// What each way takes longer at random, on average.
    var wireJitter = Duration.zero
    /// What a replica takes from one batch to the next, besides.
    var turn = Duration.zero
    /// The replicas say what their model took, as those of RPC 4 do.
    var tellsComputeTime = false
    /// How far the latency of a batch strays, as a share.
    var jitter = 0.03
    /// The share of batches that take `stall` longer.
    var stallShare = 0.0
    var stall = Duration.milliseconds(4)
    var batching = Batching()
    /// A share of the queries that has another time.
    var impatient: (share: Double, slo: Duration)?
    var replicas = 1
    /// What the last one of several takes for a batch besides.
    var slower = Duration.zero
    /// Queries that arrive together, with one deadline.
    var burst = 1
    var seed: UInt64 = 1

    /// Runs Poisson arrivals at a rate, queries or bursts a second, and counts those of the time after the first half second.
    func run(rate: Double, for length: Duration) -> Result {
        var generator = SplitMix64(seed: seed)
        var scheduler = Scheduler()
        let model = ModelHandle(index: 0)
        scheduler.setModel(model, ModelSettings(inputType: .bytes, batching: batching))
        let begin = at(.zero)
        let counted = begin + .milliseconds(500)
        let end = counted + length
        for replica in 0..<replicas {
            scheduler.addReplica(ReplicaID(number: replica), of: model, inputType: .bytes, now: begin)
        }
        var result = Result()
        result.seconds = length.inSeconds
        var free = [MonotonicTime](repeating: begin, count: replicas)
        var work: [Work] = []
        var now = begin
        var nextArrival = begin
        var item = 0
        let input = Payload(copying: [0, 0, 0, 0])
        while now < end {
            let nextEnd = work.lazy.map(\.ends).min() ?? .distantFuture
            now = max(now, min(nextArrival, nextEnd, scheduler.deadline ?? .distantFuture))
            if now == nextArrival {
                for _ in 0..<burst {
                    var slo = slo
                    if let impatient, Double.random(in: 0..<1, using: &generator) < impatient.share {
                        slo = impatient.slo
                    }
                    let waiter = Waiter(
                        ticket: Ticket(sink: 0, request: 0, item: item), application: ApplicationHandle(index: 0),
                        arrived: now, deadline: now + slo)
                    if now >= counted, now + slo <= end { result.offered += 1 }
                    item += 1
                    scheduler.submit(Query(waiter: waiter, model: model, input: input), now: now)
                }
                let gap = -log(1 - Double.random(in: 0..<1, using: &generator)) / rate
                nextArrival = now + .nanoseconds(Int64(gap * 1e9) + 1)
            }
            for (index, done) in work.enumerated().reversed() where done.ends <= now {
                work.remove(at: index)
                let outputs = Outputs(done.dispatch.inputs.map { _ in "" })
                scheduler.complete(
                    batch: done.dispatch.batch, on: done.dispatch.replica, outputs,
                    computeTime: tellsComputeTime ? done.takes : nil, now: now)
            }
            scheduler.tick(now: now)
            scheduler.dispatch(now: now)
            for dispatch in scheduler.effects.dispatches {
                let replica = dispatch.replica.number
                let stretch = 1 + jitter * (Double.random(in: 0..<2, using: &generator) - 1)
                let own = replicas > 1 && replica == replicas - 1 ? slower : .zero
                let count = dispatch.inputs.count
                var takes = (own + (self.takes?(count) ?? fixed + perQuery * count)) * stretch
                if stallShare > 0, Double.random(in: 0..<1, using: &generator) < stallShare { takes += stall }
                free[replica] = max(free[replica], now + way(&generator)) + turn + takes
                work.append(Work(dispatch: dispatch, takes: takes, ends: free[replica] + way(&generator)))
            }
            for answer in scheduler.effects.answers
            where answer.waiter.arrived >= counted && answer.waiter.deadline <= end {
                result.slowest = max(result.slowest, now - answer.waiter.arrived)
                switch answer.outcome {
                case .output: if now <= answer.waiter.deadline { result.inTime += 1 }
                case .defaultOutput(let reason), .failed(let reason, _):
                    result.early[reason, default: 0] += 1
                    if answer.waiter.arrived == now { result.door += 1 }
                }
            }
            result.largestQueue = max(result.largestQueue, scheduler.queuedCount(of: model))
            _ = scheduler.takeEffects()
        }
        return result
    }

    private func way(_ generator: inout SplitMix64) -> Duration {
        guard wireJitter > .zero else { return wire }
        return wire + wireJitter * -log(1 - Double.random(in: 0..<1, using: &generator))
    }
}
